# The types of trees.py's class, for Cython.

from scanner.sources.git.pack.delta cimport Reader

cdef class Trees(Reader):
    cdef const unsigned char[::1] index
    cdef Py_ssize_t width
    cdef long long[::1] entries
    cdef Py_ssize_t entry_count
    cdef long long[::1] copies
    cdef Py_ssize_t copy_count
    cdef int[::1] copies_of
    cdef int[::1] copies_end
    cdef int[::1] places
    cdef int[::1] listed
    cdef int[::1] order
    cdef int[::1] firsts
    cdef int[::1] roots
    cdef unsigned char[::1] marks
    cdef unsigned char[::1] heads
    cdef int[::1] bounds
    cdef Py_ssize_t least
    cdef dict long
    cdef list names
    cdef dict numbers
    cdef Py_ssize_t _place(self, bytes name) except -2
    cdef Py_ssize_t _find(self, const unsigned char* name) noexcept
    cdef Py_ssize_t _fan(self, Py_ssize_t number) noexcept
    cdef _read(self)
    cdef bytes _tree_of(self, Py_ssize_t place)
    cdef object _list(self, Py_ssize_t place, bytes content, object base_bounds)
    cdef _long(self, Py_ssize_t place, Py_ssize_t at, Py_ssize_t end, bytes content)
    cdef _note(self, Py_ssize_t place, Py_ssize_t child, Py_ssize_t at, Py_ssize_t end, bytes content)
    cdef _index(self)
    cdef int _first(self, Py_ssize_t place, int depth) except -1
    cdef int _carried_first(self, Py_ssize_t tree, long long at, long long length, int depth) except -1
    cdef long long _carry(self, Py_ssize_t child, long long at, long long length) noexcept
    cdef list _paths(self, Py_ssize_t place, int rank, bytes below, int depth)
