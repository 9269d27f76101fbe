# From a client to the servers.
#
# The law of this file
#  1. What this side cannot serve at once (hard or unknown command, inline, malformed, long, master away)
#     makes the client leave for Python, unparsed, once all its earlier commands are answered.
#  2. A write does not overtake its client's reads of the same key at a replica: it waits, unparsed, with
#     all behind it. A read whose key is written later in the same batch goes to the master at once.
#  3. All that a client has on its way to the master is on one connection, in order.
#  4. A client that takes its replies may have many commands unanswered, one that does not only a few: what it is
#     owed could be large, and a shared connection waits for nobody.
#  5. A write is marked when it is sent; one that waits for a connection is marked when it gets one.

cdef int cut_batch(Core* core, Client* c, const uint8_t* p, const uint8_t* end, bint last, int* count,
                   const uint8_t** stop) noexcept nogil:
    """Cut up to BATCH requests; FINE: all there are; else why the one at `stop` is none for now."""
    cdef Request* r
    cdef const uint8_t* name = NULL
    cdef int got, size = 0, n = 0, result = FINE
    cdef uint32_t need = 0
    while p < end and n < BATCH:
        r = &core.batch[n]
        got = next_request(p, end, r, &need, &name, &size)
        if got == 0:
            c.input_need = need
            break
        r.command = find_command(core, r, name, size) if got > 0 else NULL
        if r.command == NULL:
            result = LEAVE
            break
        refine(r)
        if r.kind == MULTI:
            result = cut_block(core, r, end)
            if result == MORE and last:
                result = LEAVE
            if result != FINE:
                break
        elif r.kind == EXEC or r.kind == HARD:
            result = LEAVE
            break
        p += r.size
        n += 1
    count[0] = n
    stop[0] = p
    return result

cdef int cut_block(Core* core, Request* block, const uint8_t* end) noexcept nogil:
    """Take everything up to EXEC as one request, if it is here and plain."""
    cdef Request r
    cdef const uint8_t* name = NULL
    cdef const uint8_t* p = block.start + block.size
    cdef int got, size = 0
    cdef uint32_t need = 0
    cdef bint reads = True
    block.replies = 1
    while p < end:
        got = next_request(p, end, &r, &need, &name, &size)
        if got == 0:
            break
        r.command = find_command(core, &r, name, size) if got > 0 else NULL
        if r.command == NULL:
            return LEAVE
        refine(&r)
        if r.kind == HARD or r.kind == MULTI:
            return LEAVE
        p += r.size
        block.replies += 1
        reads = reads and (r.kind == READ or r.kind == LOCAL or r.kind == EXEC)
        if p - block.start > PLAIN_LIMIT:
            return LEAVE
        if r.kind == EXEC:
            block.command, block.kind, block.flags = r.command, BLOCK, ACQUIRES | (0 if reads else EVERYTHING)
            block.size = <uint32_t>(p - block.start)
            return FINE
    return MORE if end - block.start < PLAIN_LIMIT else LEAVE

cdef void foresee(Core* core, Client* c, int count) noexcept nogil:
    """Send reads whose key is written later in the batch to the master: they would hold that write up."""
    cdef int i
    cdef bint reads = False
    cdef Request* r
    memset(core.bits, 0, 32)
    i = count - 1
    while i >= 0:
        r = &core.batch[i]
        if r.kind == WRITE or r.kind == BLOCK:
            keys_of(core, core.groups[c.group].database, r)
            bits_of(core, core.bits)
            reads = True
        elif reads and r.kind == READ and r.reason == WHY_NONE:
            keys_of(core, core.groups[c.group].database, r)
            if hits(core, core.bits):
                r.reason = WHY_PIPELINE
        i -= 1

cdef inline double load_of(Place* place) noexcept nogil:
    return <double>(place.clients + place.others + 1) / place.share

cdef inline bint readable(Core* core, Client* c, int place) noexcept nogil:
    """Tell whether a replica may be read, and is connected for such clients."""
    return core.places[place].usable and core.groups[c.group].current[place] != NULL

cdef void choose_place(Core* core, Client* c) noexcept nogil:
    """Keep the client's replica while it can be read, else take the readable one with the fewest clients for its
    share; of those that are alike each in turn. Without any it waits for its own."""
    cdef Place* place
    cdef int i, best = 0, alike = 0
    if c.at_replica or (c.place and readable(core, c, c.place)):
        return
    for i in range(1, PLACES):
        place = &core.places[i]
        if not readable(core, c, i):
            continue
        if best == 0 or load_of(place) < load_of(&core.places[best]):
            best, alike = i, 1
        elif load_of(place) == load_of(&core.places[best]):
            alike += 1
    if alike > 1:
        alike = <int>(core.turn % <uint32_t>alike)
        core.turn += 1
        for i in range(best, PLACES):
            if readable(core, c, i) and load_of(&core.places[i]) == load_of(&core.places[best]):
                if alike == 0:
                    best = i
                    break
                alike -= 1
    if best == 0 and core.places[c.place].usable:
        return
    if c.place:
        core.places[c.place].clients -= 1
    if best:
        core.places[best].clients += 1
    c.place = <uint8_t>best

