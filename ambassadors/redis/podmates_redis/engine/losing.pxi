# Connections that are lost, replaced or given up: each request on them gets exactly one reply, or its
# client is closed; never a reply of another request.

cdef void upstream_lost(Core* core, Upstream* u) noexcept nogil:
    """Its descriptor is closed."""
    cdef Slot* slot
    u.fd = -1
    if u.paused_for != NULL:
        u.paused_for.pauses -= 1
        u.paused_for = NULL
    tell(core, UPSTREAM_LOST, u.group, u.place, u.current)
    if u.current:
        u.current = False
        if u.place:
            core.groups[u.group].current[u.place] = NULL
        else:
            take_spare(core, u.group, 0)
    if u.place == 0:
        wake_held(core, u.group)
    while u.first != u.last:
        slot = head_slot(u)
        lose_slot(core, u, slot, u.head + slot.size <= u.sent)
        log_drop(core, u)
    u.sent = u.tail
    u.need = u.skip = 0
    u.in_line = False
    u.received_size = 0

cdef void lose_slot(Core* core, Upstream* u, Slot* slot, bint sent) noexcept nogil:
    """*sent*: the whole request is with the kernel, so it may have run."""
    cdef Client* c = slot.client
    cdef uint32_t seq = slot.seq
    if slot.over:
        settle(core, u, slot, True)
    elif slot.partial and not (slot.kind != BLOCK and take_back(core, c, seq)):
        doom(core, c, BY_SERVER)
        settle(core, u, slot, True)
    elif c.state >= DOOMED and slot.kind == READ:
        settle(core, u, slot, False)
        make_dirty(core, c)
    elif not sent or ((u.place or only_reads(slot) or slot.flags & REPEATABLE) and try_once_more(core, slot)):
        if not (u.place and read_elsewhere(core, u, slot)):
            send_again(core, u, slot)
    elif slot.kind == BLOCK:
        doom(core, c, BY_SERVER)  # it may have run, and no error says so to every library
        settle(core, u, slot, True)
    elif core.close_unknown and u.place == 0:
        core.lost += 1
        doom(core, c, BY_SERVER)
        settle(core, u, slot, True)
    else:
        core.lost += 1
        settle(core, u, slot, True)
        count(core, u, slot, True)
        deliver(core, c, seq, core.lost_text, core.lost_size, True, False)
    if c.state == CLOSED:
        make_dirty(core, c)

cdef bint try_once_more(Core* core, Slot* slot) noexcept nogil:
    """Count one more try; False: it has had its tries, or the whole process its retries."""
    if slot.tries >= core.most_tries or core.credit < 5:
        return False
    core.credit -= 5
    slot.tries += 1
    return True

cdef void give_up(Core* core, uint32_t group, const uint8_t* to_read, size_t read_size, const uint8_t* to_write,
                  size_t write_size) noexcept nogil:
    """Nobody came to send to within the time: answer what waits for a master of *group*."""
    cdef Upstream* u = core.groups[group].current[0]
    cdef Slot* slot
    cdef Client* c
    cdef uint32_t seq, left
    cdef bint reads, refused
    if u.fd != -1:
        return
    while u.first != u.last:
        slot = head_slot(u)
        c, seq, left, reads = slot.client, slot.seq, slot.replies - slot.told, slot.kind == READ
        refused = slot.refused_before
        settle(core, u, slot, False)
        count(core, u, slot, True)
        log_drop(core, u)
        while left:
            left -= 1
            if refused:
                deliver(core, c, seq, core.groups[group].refusal, core.groups[group].refusal_size, left == 0, False)
            elif reads:
                deliver(core, c, seq, to_read, read_size, left == 0, False)
            else:
                deliver(core, c, seq, to_write, write_size, left == 0, False)
        if c.state == CLOSED:
            make_dirty(core, c)

cdef bint connected(Core* core, uint32_t group, uint32_t place, int fd) noexcept nogil:
    """A connection stands: it takes what waits, or takes over from one that is stuck. False: no memory."""
    cdef Upstream* u = core.groups[group].current[place]
    cdef Upstream* old = NULL
    cdef uint8_t* received
    if not keep_spare(core, group):
        return False
    received = <uint8_t*>take_memory(core, RECEIVE)
    if received == NULL:
        return False
    if u == NULL or u.fd != -1:
        if u != NULL:
            u.current = False
        old, u = u, take_spare(core, group, place)
    give_memory(core, u.received, RECEIVE)
    u.received = received
    u.fd = fd
    u.wants_write = u.stuck = u.late = u.hopeless = False
    u.received_size = 0
    u.moved = core.now
    u.sent = u.head
    mark_waiting(core, u)
    if old != NULL and old.paused_for != NULL:
        ask_anew(core, old, u)
        old.paused_at = core.now                      # from now on it matters who is left behind
    if place == 0:
        wake_held(core, group)
    return True

