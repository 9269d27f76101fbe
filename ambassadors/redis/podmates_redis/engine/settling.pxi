# What follows when a request is answered, or never will be: marks, floor, counts, and its client goes on.

cdef void tell(Core* core, int what, uint32_t group, uint32_t place, uint64_t id) noexcept nogil:
    """Leave an event for Python."""
    cdef Event* grown
    cdef uint32_t room = core.event_room
    if core.event_count == room:
        room = room * 2 if room else 64
        grown = <Event*>realloc(core.events, room * sizeof(Event))
        if grown == NULL:
            core.events_lost = True
            return
        core.events = grown
        core.event_room = room
    core.events[core.event_count].what = what
    core.events[core.event_count].group = group
    core.events[core.event_count].place = place
    core.events[core.event_count].id = id
    core.event_count += 1

cdef void read_again(Core* core, Upstream* u, Slot* slot, Request* r) noexcept nogil:
    """Understand the oldest request of *u* anew, from a copy of its bytes in `scratch`."""
    cdef const uint8_t* name = NULL
    cdef uint32_t need = 0
    cdef int size = 0
    log_copy(u, u.head, core.scratch, slot.size)
    r.start = core.scratch
    r.key = NULL
    if slot.kind == BLOCK or next_request(core.scratch, core.scratch + slot.size, r, &need, &name, &size) != 1:
        r.size = slot.size
        r.words = 1
    r.command = &core.commands[slot.command]
    r.kind, r.flags = slot.kind, slot.flags
    keys_of(core, core.groups[u.group].database, r)

cdef inline bint is_write(Slot* slot) noexcept nogil:
    return slot.kind == WRITE or slot.kind == BLOCK

cdef inline void heard(Core* core, Upstream* u, Slot* slot) noexcept nogil:
    """The client is about to see (the beginning of) a reply that may tell about others' writes."""
    if slot.flags & ACQUIRES and u.place == 0:
        core.floor = core.generation

cdef void settle(Core* core, Upstream* u, Slot* slot, bint unknown) noexcept nogil:
    """The oldest request of *u* has its reply; *unknown*: it may have run, or may run yet."""
    cdef Client* c = slot.client
    cdef Request r
    if u.place:
        read_done(core, c)
        return
    c.at_master -= 1
    if c.at_master == 0:
        c.moved = False
    if is_write(slot):
        c.writes -= 1
        if slot.generation > c.oldest_write:
            c.oldest_write = slot.generation
        if slot.generation and (not mark_settled(core, slot.generation) or unknown):
            read_again(core, u, slot, &r)
            mark_now(core)

cdef void read_done(Core* core, Client* c) noexcept nogil:
    c.at_replica -= 1
    if c.at_replica == 0:
        memset(c.bits, 0, 32)
        if c.hold == FOR_READS:
            c.resumed = True
            make_dirty(core, c)

cdef Upstream* another_replica(Core* core, Upstream* u) noexcept nogil:
    """Return the connection to another replica that may answer a read of the keys at hand; NULL: none may."""
    cdef Group* group = &core.groups[u.group]
    cdef Place* place
    cdef int i
    for i in range(1, PLACES):
        place = &core.places[i]
        if <uint32_t>i == u.place or not place.usable or group.current[i] == NULL or group.current[i].stuck:
            continue
        if not core.prove_marks or (
                needed(core) <= place.covered and (not core.prove_floor or core.floor <= place.covered)):
            return group.current[i]
    return NULL

cdef bint read_elsewhere(Core* core, Upstream* u, Slot* slot) noexcept nogil:
    """Ask another replica what this one has not answered, once; False: there is none."""
    cdef Client* c = slot.client
    cdef Upstream* to
    cdef Request r
    if slot.elsewhere or not core.reads_allowed or c.state >= DOOMED:
        return False
    read_again(core, u, slot, &r)
    to = another_replica(core, u)
    if to == NULL or not log_room(core, to, slot.size):
        return False
    log_append(to, core.scratch, slot.size)[0] = slot[0]
    slot = &to.slots[(to.last - 1) & (to.slots_room - 1)]
    slot.elsewhere, slot.partial, slot.began = True, False, core.now
    bits_of(core, c.bits)
    c.replica = to
    if c.place:
        core.places[c.place].clients -= 1
    c.place = <uint8_t>to.place
    core.places[c.place].clients += 1
    core.resent += 1
    return True

cdef bint send_again(Core* core, Upstream* u, Slot* slot) noexcept nogil:
    """Send the oldest request of *u* to the master, (again); its turn among its client's replies stays."""
    cdef Client* c = slot.client
    cdef Upstream* to = core.groups[u.group].current[0]
    cdef Slot* again
    cdef Request r
    if u.place and c.at_master and not c.master.collecting:
        to = c.master
    if not log_room(core, to, slot.size):
        doom(core, c, BY_SERVER)
        settle(core, u, slot, True)
        return False
    if slot.generation:
        mark_settled(core, slot.generation)           # it did not run
    read_again(core, u, slot, &r)
    again = log_append(to, core.scratch, slot.size)
    again[0] = slot[0]
    again.generation = mark_sent(core) if is_write(slot) and to.fd != -1 else 0
    again.began = core.now if to.fd != -1 else 0
    again.owed, again.silent = slot.replies, slot.told
    again.partial = again.refused = False
    if u.place:
        again.reason = WHY_RETRY
        read_done(core, c)
        c.at_master += 1
    elif u.collecting:
        c.moved = True
    c.master = to
    core.resent += 1
    return True
