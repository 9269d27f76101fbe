# A client that takes less than it is owed: what it asked behind that is given back to it, to be asked again on a
# connection of its own. Only a long reply that has begun keeps its connection waiting; others go on elsewhere.

cdef inline size_t untaken(Client* c) noexcept nogil:
    return c.output_size - c.output_start

cdef inline bint piles_up(Core* core, Client* c, Slot* slot) noexcept nogil:
    """Tell whether the client has more than enough of such replies as *slot* brings."""
    if c.unpaced:
        return False
    if slot.seq == c.head_seq:
        return untaken(c) > core.unread
    return c.parked_bytes > EARLY * core.unread

cdef inline bint ends_soon(Core* core, Upstream* u) noexcept nogil:
    """Tell whether the rest of the reply at hand is little enough to be kept, as far as that is known."""
    cdef Slot* slot = head_slot(u)
    return slot.over or (slot.seq == slot.client.head_seq and untaken(slot.client) + u.skip <= KEPT * core.unread)

cdef uint32_t first_recalled(Upstream* u, uint64_t* at, size_t* size) noexcept nogil:
    """Return from which slot on the client whose turn it is has only reads, its last requests; where that stands in
    the log, and how many bytes they are."""
    cdef Client* c = head_slot(u).client
    cdef uint32_t i = u.last, first = u.last, seq = c.next_seq
    cdef uint32_t stop = u.first + 1 if head_slot(u).partial else u.first
    cdef uint64_t position = u.tail
    cdef Slot* slot
    while i != stop:
        i -= 1
        slot = &u.slots[i & (u.slots_room - 1)]
        position -= slot.size
        if slot.client == c:
            if slot.kind != READ or slot.seq != seq - 1:
                break
            seq -= 1
            size[0] += slot.size
            first, at[0] = i, position
    return first

cdef void recall(Core* core, Upstream* u) noexcept nogil:
    """Give the client whose turn it is those reads back that have not begun to be answered; what comes for them is
    dropped."""
    cdef Client* c = head_slot(u).client
    cdef uint64_t at = 0
    cdef size_t size = 0, used = 0
    cdef uint32_t i = first_recalled(u, &at, &size)
    cdef Slot* slot
    cdef uint8_t* input
    if size == 0 or over_limit(core):
        return
    input = <uint8_t*>malloc(size + c.input_size)
    if input == NULL:
        return
    while i != u.last:
        slot = &u.slots[i & (u.slots_room - 1)]
        if slot.client == c:
            log_copy(u, at, input + used, slot.size)
            used += slot.size
            slot.client, slot.over = &core.nobody, True
            c.next_seq -= 1
            if u.place:
                c.at_replica -= 1
            else:
                c.at_master -= 1
        at += slot.size
        i += 1
    memcpy(input + used, c.input, c.input_size)
    used += c.input_size
    free_input(core, c)
    core.memory += used
    c.input, c.input_size, c.input_room = input, <uint32_t>used, <uint32_t>used
    if c.state == OPEN:
        c.state = LEAVING
    make_dirty(core, c)

cdef void ask_anew(Core* core, Upstream* old, Upstream* u) noexcept nogil:
    """Ask on *u* what others have asked on *old*, which waits for one client: as far as they only read."""
    cdef uint32_t i = old.first
    cdef uint64_t head = old.head
    cdef Slot* slot
    cdef Client* c
    while i != old.last:
        slot = &old.slots[i & (old.slots_room - 1)]
        if slot.kind != READ or slot.partial:
            slot.client.twice = True
        i += 1
    old.paused_for.twice = True
    i = old.first
    while i != old.last:
        slot = &old.slots[i & (old.slots_room - 1)]
        c = slot.client
        if not slot.over and not c.twice and log_room(core, u, slot.size):
            log_copy(old, head, core.scratch, slot.size)
            log_append(u, core.scratch, slot.size)[0] = slot[0]
            slot.client, slot.over = &core.nobody, True
            if u.place:
                c.replica = u
            else:
                c.master = u
        head += slot.size
        i += 1
    i = old.first
    while i != old.last:
        old.slots[i & (old.slots_room - 1)].client.twice = False
        i += 1
    old.paused_for.twice = False

cdef void hold_no_longer(Core* core, Upstream* u) noexcept nogil:
    """Read on for a client that may only take its replies once it has sent all, or behind which others wait."""
    cdef Client* c = u.paused_for
    cdef uint32_t i = u.first
    cdef bint others = False
    cdef uint64_t since = c.taken if c.taken > u.paused_at else u.paused_at
    while i != u.last and not others:
        others = u.slots[i & (u.slots_room - 1)].client != c and not u.slots[i & (u.slots_room - 1)].over
        i += 1
    if (others and core.now - u.paused_at > <uint64_t>(ANOTHER if u.current else OTHERS_WAIT)) or (
            c.sending and core.now - since > STUCK_AFTER):
        c.unpaced = True
        make_dirty(core, c)
