# The order of a client's replies: they leave in the order of `seq`; one that is early is parked.
# `fresh` points into an upstream's receive buffer, so dirty clients are flushed after each of its reads.

cdef inline void make_dirty(Core* core, Client* c) noexcept nogil:
    if not c.dirty:
        c.dirty = True
        c.next_dirty = core.dirty
        core.dirty = c

cdef inline void doom(Core* core, Client* c, uint8_t why) noexcept nogil:
    """It can not be told the truth any more, or takes too much, or is gone: the loop closes it."""
    if c.state < DOOMED:
        c.state, c.why = DOOMED, why
        make_dirty(core, c)

cdef inline uint32_t inflight(Client* c) noexcept nogil:
    return c.next_seq - c.head_seq

cdef void output_append(Core* core, Client* c, const uint8_t* p, size_t size) noexcept nogil:
    cdef size_t room
    cdef uint8_t* grown
    if size == 0:
        return
    if c.output_size + size > c.output_room and c.output_start:
        memmove(c.output, c.output + c.output_start, c.output_size - c.output_start)
        c.output_size -= c.output_start
        c.output_start = 0
    if c.output_size + size > c.output_room:
        room = c.output_room * 2 if c.output_room else 1024
        while room < c.output_size + size:
            room *= 2
        grown = NULL
        if c.output_size + size <= core.client_limit and not over_limit(core):
            grown = <uint8_t*>realloc(c.output, room)
        if grown == NULL:
            doom(core, c, TOOK_TOO_LITTLE)
            return
        core.memory += room - c.output_room
        c.output = grown
        c.output_room = room
    memcpy(c.output + c.output_size, p, size)
    c.output_size += size

cdef inline void settle_fresh(Core* core, Client* c) noexcept nogil:
    """Move what `fresh` points at into the client's own memory."""
    cdef size_t size = c.fresh_size
    if size:
        c.fresh_size = 0
        output_append(core, c, c.fresh, size)

cdef inline void emit(Core* core, Client* c, const uint8_t* p, size_t size, bint lasting) noexcept nogil:
    if c.state >= DOOMED or size == 0:
        return
    if lasting and c.output_size == 0:
        if c.fresh_size == 0:
            c.fresh = p
            c.fresh_size = size
            return
        if c.fresh + c.fresh_size == p:
            c.fresh_size += size
            return
    settle_fresh(core, c)
    output_append(core, c, p, size)

cdef bint parked_room(Core* core, Client* c, uint32_t distance) noexcept nogil:
    cdef uint32_t room = c.parked_room, i
    cdef Parked* grown
    if distance < room:
        return True
    room = room * 2 if room else 16
    while distance >= room:
        room *= 2
    grown = <Parked*>calloc(room, sizeof(Parked))
    if grown == NULL:
        return False
    for i in range(c.parked_room):
        if c.parked[i].used:
            grown[c.parked[i].seq & (room - 1)] = c.parked[i]
    core.memory += (room - c.parked_room) * sizeof(Parked)
    free(c.parked)
    c.parked = grown
    c.parked_room = room
    return True

cdef void park(Core* core, Client* c, uint32_t seq, const uint8_t* p, size_t size, bint complete) noexcept nogil:
    cdef Parked* q
    cdef uint8_t* grown
    cdef size_t room
    if c.state >= DOOMED:
        return
    if not parked_room(core, c, seq - c.head_seq):
        doom(core, c, TOOK_TOO_LITTLE)
        return
    q = &c.parked[seq & (c.parked_room - 1)]
    if not q.used:
        q.used, q.seq = True, seq
        c.parked_count += 1
    if q.size + size > q.room:
        room = (q.size + size) * 2
        grown = NULL
        if c.parked_bytes + room <= core.client_limit and not over_limit(core):
            grown = <uint8_t*>realloc(q.data, room)
        if grown == NULL:
            doom(core, c, TOOK_TOO_LITTLE)
            return
        core.memory += room - q.room
        c.parked_bytes += room - q.room
        q.data = grown
        q.room = room
    memcpy(q.data + q.size, p, size)
    q.size += size
    q.complete = complete

cdef void drop_parked(Core* core, Client* c, Parked* q) noexcept nogil:
    core.memory -= q.room
    c.parked_bytes -= q.room
    free(q.data)
    memset(q, 0, sizeof(Parked))
    c.parked_count -= 1

cdef void unpark(Core* core, Client* c) noexcept nogil:
    """Pass on replies that waited for the one just delivered."""
    cdef Parked* q
    cdef bint complete
    while c.parked_count:
        q = &c.parked[c.head_seq & (c.parked_room - 1)]
        if not q.used or q.seq != c.head_seq:
            return
        emit(core, c, q.data, q.size, False)
        complete = q.complete
        drop_parked(core, c, q)
        if not complete:
            return
        c.head_seq += 1
    free_parked(core, c)

cdef void free_parked(Core* core, Client* c) noexcept nogil:
    cdef uint32_t i
    for i in range(c.parked_room):
        if c.parked[i].used:
            drop_parked(core, c, &c.parked[i])
    core.memory -= c.parked_room * sizeof(Parked)
    free(c.parked)
    c.parked = NULL
    c.parked_room = 0

cdef inline void deliver(Core* core, Client* c, uint32_t seq, const uint8_t* p, size_t size, bint complete,
                         bint lasting) noexcept nogil:
    """Give the client (a part of) the reply to its request *seq*; *lasting*: p stays until it is flushed."""
    if seq == c.head_seq:
        emit(core, c, p, size, lasting)
        if complete:
            c.head_seq += 1
            if c.parked_count:
                unpark(core, c)
            widen(c)
        make_dirty(core, c)
    else:
        park(core, c, seq, p, size, complete)

cdef inline void widen(Client* c) noexcept nogil:
    """Let it have more unanswered commands while it takes its replies, else few."""
    if c.output_size - c.output_start > 65536:
        c.window = WINDOW
    elif c.window < WIDEST:
        c.window += 1
    if c.hold == FOR_REPLIES and inflight(c) <= c.window // 2:
        c.resumed = True

cdef bint take_back(Core* core, Client* c, uint32_t seq) noexcept nogil:
    """Forget the beginning of a reply; False: some of it is with the client."""
    cdef Parked* q
    if seq == c.head_seq:
        return False
    if c.parked_count:
        q = &c.parked[seq & (c.parked_room - 1)]
        if q.used and q.seq == seq:
            drop_parked(core, c, q)
            return True
    return True
