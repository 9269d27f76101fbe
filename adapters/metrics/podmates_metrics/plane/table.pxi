# The lines seen so far: a hash table with open addressing, and what a known line does.

cdef struct Way:              # what lines of one sort have in common
    void *owner               # the Route
    Sum *sum
    double divisor
    double scale
    long long weight


cdef struct Key:
    uint16_t name
    uint16_t suffix
    char[1] text              # name and suffix, one after the other


cdef struct Slot:
    uint64_t hash
    Key *key                  # NULL: the slot is empty
    State *state
    Way *way


cdef struct Table:
    Slot *slots
    Py_ssize_t size
    Py_ssize_t capacity       # a power of two
    uint64_t seed
    long long lines


@cython.no_gc
cdef class Route:
    """Keeps a `Way` and its tally alive."""

    cdef Way way
    cdef Tally tally

    def __cinit__(self, Tally tally, tuple factors):
        self.tally = tally
        self.way.owner, self.way.sum = <void *>self, &tally.sum
        self.way.divisor, self.way.scale, self.way.weight = factors


cdef inline uint64_t digest(const char *text, Py_ssize_t size, uint64_t state) noexcept nogil:
    cdef Py_ssize_t i = 0
    cdef uint64_t word
    while i + 8 <= size:
        memcpy(&word, text + i, 8)
        state = (state ^ word) * <uint64_t>0x9E3779B97F4A7C15
        state ^= state >> 29
        i += 8
    while i < size:
        state = (state ^ <unsigned char>text[i]) * <uint64_t>1099511628211
        i += 1
    return state ^ (state >> 32)


cdef inline Slot *find(
    Table *table, const char *name, Py_ssize_t length, const char *suffix, Py_ssize_t rest, uint64_t *hashed
) noexcept nogil:
    """Return the slot of a line, or the empty one where it belongs; *hashed* gets its digest."""
    cdef uint64_t hash = digest(suffix, rest, digest(name, length, table.seed))
    cdef Py_ssize_t at = <Py_ssize_t>(hash & <uint64_t>(table.capacity - 1))
    cdef Slot *slot
    hashed[0] = hash
    while True:
        slot = &table.slots[at]
        if slot.key == NULL or (
            slot.hash == hash and slot.key.name == length and slot.key.suffix == rest
            and memcmp(slot.key.text, name, length) == 0
            and memcmp(slot.key.text + length, suffix, rest) == 0
        ):
            return slot
        at = (at + 1) & (table.capacity - 1)


cdef Slot *known(Table *table, const char *text, const char *end, const char **number, const char **bar) noexcept nogil:
    """Return the slot of a line and where its number is; NULL: it is not known."""
    cdef uint64_t hashed
    cdef Slot *slot
    cdef const char *colon = <const char *>memchr(text, c':', end - text)
    if colon == NULL or colon == text:
        return NULL
    bar[0] = <const char *>memchr(colon, c'|', end - colon)
    if bar[0] == NULL or bar[0] == colon + 1:
        return NULL
    number[0] = colon + 1
    slot = find(table, text, colon - text, bar[0] + 1, end - bar[0] - 1, &hashed)
    return NULL if slot.key == NULL else slot


cdef bint take(Table *table, const char *text, const char *end, double now) noexcept nogil:
    """Return whether the line is done; False: the slow path must look at it."""
    cdef const char *number
    cdef const char *bar
    cdef Slot *slot = known(table, text, end, &number, &bar)
    cdef double value = 0.0
    if slot == NULL or not decimal(number, bar, &value):
        return False
    cdef State *state = slot.state
    cdef Way *way = slot.way
    value = value / way.divisor * way.scale
    if state.kind == IS_COUNTER:
        if not value >= 0.0:
            return False
        state.value += value
    elif state.kind == IS_GAUGE:
        state.value = state.value + value if number[0] == c'+' or number[0] == c'-' else value
    elif state.kind == IS_HISTOGRAM:
        state.value += value if way.weight == 1 else value * way.weight
        state.more.count += way.weight
        observe(state.more, value, way.weight)
        way.sum.extra += way.weight - 1
    elif state.kind == IS_SUMMARY and way.weight == 1:
        if not keep(state.more, value):
            return False
        state.value += value
        state.more.count += 1
    else:
        return False
    state.seen = now
    way.sum.count += 1
    return True


cdef const char *run(Table *table, const char *text, const char *stop, double now) noexcept nogil:
    """Take lines up to *stop*; return the first that the slow path must look at, NULL when all are done."""
    cdef const char *end
    while text <= stop:
        end = <const char *>memchr(text, c'\n', stop - text)
        if end == NULL:
            end = stop
        if not take(table, text, end, now):
            return text
        table.lines += 1
        text = end + 1
    return NULL


cdef bint grow(Table *table) noexcept nogil:
    """Double the table; False: there is no memory, and all is as it was."""
    cdef Slot *old = table.slots
    cdef Py_ssize_t before = table.capacity, i, at
    cdef Slot *fresh = <Slot *>calloc(before * 2, sizeof(Slot))
    if fresh == NULL:
        return False
    table.slots, table.capacity = fresh, before * 2
    for i in range(before):
        if old[i].key != NULL:
            at = <Py_ssize_t>(old[i].hash & <uint64_t>(table.capacity - 1))
            while fresh[at].key != NULL:
                at = (at + 1) & (table.capacity - 1)
            fresh[at] = old[i]
    free(old)
    return True
