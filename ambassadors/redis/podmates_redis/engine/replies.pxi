# From a server to the clients: finds the ends of replies, RESP2 and RESP3, nested to any depth without a
# stack, resumable, each byte looked at once; passes bytes on as they come.
#
# The law of this file
#  1. Slots are in the order of sending; a reply belongs to the oldest slot. What fits no slot, a push on a
#     shared connection included, means that the stream is out of step: the connection is given up.
#  2. A replica's error may be its own: the master is asked in the same reply slot.
#  3. A master that says READONLY and the like is none: what it still owes is taken, the reads and what it
#     refused is collected in order for the next master, and nothing more is sent to it.
#     Who has something that ran behind something that was refused is closed: the order is gone.
#  4. A block's replies are one: it is sent again as a whole, and what its client has already heard is dropped.

cdef enum:
    BROKEN = -1
    UNFINISHED = -2

cdef inline bint starts(const uint8_t* p, size_t size, const char* word, size_t length) noexcept nogil:
    return size > length and memcmp(p, word, length) == 0 and (p[length] == 32 or p[length] == 13)

cdef bint not_run(const uint8_t* p, size_t size) noexcept nogil:
    """Tell whether an error says that its server is not, or not yet, what it was taken for."""
    return (starts(p, size, b"-READONLY", 9) or starts(p, size, b"-LOADING", 8)
            or starts(p, size, b"-MASTERDOWN", 11) or starts(p, size, b"-REDIRECT", 9))

cdef bint exec_not_run(const uint8_t* p, size_t size) noexcept nogil:
    """Tell whether EXEC's reply says the same: nothing of the transaction ran."""
    if size < 45 or memcmp(p, b"-EXECABORT Transaction discarded because of: ", 45) != 0:
        return False
    p, size = p + 45, size - 45
    return (memcmp(p, b"READONLY", 8) == 0 if size > 8 else False) or (
        memcmp(p, b"LOADING", 7) == 0 if size > 7 else False) or (
        memcmp(p, b"MASTERDOWN", 10) == 0 if size > 10 else False)

cdef void begin_collecting(Core* core, Upstream* u) noexcept nogil:
    """Send nothing more on a master's connection; what it refuses waits for the next one."""
    if u.collecting or u.place:
        return
    if core.groups[u.group].collecting:
        end_doubtful(core, u)
    u.collecting = True
    u.collect_until = core.now + core.grace
    core.groups[u.group].collecting += 1
    if u.current:
        u.current = False
        take_spare(core, u.group, 0)

cdef void end_doubtful(Core* core, Upstream* u) noexcept nogil:
    """Close clients that have something on two masters that are none: in what order it would run is open."""
    cdef Upstream* other = core.upstreams
    cdef uint32_t i = u.first
    while i != u.last:
        u.slots[i & (u.slots_room - 1)].client.twice = True
        i += 1
    while other != NULL:
        i = other.first
        while other.collecting and other.group == u.group and i != other.last:
            if other.slots[i & (other.slots_room - 1)].client.twice:
                doom(core, other.slots[i & (other.slots_room - 1)].client, BY_SERVER)
            i += 1
        other = other.next
    i = u.first
    while i != u.last:
        u.slots[i & (u.slots_room - 1)].client.twice = False
        i += 1

cdef int64_t header(const uint8_t* p, const uint8_t* end, const uint8_t** behind) noexcept nogil:
    """Read the number behind a type byte; -1 for a null, BROKEN and UNFINISHED by `behind` NULL."""
    cdef int64_t n = 0
    cdef const uint8_t* start = p
    cdef bint negative = False
    behind[0] = NULL
    if p < end and p[0] == 45:
        negative = True
        p += 1
    while p < end and 48 <= p[0] <= 57:
        if p - start > 14:
            return BROKEN
        n = n * 10 + (p[0] - 48)
        p += 1
    if p >= end:
        return UNFINISHED
    if p[0] != 13 or p - start == negative or (negative and n != 1):
        return BROKEN
    if p + 1 >= end:
        return UNFINISHED
    if p[1] != 10:
        return BROKEN
    behind[0] = p + 2
    return -1 if negative else n

