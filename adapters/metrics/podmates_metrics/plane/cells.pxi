# The state of series, and how many lines went there.

cdef struct More:             # what observers have beside their sum
    long long count
    Py_ssize_t size           # bounds of a histogram
    double *limits
    long long *buckets
    Sparse *sparse            # NULL: no native histogram
    double *recent            # of a summary: observations that its window has not been given yet
    Py_ssize_t held
    Py_ssize_t room           # of `recent`
    Py_ssize_t given          # observations at most that the window keeps unfolded


cdef struct State:
    void *owner               # the Cell
    double value              # a sum, for observers
    double seen
    More *more
    int kind


cdef struct Sum:
    long long count
    long long extra


cdef inline void observe(More *more, double value, long long weight) noexcept nogil:
    cdef Py_ssize_t low = 0, high = more.size, middle
    if value != value:
        low = more.size
    else:
        while low < high:
            middle = (low + high) >> 1
            if more.limits[middle] < value:
                low = middle + 1
            else:
                high = middle
    more.buckets[low] += weight
    if more.sparse != NULL:
        spread(more.sparse, value, weight)


cdef inline bint keep(More *more, double value) noexcept nogil:
    """Add to the observations of a summary; False: its window must be given them first."""
    cdef Py_ssize_t room
    cdef double *wider
    if more.held + more.given >= EXACT_SIZE:
        return False
    if more.held == more.room:
        room = more.room * 2 if more.room else 8
        wider = <double *>realloc(more.recent, room * sizeof(double))
        if wider == NULL:
            return False
        more.recent, more.room = wider, room
    more.recent[more.held] = value
    more.held += 1
    return True


@cython.no_gc
cdef class Cell:
    """The state of one series; *seen* is the clock at the last update."""

    cdef State state
    cdef readonly tuple bounds
    cdef object kept

    def __cinit__(self, int kind, tuple bounds=(), window=None, sparse=None):
        cdef Py_ssize_t i
        cdef More *more
        self.bounds, self.kept = bounds, window
        self.state.owner, self.state.kind = <void *>self, kind
        if kind != IS_HISTOGRAM and kind != IS_SUMMARY:
            return
        more = self.state.more = <More *>calloc(1, sizeof(More))
        if more == NULL:
            raise MemoryError
        if kind == IS_HISTOGRAM:
            more.size = len(bounds)
            more.limits = <double *>malloc((more.size + 1) * sizeof(double))
            more.buckets = <long long *>calloc(more.size + 1, sizeof(long long))
            if more.limits == NULL or more.buckets == NULL:
                raise MemoryError
            for i in range(more.size):
                more.limits[i] = bounds[i]
            if sparse is not None:
                more.sparse = <Sparse *>calloc(1, sizeof(Sparse))
                if more.sparse == NULL:
                    raise MemoryError
                more.sparse.schema, more.sparse.most = sparse

    def __dealloc__(self):
        if self.state.more != NULL:
            free(self.state.more.limits)
            free(self.state.more.buckets)
            free(self.state.more.recent)
            drop(self.state.more.sparse)
            free(self.state.more)

    cdef int give(self) except -1:
        """Give the window what came since: it then is as if it had been given each at once."""
        cdef More *more = self.state.more
        cdef double[EXACT_SIZE] values
        cdef Py_ssize_t size, i
        if more == NULL or self.kept is None:
            return 0
        pthread_mutex_lock(&LOCK)
        size = more.held
        if size:
            memcpy(values, more.recent, size * sizeof(double))
        more.held = 0
        pthread_mutex_unlock(&LOCK)
        recent = self.kept.recent
        for i in range(size):
            recent.append(values[i])
        if len(recent) >= EXACT_SIZE:
            self.kept.fold()
        pthread_mutex_lock(&LOCK)
        more.given = len(recent)
        pthread_mutex_unlock(&LOCK)
        return 0

    @property
    def window(self):
        """The window of a summary, with every observation so far; None for other kinds."""
        self.give()
        return self.kept

    @property
    def kind(self):
        return self.state.kind

    @property
    def value(self):
        return self.state.value

    @property
    def count(self):
        return self.state.more.count if self.state.more != NULL else 0

    @property
    def seen(self):
        return self.state.seen

    @seen.setter
    def seen(self, double now):
        self.state.seen = now

    def update(self, double value, long long weight, bint relative):
        """Take a value that is parsed and scaled: the slow path's way in."""
        cdef State *state = &self.state
        if state.kind == IS_SUMMARY:
            self.window.add(value, weight)
        pthread_mutex_lock(&LOCK)
        if state.kind == IS_GAUGE:
            state.value = state.value + value if relative else value
        elif state.more == NULL:
            state.value += value
        else:
            state.value += value if weight == 1 else value * weight
            state.more.count += weight
            if state.kind == IS_HISTOGRAM:
                observe(state.more, value, weight)
        pthread_mutex_unlock(&LOCK)

    def expire(self, double before):
        """Die if the last update was *before* that time; return whether it is so."""
        pthread_mutex_lock(&LOCK)
        cdef bint over = self.state.seen < before
        if over:
            self.state.kind = DEAD
        pthread_mutex_unlock(&LOCK)
        return over

    def read(self):
        """Return an observer's state at one moment: count, sum, observations in each of its buckets."""
        cdef More *more = self.state.more
        cdef Py_ssize_t size, i
        cdef long long count
        cdef double total
        cdef long long *copy
        if more == NULL:
            return 0, self.state.value, []
        size = more.size + 1 if more.buckets != NULL else 0
        copy = <long long *>malloc((size + 1) * sizeof(long long))
        if copy == NULL:
            raise MemoryError
        pthread_mutex_lock(&LOCK)
        count, total = more.count, self.state.value
        if size:
            memcpy(copy, more.buckets, size * sizeof(long long))
        pthread_mutex_unlock(&LOCK)
        counts = [copy[i] for i in range(size)]
        free(copy)
        return count, total, counts

    def native(self):
        """Return count, sum and exponential buckets of one moment; the last is None without any."""
        cdef More *more = self.state.more
        cdef Sparse *sparse = more.sparse if more != NULL else NULL
        cdef Sparse copy
        if sparse == NULL:
            return self.count, self.value, None
        pthread_mutex_lock(&LOCK)
        cdef long long count = more.count
        cdef double value = self.state.value
        cdef bint whole = copied(sparse, &copy)
        pthread_mutex_unlock(&LOCK)
        try:
            if not whole:
                raise MemoryError
            buckets = shown(&copy.positive), shown(&copy.negative)
        finally:
            forget(&copy)
        return count, value, _Sparse(copy.schema, copy.most, copy.zero, *buckets)


@cython.no_gc
cdef class Tally:
    """How many lines of one sort the fast path took."""

    cdef Sum sum

    @property
    def count(self):
        return self.sum.count

    @property
    def extra(self):
        """Observations beyond one per line, by sampling."""
        return self.sum.extra
