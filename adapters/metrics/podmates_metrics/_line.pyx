# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The hot path in C: `podmates_metrics.statsd.hot` with the same names and the same results.

Lines seen before are found in a hash table of our own, keyed by the bytes around the value, and their
numbers are read and added without making a Python object. Everything else goes to the slow path.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.ref cimport PyObject, Py_DECREF, Py_INCREF
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memchr, memcmp, memcpy

from podmates_metrics.statsd.window import EXACT as _EXACT

COUNTER, GAUGE, HISTOGRAM, SUMMARY, DEAD = range(5)
COMPILED = True

cdef Py_ssize_t EXACT_SIZE = _EXACT
cdef double[16] POWERS
cdef int _power
for _power in range(16):
    POWERS[_power] = 10.0 ** _power


cdef class Cell:
    """The state of one series."""

    cdef public int kind
    cdef public double value
    cdef public long long count
    cdef public double seen
    cdef public tuple bounds
    cdef public object window
    cdef public list recent
    cdef Py_ssize_t size
    cdef double *limits
    cdef long long *buckets

    def __cinit__(self, int kind, tuple bounds=(), window=None):
        cdef Py_ssize_t i
        self.kind, self.bounds, self.window = kind, bounds, window
        self.recent = window.recent if window is not None else None
        self.limits = NULL
        self.buckets = NULL
        self.size = 0
        if kind == 2:
            self.size = len(bounds)
            self.limits = <double *>malloc((self.size + 1) * sizeof(double))
            self.buckets = <long long *>calloc(self.size + 1, sizeof(long long))
            if self.limits == NULL or self.buckets == NULL:
                raise MemoryError
            for i in range(self.size):
                self.limits[i] = bounds[i]

    def __dealloc__(self):
        free(self.limits)
        free(self.buckets)

    cdef void observe(self, double value, long long weight) noexcept:
        cdef Py_ssize_t low = 0, high = self.size, middle
        if value != value:
            low = self.size
        else:
            while low < high:
                middle = (low + high) >> 1
                if self.limits[middle] < value:
                    low = middle + 1
                else:
                    high = middle
        self.buckets[low] += weight

    def update(self, double value, long long weight, bint relative):
        """Take a value that is parsed and scaled: the slow path's way in."""
        if self.kind == 1:
            self.value = self.value + value if relative else value
            return
        if self.kind == 0:
            self.value += value
            return
        self.value += value if weight == 1 else value * weight
        self.count += weight
        if self.kind == 2:
            self.observe(value, weight)
        elif self.window is not None:
            self.window.add(value, weight)

    def counts(self):
        """Return the histogram's buckets: observations in each, not cumulative."""
        return [self.buckets[i] for i in range(self.size + 1)] if self.buckets != NULL else []


cdef class Tally:
    """How many lines of one sort the fast path took."""

    cdef public long long count
    cdef public long long extra


cdef struct Slot:
    unsigned long long hash
    char *key  # name and suffix, one after the other; NULL: the slot is empty
    Py_ssize_t name
    Py_ssize_t suffix
    PyObject *cell
    PyObject *tally
    double divisor
    double scale
    long long weight


cdef inline unsigned long long digest(const char *text, Py_ssize_t size, unsigned long long state) noexcept:
    cdef Py_ssize_t i = 0
    cdef unsigned long long word
    while i + 8 <= size:
        memcpy(&word, text + i, 8)
        state = (state ^ word) * <unsigned long long>0x9E3779B97F4A7C15
        state ^= state >> 29
        i += 8
    while i < size:
        state = (state ^ <unsigned char>text[i]) * <unsigned long long>1099511628211
        i += 1
    return state ^ (state >> 32)


cdef inline int plain(const char *text, const char *end, double *out) noexcept:
    """Read a decimal of at most 15 digits exactly; anything else gives 0, for Python to look at."""
    cdef long long whole = 0
    cdef int digits = 0, negative = 0, point = -1
    if text < end and (text[0] == c'-' or text[0] == c'+'):
        negative = text[0] == c'-'
        text += 1
    while text < end:
        if c'0' <= text[0] <= c'9':
            whole = whole * 10 + (text[0] - c'0')
            digits += 1
            if point >= 0:
                point += 1
        elif text[0] == c'.' and point < 0:
            point = 0
        else:
            return 0
        if digits > 15:
            return 0
        text += 1
    if digits == 0:
        return 0
    cdef double value = <double>whole
    if point > 0:
        value /= POWERS[point]
    out[0] = -value if negative else value
    return 1


