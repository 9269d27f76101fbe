# What C lends us, and the one lock.
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.ref cimport PyObject, Py_DECREF, Py_INCREF
from libc.stdint cimport uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc, strtod
from libc.string cimport memchr, memcmp, memcpy, memmove, strlen

from podmates_metrics.statsd.sparse import BOUNDS as _BOUNDS
from podmates_metrics.statsd.sparse import Sparse as _Sparse
from podmates_metrics.statsd.window import EXACT as _EXACT

cdef extern from "<math.h>" nogil:
    double frexp(double value, int *exponent)
    double INFINITY

cdef extern from "<float.h>" nogil:
    double DBL_MAX

cdef extern from "<pthread.h>" nogil:
    ctypedef struct pthread_mutex_t:
        pass
    int pthread_mutex_init(pthread_mutex_t *lock, void *how)
    int pthread_mutex_lock(pthread_mutex_t *lock)
    int pthread_mutex_unlock(pthread_mutex_t *lock)

COUNTER, GAUGE, HISTOGRAM, SUMMARY, DEAD = range(5)
COMPILED = True

cdef enum:
    IS_COUNTER = 0
    IS_GAUGE = 1
    IS_HISTOGRAM = 2
    IS_SUMMARY = 3

    EXACT_SIZE = 512          # observations that a slice of a window keeps unchanged

if EXACT_SIZE != _EXACT:
    raise ImportError("compiled for other windows")
cdef double ZERO = 2.0 ** -128  # values that are not farther from 0 are counted apart
cdef pthread_mutex_t LOCK
pthread_mutex_init(&LOCK, NULL)