cdef int why_master(Core* core, Client* c, Request* r) noexcept nogil:
    """Return why this read of the keys at hand cannot go to the client's replica; WHY_NONE: it can."""
    cdef Place* place
    if not core.reads_allowed:
        return WHY_POLICY
    if r.reason == WHY_POLICY or r.reason == WHY_CURSOR:
        return r.reason
    choose_place(core, c)
    place = &core.places[c.place]
    if c.place == 0 or not place.usable or core.groups[c.group].current[c.place] == NULL:
        return WHY_LAG if core.lagging else WHY_NO_REPLICA
    if r.reason:
        return r.reason
    if c.at_replica == 0 and core.groups[c.group].current[c.place].stuck:
        return WHY_NO_REPLICA
    if c.at_master and (c.master.fd == -1 or core.groups[c.group].collecting):
        return WHY_MARK                               # a write that waits has no mark yet
    if not core.prove_marks:
        return WHY_NONE
    if (c.writes and c.oldest_write <= core.late) or needed(core) > place.covered:
        turn_away(core)
        return WHY_MARK
    if core.prove_floor and core.floor > place.covered:
        turn_away(core)
        return WHY_ACQUIRE
    return WHY_NONE

cdef inline void turn_away(Core* core) noexcept nogil:
    """Let Python know, once, that a probe is wanted soon."""
    if not core.turned_away:
        core.turned_away = True
        tell(core, TURNED_AWAY, 0, 0, 0)

cdef Upstream* master_for(Core* core, Client* c) noexcept nogil:
    """Return where this client's commands go that are for the master (law 3); NULL: they have to wait."""
    cdef Group* group = &core.groups[c.group]
    cdef Upstream* u = c.master
    if group.collecting:
        return NULL
    if c.at_master == 0 or u == NULL:
        u = group.current[0]
        if u.stuck:
            return NULL
    if u.late:
        return NULL
    return u

cdef bint send_request(Core* core, Client* c, Upstream* u, Request* r) noexcept nogil:
    """Put a request on its way; False: no memory."""
    cdef Slot* slot
    if not log_room(core, u, r.size):
        return False
    if core.credit < CREDIT:
        core.credit += 1
    slot = log_append(u, r.start, r.size)
    memset(slot, 0, sizeof(Slot))
    slot.client = c
    slot.since = slot.began = core.now
    slot.seq = c.next_seq
    slot.size = r.size
    slot.replies = slot.owed = r.replies
    slot.command = <uint16_t>(r.command - core.commands)
    slot.kind, slot.flags, slot.reason = r.kind, r.flags, r.reason
    c.next_seq += 1
    c.command = slot.command
    if u.place:
        c.at_replica += 1
        c.replica = u
        bits_of(core, c.bits)
        return True
    c.at_master += 1
    c.master = u
    if slot.kind == WRITE or slot.kind == BLOCK:
        c.did |= WROTE if slot.kind == WRITE else WROTE | TRANSACTED
        if u.fd != -1:
            slot.generation = mark_sent(core)
        if c.writes == 0:
            c.oldest_write = core.generation
        c.writes += 1
    return True

cdef int route(Core* core, Client* c, Request* r) noexcept nogil:
    """Send or answer one request; what it says is what client_input() says."""
    cdef Upstream* u = NULL
    if r.kind == LOCAL and r.words > 2:
        r.kind = PLAIN
    if r.kind == LOCAL:
        answer_here(core, c, r)
        return FINE
    keys_of(core, core.groups[c.group].database, r)
    if r.kind == READ:
        r.reason = <uint8_t>why_master(core, c, r)
        if r.reason == WHY_NONE:
            u = c.replica if c.at_replica else core.groups[c.group].current[c.place]
    elif c.at_replica and (r.kind == BLOCK or (r.kind == WRITE and hits(core, c.bits))):
        core.holds += 1
        c.hold = FOR_READS
        return HOLD
    if u == NULL:
        u = master_for(core, c)
        if u == NULL:
            c.hold = FOR_MASTER
            return HOLD
        if u.fd == -1:
            return LEAVE
    return FINE if send_request(core, c, u, r) else FAIL

cdef void answer_here(Core* core, Client* c, Request* r) noexcept nogil:
    """PING and ECHO."""
    cdef uint32_t seq = c.next_seq
    c.next_seq += 1
    r.command.tally[BY_LOCAL][0] += 1
    took(r.command, BY_LOCAL, 0)
    c.command = <uint16_t>(r.command - core.commands)
    if r.words == 1:
        deliver(core, c, seq, b"+PONG\r\n", 7, True, False)
        return
    # the frame's last word, with its header, is the answer: $n CRLF bytes CRLF
    cdef size_t header = 1
    while r.key[-<Py_ssize_t>header] != 36:
        header += 1
    deliver(core, c, seq, r.key - header, header + r.key_size, False, False)
    deliver(core, c, seq, b"\r\n", 2, True, False)

cdef int client_input(Core* core, Client* c, const uint8_t* p, size_t size, bint last,
                      size_t* used) noexcept nogil:
    """Take the whole requests from *p*; `used` says how far. *last*: nothing more is here for now."""
    cdef const uint8_t* begin = p
    cdef const uint8_t* end = p + size
    cdef const uint8_t* stop = p
    cdef int count = BATCH, i, result = FINE, routed
    c.input_need = 0
    c.hold = 0
    c.heard = core.now
    while p < end and count == BATCH and result == FINE:
        result = cut_batch(core, c, p, end, last, &count, &stop)
        if count > 1:
            foresee(core, c, count)
        for i in range(count):
            if inflight(c) >= c.window:
                c.hold = FOR_REPLIES
                routed = HOLD
            else:
                routed = route(core, c, &core.batch[i])
            if routed != FINE:
                used[0] = <size_t>(core.batch[i].start - begin)
                return routed
        p = stop
    used[0] = <size_t>(p - begin)
    return result
