# The types of walk.py's class, for Cython.

from scanner.sources.git.pack.delta cimport Reader

cdef class Walk(Reader):
    cdef object sink
    cdef object kind_of
    cdef Py_ssize_t margin
    cdef unsigned char[::1] buffer
    cdef Py_ssize_t fill
    cdef long long[::1] clips
    cdef long long[::1] cores
    cdef Py_ssize_t clip_count
    cdef Py_ssize_t core_count
    cdef long long[::1] ranges
    cdef Py_ssize_t held
    cdef set seen
    cdef public Py_ssize_t objects
    cdef public Py_ssize_t size
    cdef _family(self, Py_ssize_t start)
    cdef _lose(self, Py_ssize_t place)
    cdef _lose_children(self, Py_ssize_t place)
    cdef bint _special(self, bytes content, bint known_head=*) except -1
    cdef bint _root(self, Py_ssize_t place, bytes content) except -1
    cdef _new(self, Py_ssize_t place, bytes content)
    cdef bint _child(self, Py_ssize_t place, bytes content, bint base_special) except -1
    cdef _leaf(self, Py_ssize_t place, bytes base)
    cdef bint _gather(self, Py_ssize_t place, bytes content, Py_ssize_t count, Py_ssize_t around) except -1
    cdef Py_ssize_t _boundaries(self, Py_ssize_t size) except -1
    cdef _message(self, Py_ssize_t place, bytes content)
    cdef _small(self, Py_ssize_t place, bytes content, Py_ssize_t start)
    cdef _core(self, long long low, long long high)
    cdef _clip(self, Py_ssize_t place, bytes content, Py_ssize_t low, Py_ssize_t high)
    cdef _room(self, Py_ssize_t size, Py_ssize_t cores)
    cdef _flush(self)
