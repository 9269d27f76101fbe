# What is counted of requests and their replies, besides how many there were.

cdef uint64_t[BUCKETS - 1] BOUNDS                     # nanoseconds; the same stand in session/tally.py
BOUNDS[:] = [100_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
             500_000_000, 1_000_000_000, 5_000_000_000]

cdef inline void add_time(Times* times, uint64_t nanoseconds) noexcept nogil:
    cdef int i = 0
    while i < BUCKETS - 1 and nanoseconds > BOUNDS[i]:
        i += 1
    times.counts[i] += 1
    times.total += nanoseconds

cdef void took(Command* command, int route, uint64_t nanoseconds) noexcept nogil:
    if command.took[route] == NULL:
        command.took[route] = <Times*>calloc(1, sizeof(Times))
    if command.took[route] != NULL:
        add_time(command.took[route], nanoseconds)

cdef void count_word(Core* core, const uint8_t* p, size_t size) noexcept nogil:
    """Count an error by its first word; a word that comes when there is no room is counted as none."""
    cdef uint8_t word[WORD_BYTES]
    cdef size_t i = 1
    cdef int place
    memset(word, 0, WORD_BYTES)
    while i < size and i < WORD_BYTES and p[i] > 32:
        word[i - 1] = p[i]
        i += 1
    for place in range(WORDS):
        if place == WORDS - 1:
            memset(word, 0, WORD_BYTES)
        if core.words[place].count == 0:
            memcpy(core.words[place].text, word, WORD_BYTES)
        if memcmp(core.words[place].text, word, WORD_BYTES) == 0:
            core.words[place].count += 1
            return

cdef void count(Core* core, Upstream* u, Slot* slot, bint error) noexcept nogil:
    """The oldest request of *u* is answered, by its server or here."""
    cdef int route = BY_REPLICA if u.place else BY_MASTER
    cdef Command* command = &core.commands[slot.command]
    command.tally[route][error] += 1
    took(command, route, core.now - slot.since)
    if core.slow and core.now - slot.since > core.slow:
        keep_slow(core, u, slot)
    if slot.began:
        add_time(&core.queued[route], slot.began - slot.since)
        add_time(&core.places[u.place].served, core.now - slot.began)
    if slot.kind == READ:
        if u.place:
            core.places[u.place].reads += 1
        else:
            core.reads[slot.reason] += 1
    elif slot.kind == BLOCK:
        count_block(core, u, slot)

cdef void keep_slow(Core* core, Upstream* u, Slot* slot) noexcept nogil:
    """Keep the oldest request of *u*, with its bytes, in the place of the oldest that is kept."""
    cdef Slow* kept = &core.slows[core.slow_count % SLOWS]
    free(kept.request)
    memset(kept, 0, sizeof(Slow))
    memcpy(kept.where, slot.client.where, WHERE)
    kept.client, kept.command, kept.place = slot.client.id, slot.command, u.place
    kept.at, kept.took = core.now, core.now - slot.since
    kept.queued = (slot.began if slot.began else core.now) - slot.since
    kept.served = core.now - slot.began if slot.began else 0
    kept.size = slot.passed
    if slot.kind != BLOCK:
        kept.request = <uint8_t*>malloc(slot.size)
    if kept.request != NULL:
        kept.request_size = slot.size
        log_copy(u, u.head, kept.request, slot.size)
    core.slow_count += 1
    if core.slow_count == SLOWS // 2:
        tell(core, SLOW, u.group, u.place, 0)

cdef void count_block(Core* core, Upstream* u, Slot* slot) noexcept nogil:
    """Count the commands of a whole block, EXEC apart."""
    cdef Request r
    cdef const uint8_t* p = core.scratch
    cdef const uint8_t* name = NULL
    cdef uint32_t need = 0
    cdef int size = 0
    log_copy(u, u.head, core.scratch, slot.size)
    while p < core.scratch + slot.size:
        if next_request(p, core.scratch + slot.size, &r, &need, &name, &size) != 1:
            return
        r.command = find_command(core, &r, name, size)
        if r.command != NULL and r.command.kind != EXEC:
            r.command.tally[BY_MASTER][0] += 1
            took(r.command, BY_MASTER, core.now - slot.since)
        p += r.size
