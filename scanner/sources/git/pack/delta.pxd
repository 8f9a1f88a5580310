# The types of delta.py's class, for Cython.

cdef class Reader:
    cdef object pack
    cdef const long long[::1] at
    cdef const int[:, ::1] rows
    cdef Py_ssize_t count
    cdef long long[::1] ops
    cdef Py_ssize_t op_count
    cdef Py_ssize_t base_size
    cdef Py_ssize_t made_size
    cdef bytes inflated(self, Py_ssize_t place)
    cdef bytes joined(self, bytes base, bytes delta, Py_ssize_t size)
    cdef bytes partly(self, bytes base, bytes delta, Py_ssize_t size, long long[::1] ranges, Py_ssize_t count, Py_ssize_t around)
    cpdef bytes content(self, Py_ssize_t place)
    cpdef bytes made(self, Py_ssize_t place, bytes base)
    cdef Py_ssize_t parse(self, bytes delta, Py_ssize_t base_size) except -1
    cpdef list carried(self, list regions)