cdef void mark_waiting(Core* core, Upstream* u) noexcept nogil:
    """What has waited is sent now, so its writes are marked now."""
    cdef uint32_t i = u.first
    cdef uint64_t head = u.head
    cdef Slot* slot
    cdef Request r
    while i != u.last:
        slot = &u.slots[i & (u.slots_room - 1)]
        slot.began = core.now
        if is_write(slot):
            read_again(core, u, slot, &r)
            slot.generation = mark_sent(core)
        u.head += slot.size                           # read_again() looks at the head
        i += 1
    u.head = head

cdef void moved_away(Core* core, uint32_t group) noexcept nogil:
    """Another server is the master of *group* now: take what the old connections owe, send no more there."""
    cdef Upstream* u = core.upstreams
    while u != NULL:
        if u.group == group and u.place == 0 and u.fd != -1:
            begin_collecting(core, u)
        u = u.next

cdef inline bint collected(Core* core, Upstream* u) noexcept nogil:
    """Tell whether a connection that is given up owes nothing more, or had its time; what is unsent stays."""
    return u.first == u.last or u.head + head_slot(u).size > u.sent or core.now > u.collect_until

cdef void check_times(Core* core) noexcept nogil:
    """Find connections whose oldest request is unanswered for long, and requests that had their time."""
    cdef Upstream* u = core.upstreams
    cdef Slot* slot
    cdef uint64_t since
    while u != NULL:
        if u.paused_for != NULL:
            u.moved = core.now                        # it is not the server that takes long
            hold_no_longer(core, u)
        elif u.fd != -1 and u.first != u.last:
            slot = head_slot(u)
            since = slot.since if slot.since > u.moved else u.moved
            if u.current and not u.stuck and core.now - since > STUCK_AFTER:
                u.stuck = True
                tell(core, STUCK, u.group, u.place, 0)
            if core.patience and u.place and core.now - since > core.patience // 2:
                core.retries += 1
                u.hopeless = True                     # its reads have as long at the master
                tell(core, LATE_REPLY, u.group, u.place, 0)
            elif core.patience:
                end_late(core, u)
        elif core.patience and u.first != u.last:
            end_waiting(core, u)
        u = u.next

cdef void say_late(Core* core, Upstream* u, Slot* slot) noexcept nogil:
    if slot.kind == BLOCK:
        doom(core, slot.client, BY_SERVER)
    elif slot.refused_before:
        deliver(core, slot.client, slot.seq, core.groups[u.group].refusal, core.groups[u.group].refusal_size,
                True, False)
    else:
        deliver(core, slot.client, slot.seq, core.late_text, core.late_size, True, False)

cdef void end_late(Core* core, Upstream* u) noexcept nogil:
    """Tell clients whose requests took too long; what comes for them later is dropped.

    A connection that has nothing else on it is given up.
    """
    cdef uint32_t i = u.first
    cdef bint only_late = True
    cdef Slot* slot
    while i != u.last:
        slot = &u.slots[i & (u.slots_room - 1)]
        i += 1
        if slot.over:
            continue
        if core.now - slot.since <= core.patience or core.now - u.moved <= core.patience and slot.partial:
            only_late = False
            continue
        slot.over = True
        if slot.partial:
            doom(core, slot.client, BY_SERVER)
        else:
            say_late(core, u, slot)
        if not u.late:
            u.late = True
            tell(core, LATE_REPLY, u.group, u.place, 0)
    if only_late:
        u.hopeless = True

cdef void end_waiting(Core* core, Upstream* u) noexcept nogil:
    """Answer what has waited too long for a connection, without sending it."""
    cdef uint32_t left = u.last - u.first, i = u.first
    cdef Slot* slot
    cdef Slot* moved
    cdef Client* c
    cdef bint any_late = False
    while i != u.last:
        any_late = any_late or core.now - u.slots[i & (u.slots_room - 1)].since > core.patience
        i += 1
    while any_late and left:
        left -= 1
        slot = head_slot(u)
        if core.now - slot.since > core.patience:
            say_late(core, u, slot)
            c = slot.client
            settle(core, u, slot, False)
            count(core, u, slot, True)
            if c.state == CLOSED:
                make_dirty(core, c)
        else:                                         # to the end: all keep their order
            log_copy(u, u.head, core.scratch, slot.size)
            if not log_room(core, u, slot.size):
                doom(core, slot.client, BY_SERVER)
                settle(core, u, slot, False)
            else:
                slot = head_slot(u)
                moved = log_append(u, core.scratch, slot.size)
                moved[0] = head_slot(u)[0]
        log_drop(core, u)
    u.sent = u.head