cdef int take_line(Upstream* u, const uint8_t* p, const uint8_t* end, const uint8_t** behind) noexcept nogil:
    """Take one line of a reply: 1 (`behind` is set), UNFINISHED, BROKEN."""
    cdef int kind = p[0]
    cdef const uint8_t* line
    cdef int64_t n = 0
    cdef bint top = u.need == 0
    if kind == 43 or kind == 45 or kind == 58 or kind == 95 or kind == 35 or kind == 44 or kind == 40:
        # + - : _ # , (
        line = <const uint8_t*>memchr(p, 10, <size_t>(end - p))
        if line == NULL:
            if end - p <= (RECEIVE // 4 if kind == 45 else LINE):
                return UNFINISHED
            u.in_line = True
            line = end - 1
        behind[0] = line + 1
    elif kind == 36 or kind == 42 or kind == 37 or kind == 126 or kind == 61 or kind == 33 or kind == 124:
        # $ * % ~ = ! |
        n = header(p + 1, end, behind)
        if behind[0] == NULL:
            return <int>n
    else:
        return BROKEN
    if top:
        u.need = 1
        u.error = kind == 45
    u.need -= 1
    if n > 0 and (kind == 36 or kind == 61 or kind == 33):
        u.skip = <uint64_t>n + 2
    elif n == 0 and (kind == 36 or kind == 61 or kind == 33):
        u.skip = 2
    elif n > 0 and (kind == 42 or kind == 126):
        u.need += <uint64_t>n
    elif n > 0 and kind == 37:
        u.need += 2 * <uint64_t>n
    elif kind == 124:                                 # attributes, then the reply itself
        u.need += (2 * <uint64_t>n if n > 0 else 0) + 1
    return BROKEN if u.need > (<uint64_t>1 << 50) else 1

cdef size_t upstream_input(Core* core, Upstream* u, const uint8_t* p, size_t size) noexcept nogil:
    """Take bytes; return how many at the end are an unfinished line, to be kept; all ones: out of step."""
    cdef const uint8_t* end = p + size
    cdef const uint8_t* start = p                     # of what has not been passed on
    cdef const uint8_t* line = NULL
    cdef uint64_t step
    cdef int got
    u.moved = core.now
    while p < end:
        if u.skip:
            step = <uint64_t>(end - p)
            if step > u.skip:
                step = u.skip
            p += step
            u.skip -= step
        elif u.in_line:
            line = <const uint8_t*>memchr(p, 10, <size_t>(end - p))
            u.in_line = line == NULL
            p = end if line == NULL else line + 1
        else:
            if u.need == 0 and not expected(u):
                return <size_t>-1
            got = take_line(u, p, end, &line)
            if got == UNFINISHED:
                break
            if got == BROKEN:
                return <size_t>-1
            p = line
        if u.need == 0 and u.skip == 0 and not u.in_line:
            reply_done(core, u, start, <size_t>(p - start))
            start = p
    if p > start:
        reply_part(core, u, start, <size_t>(p - start))
    return <size_t>(end - p)

cdef inline bint expected(Upstream* u) noexcept nogil:
    """Tell whether a reply may come: its request is wholly sent, of a block a part."""
    if u.first == u.last:
        return False
    return u.head + head_slot(u).size <= u.sent or (head_slot(u).owed > 1 and u.head < u.sent)

cdef inline bint dropped(Upstream* u, Slot* slot) noexcept nogil:
    """Tell whether the reply at hand is not for the client, since its request is sent again or was before."""
    return slot.refused or slot.over or slot.silent > 0 or (u.collecting and only_reads(slot) and not slot.partial)

cdef inline bint only_reads(Slot* slot) noexcept nogil:
    return slot.kind == READ or (slot.kind == BLOCK and slot.flags & EVERYTHING == 0)

cdef void reply_part(Core* core, Upstream* u, const uint8_t* p, size_t size) noexcept nogil:
    cdef Slot* slot = head_slot(u)
    if dropped(u, slot):
        return
    heard(core, u, slot)
    slot.partial = True
    slot.passed += size
    deliver(core, slot.client, slot.seq, p, size, False, True)

cdef void reply_done(Core* core, Upstream* u, const uint8_t* p, size_t size) noexcept nogil:
    cdef Slot* slot = head_slot(u)
    cdef bint refused = u.error and not slot.partial and not_run(p, size)
    if u.stuck or u.late:
        u.stuck = u.late = False
        wake_held(core, u.group)
    if slot.over:
        if slot.owed == 1:
            settle(core, u, slot, True)
            log_drop(core, u)
        else:
            slot.owed -= 1
        return
    if slot.kind == BLOCK:
        if slot.owed == 1 and u.error and not slot.partial:
            refused = exec_not_run(p, size)
        block_reply(core, u, slot, p, size, refused and in_time(core, slot))
    elif u.place and u.error and not slot.partial:
        core.retries += 1
        if not ((refused or starts(p, size, b"-BUSY", 5)) and read_elsewhere(core, u, slot)):
            send_again(core, u, slot)
        log_drop(core, u)
    elif (refused and in_time(core, slot)) or (u.collecting and slot.kind == READ and not slot.partial):
        if refused:
            remember_refusal(core, u, slot, p, size)
        begin_collecting(core, u)
        send_again(core, u, slot)
        log_drop(core, u)
    else:
        finish(core, u, slot, p, size)
    if refused:
        tell(core, REFUSED, u.group, u.place, 0)

cdef inline bint in_time(Core* core, Slot* slot) noexcept nogil:
    """Tell whether a refused request may still wait for a server that takes it."""
    return core.now - slot.since <= core.failover_wait

cdef inline void remember_refusal(Core* core, Upstream* u, Slot* slot, const uint8_t* p, size_t size) noexcept nogil:
    """Its client is to hear these words should nobody take it."""
    cdef Group* group = &core.groups[u.group]
    if size <= REFUSAL:
        memcpy(group.refusal, p, size)
        group.refusal_size = size
        slot.refused_before = True

cdef void finish(Core* core, Upstream* u, Slot* slot, const uint8_t* p, size_t size) noexcept nogil:
    """The last bytes of a reply: marks and floor first, then the client hears."""
    cdef Client* c = slot.client
    cdef uint32_t seq = slot.seq
    if u.collecting and c.moved and is_write(slot):
        doom(core, c, BY_SERVER)                                 # it ran where what was before it was refused
    heard(core, u, slot)
    settle(core, u, slot, False)
    slot.passed += size
    count(core, u, slot, u.error)
    if u.error and not slot.partial:
        count_word(core, p, size)
    log_drop(core, u)
    deliver(core, c, seq, p, size, True, True)
    if c.state == CLOSED:
        make_dirty(core, c)

cdef void block_reply(Core* core, Upstream* u, Slot* slot, const uint8_t* p, size_t size, bint refused) noexcept nogil:
    """One reply of a MULTI .. EXEC block."""
    slot.owed -= 1
    if refused:
        begin_collecting(core, u)
        slot.refused = True
    elif u.collecting and only_reads(slot) and not slot.partial:
        slot.refused = True
    if slot.owed == 0 and slot.refused:
        if refused or only_reads(slot) or (u.error and starts(p, size, b"-EXECABORT", 10)):
            send_again(core, u, slot)
        else:
            doom(core, slot.client, BY_SERVER)                   # it ran after all
            settle(core, u, slot, True)
        log_drop(core, u)
    elif slot.owed == 0:
        finish(core, u, slot, p, size)
    elif slot.silent:
        slot.silent -= 1
    elif not slot.refused:
        slot.told += 1
        slot.partial = False
        deliver(core, slot.client, slot.seq, p, size, False, True)
