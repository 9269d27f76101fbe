# Native histograms: `podmates_metrics.statsd.sparse.Sparse` in C, with the same buckets.
cdef double[256] FINE        # bounds of the finest schema in [0.5, 1)
cdef Py_ssize_t _step
for _step in range(256):
    FINE[_step] = _BOUNDS[_step]


cdef struct Side:             # the buckets on one side of 0, by ascending key
    Py_ssize_t size
    Py_ssize_t room
    int *keys
    long long *counts


cdef struct Sparse:
    int schema
    Py_ssize_t most           # buckets on both sides together
    long long zero
    Side positive
    Side negative


cdef int bucket(double size, int schema) noexcept nogil:
    """Return the index of the bucket of a value above 0."""
    cdef int exponent = 0, low = 0, high, middle, step
    cdef double fraction
    if size == INFINITY:
        return bucket(DBL_MAX, schema) + 1
    fraction = frexp(size, &exponent)
    if schema <= 0:
        if fraction == 0.5:
            exponent -= 1
        return (exponent + (1 << -schema) - 1) >> -schema
    step = 1 << (8 - schema)
    high = 1 << schema
    while low < high:
        middle = (low + high) >> 1
        if FINE[middle * step] < fraction:
            low = middle + 1
        else:
            high = middle
    return low + (exponent - 1) * (1 << schema)


cdef void increase(Side *side, int key, long long weight) noexcept nogil:
    """Add to a bucket, which is made if need be; without memory for it the observation is lost."""
    cdef Py_ssize_t low = 0, high = side.size, middle, room
    cdef int *keys
    cdef long long *counts
    while low < high:
        middle = (low + high) >> 1
        if side.keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    if low < side.size and side.keys[low] == key:
        side.counts[low] += weight
        return
    if side.size == side.room:
        room = side.room * 2 if side.room else 4
        keys = <int *>realloc(side.keys, room * sizeof(int))
        if keys == NULL:
            return
        side.keys = keys
        counts = <long long *>realloc(side.counts, room * sizeof(long long))
        if counts == NULL:
            return
        side.counts, side.room = counts, room
    memmove(side.keys + low + 1, side.keys + low, (side.size - low) * sizeof(int))
    memmove(side.counts + low + 1, side.counts + low, (side.size - low) * sizeof(long long))
    side.keys[low], side.counts[low] = key, weight
    side.size += 1


cdef void halve(Side *side) noexcept nogil:
    cdef Py_ssize_t i, kept = 0
    cdef int key
    for i in range(side.size):
        key = (side.keys[i] + 1) >> 1
        if kept and side.keys[kept - 1] == key:
            side.counts[kept - 1] += side.counts[i]
        else:
            side.keys[kept], side.counts[kept] = key, side.counts[i]
            kept += 1
    side.size = kept


cdef void spread(Sparse *sparse, double value, long long weight) noexcept nogil:
    cdef double size = -value if value < 0 else value
    if not size > ZERO:
        if value == value:
            sparse.zero += weight
        return
    increase(&sparse.positive if value > 0 else &sparse.negative, bucket(size, sparse.schema), weight)
    while sparse.positive.size + sparse.negative.size > sparse.most and sparse.schema > -4:
        halve(&sparse.positive)
        halve(&sparse.negative)
        sparse.schema -= 1


cdef bint copied(Sparse *sparse, Sparse *copy) noexcept nogil:
    """Fill *copy*, which is to be forgotten; False: there was no memory for it."""
    copy[0] = sparse[0]
    cdef bint first = duplicate(&sparse.positive, &copy.positive)
    return duplicate(&sparse.negative, &copy.negative) and first


cdef bint duplicate(Side *side, Side *copy) noexcept nogil:
    copy.keys = <int *>malloc((side.size + 1) * sizeof(int))
    copy.counts = <long long *>malloc((side.size + 1) * sizeof(long long))
    if copy.keys == NULL or copy.counts == NULL:
        return False
    memcpy(copy.keys, side.keys, side.size * sizeof(int))
    memcpy(copy.counts, side.counts, side.size * sizeof(long long))
    return True


cdef void forget(Sparse *sparse) noexcept nogil:
    free(sparse.positive.keys)
    free(sparse.positive.counts)
    free(sparse.negative.keys)
    free(sparse.negative.counts)


cdef void drop(Sparse *sparse) noexcept nogil:
    if sparse != NULL:
        forget(sparse)
        free(sparse)


cdef dict shown(Side *side):
    return {side.keys[i]: side.counts[i] for i in range(side.size)}