cdef class Intake:
    """The lines seen so far and where they go."""

    cdef public long long lines
    cdef object slow
    cdef Py_ssize_t limit, size, capacity
    cdef Slot *slots
    cdef unsigned long long seed

    def __cinit__(self, slow, Py_ssize_t limit):
        self.slow = slow
        self.limit = limit
        self.capacity = 1024
        # Unknown to who sends, so that nobody can choose names that meet in one slot.
        self.seed = <unsigned long long>hash(("seed", object(), "podmates")) | 1
        self.slots = <Slot *>calloc(self.capacity, sizeof(Slot))
        if self.slots == NULL:
            raise MemoryError

    def __dealloc__(self):
        if self.slots != NULL:
            self.drop()
            free(self.slots)

    def __len__(self):
        return self.size

    cdef void drop(self):
        cdef Py_ssize_t i
        for i in range(self.capacity):
            if self.slots[i].key != NULL:
                free(self.slots[i].key)
                self.slots[i].key = NULL
                Py_DECREF(<object>self.slots[i].cell)
                Py_DECREF(<object>self.slots[i].tally)
        self.size = 0

    def clear(self):
        """Forget every line."""
        self.drop()

    cdef Slot *find(self, const char *name, Py_ssize_t length, const char *suffix, Py_ssize_t rest) noexcept:
        """Return the slot of a line, or the empty one where it belongs."""
        cdef unsigned long long hashed = digest(suffix, rest, digest(name, length, self.seed))
        cdef Py_ssize_t at = <Py_ssize_t>(hashed & <unsigned long long>(self.capacity - 1))
        cdef Slot *slot
        while True:
            slot = &self.slots[at]
            if slot.key == NULL:
                slot.hash = hashed
                return slot
            if (
                slot.hash == hashed and slot.name == length and slot.suffix == rest
                and memcmp(slot.key, name, length) == 0 and memcmp(slot.key + length, suffix, rest) == 0
            ):
                return slot
            at = (at + 1) & (self.capacity - 1)

    cdef int grow(self) except -1:
        cdef Slot *old = self.slots
        cdef Py_ssize_t before = self.capacity, i, at
        cdef Slot *fresh = <Slot *>calloc(before * 2, sizeof(Slot))
        if fresh == NULL:
            raise MemoryError
        self.slots, self.capacity = fresh, before * 2
        for i in range(before):
            if old[i].key != NULL:
                at = <Py_ssize_t>(old[i].hash & <unsigned long long>(self.capacity - 1))
                while fresh[at].key != NULL:
                    at = (at + 1) & (self.capacity - 1)
                fresh[at] = old[i]
        free(old)
        return 0

    def bind(self, bytes line, Cell cell, tuple factors, Tally tally):
        """Remember that *line*, with any other value in its place, goes to *cell*."""
        cdef bytes name, rest, suffix
        name, _, rest = line.partition(b":")
        suffix = rest.partition(b"|")[2]
        if self.size >= self.limit:
            self.drop()
        if self.size * 2 >= self.capacity:
            self.grow()
        cdef Py_ssize_t length = len(name), more = len(suffix)
        cdef Slot *slot = self.find(PyBytes_AS_STRING(name), length, PyBytes_AS_STRING(suffix), more)
        if slot.key == NULL:
            slot.key = <char *>malloc(length + more + 1)
            if slot.key == NULL:
                raise MemoryError
            memcpy(slot.key, PyBytes_AS_STRING(name), length)
            memcpy(slot.key + length, PyBytes_AS_STRING(suffix), more)
            slot.name, slot.suffix = length, more
            self.size += 1
        else:
            Py_DECREF(<object>slot.cell)
            Py_DECREF(<object>slot.tally)
        Py_INCREF(cell)
        Py_INCREF(tally)
        slot.cell, slot.tally = <PyObject *>cell, <PyObject *>tally
        slot.divisor, slot.scale, slot.weight = factors

    def feed(self, bytes data, double now):
        """Take the lines in *data*, separated by newlines; *now* is the clock."""
        cdef const char *text = PyBytes_AS_STRING(data)
        cdef const char *stop = text + PyBytes_GET_SIZE(data)
        cdef const char *end
        while text <= stop:
            end = <const char *>memchr(text, c'\n', stop - text)
            if end == NULL:
                end = stop
            self.lines += 1
            if not self.take(text, end, now):
                self.slow(text[:end - text], now)
            text = end + 1

    cdef bint take(self, const char *text, const char *end, double now) except -1:
        """Return whether the line is done; False: the slow path must look at it."""
        cdef const char *colon = <const char *>memchr(text, c':', end - text)
        if colon == NULL or colon == text:
            return False
        cdef const char *bar = <const char *>memchr(colon, c'|', end - colon)
        if bar == NULL or bar == colon + 1:
            return False
        cdef Slot *slot = self.find(text, colon - text, bar + 1, end - bar - 1)
        if slot.key == NULL:
            return False
        cdef double value = 0.0
        if not plain(colon + 1, bar, &value):
            if <unsigned char>colon[1] <= 32 or <unsigned char>bar[-1] <= 32:
                return False
            try:
                value = float(colon[1:bar - colon])
            except ValueError:
                return False
            if value - value != 0.0:
                return False
        value = value / slot.divisor * slot.scale
        cdef Cell cell = <Cell>slot.cell
        cdef Tally tally = <Tally>slot.tally
        if cell.kind == 0:
            if not value >= 0.0:
                return False
            cell.value += value
        elif cell.kind == 1:
            cell.value = cell.value + value if colon[1] == c'+' or colon[1] == c'-' else value
        elif cell.kind == 2:
            cell.value += value if slot.weight == 1 else value * slot.weight
            cell.count += slot.weight
            cell.observe(value, slot.weight)
            tally.extra += slot.weight - 1
        elif cell.kind == 3 and slot.weight == 1:
            cell.value += value
            cell.count += 1
            cell.recent.append(value)
            if len(cell.recent) >= EXACT_SIZE:
                cell.window.fold()
        else:
            return False
        cell.seen = now
        tally.count += 1
        return True
