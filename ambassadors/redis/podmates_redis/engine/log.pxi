# What is on its way to a server: the bytes of requests, in a ring, until their replies are complete, and
# their slots in the order of sending. So a request that was refused or lost can be sent again.

cdef inline void* take_memory(Core* core, size_t size) noexcept nogil:
    cdef void* found = malloc(size)
    if found != NULL:
        core.memory += size
    return found

cdef inline void give_memory(Core* core, void* what, size_t size) noexcept nogil:
    if what != NULL:
        core.memory -= size
        free(what)

cdef inline bint over_limit(Core* core) noexcept nogil:
    return core.memory_limit != 0 and core.memory > core.memory_limit

cdef void log_copy(Upstream* u, uint64_t position, uint8_t* to, uint64_t size) noexcept nogil:
    """Copy part of the ring to a place that is not one."""
    cdef uint64_t at = position & (u.log_room - 1), step = u.log_room - at
    if step > size:
        step = size
    memcpy(to, u.log + at, step)
    memcpy(to + step, u.log, size - step)

cdef void log_fill(Upstream* u, uint64_t position, const uint8_t* p, uint64_t size) noexcept nogil:
    cdef uint64_t at = position & (u.log_room - 1), step = u.log_room - at
    if step > size:
        step = size
    memcpy(u.log + at, p, step)
    memcpy(u.log, p + step, size - step)

cdef bint log_room(Core* core, Upstream* u, size_t size) noexcept nogil:
    """Make room for one more request; False: no memory."""
    cdef uint64_t room = u.log_room, used = u.tail - u.head, at, step, left
    cdef uint8_t* grown
    if used + size > room:
        room = room * 2 if room else 16384
        while used + size > room:
            room *= 2
        grown = <uint8_t*>take_memory(core, room)
        if grown == NULL:
            return False
        at, left = u.head, used
        while left:
            step = u.log_room - (at & (u.log_room - 1))
            if step > room - (at & (room - 1)):
                step = room - (at & (room - 1))
            if step > left:
                step = left
            memcpy(grown + (at & (room - 1)), u.log + (at & (u.log_room - 1)), step)
            at += step
            left -= step
        give_memory(core, u.log, u.log_room)
        u.log = grown
        u.log_room = room
    return slot_room(core, u)

cdef bint slot_room(Core* core, Upstream* u) noexcept nogil:
    cdef uint32_t room = u.slots_room, i
    cdef Slot* grown
    if u.last - u.first < room:
        return True
    room = room * 2 if room else 64
    grown = <Slot*>take_memory(core, room * sizeof(Slot))
    if grown == NULL:
        return False
    i = u.first
    while i != u.last:
        grown[i & (room - 1)] = u.slots[i & (u.slots_room - 1)]
        i += 1
    give_memory(core, u.slots, u.slots_room * sizeof(Slot))
    u.slots = grown
    u.slots_room = room
    return True

cdef inline Slot* log_append(Upstream* u, const uint8_t* p, uint32_t size) noexcept nogil:
    """Add a request, for which there must be room; return its slot, to be filled."""
    log_fill(u, u.tail, p, size)
    u.tail += size
    u.last += 1
    return &u.slots[(u.last - 1) & (u.slots_room - 1)]

cdef inline Slot* head_slot(Upstream* u) noexcept nogil:
    return &u.slots[u.first & (u.slots_room - 1)]

cdef inline void log_drop(Core* core, Upstream* u) noexcept nogil:
    """Forget the oldest request; give large rings back when they are empty."""
    u.head += head_slot(u).size
    u.first += 1
    if u.first == u.last and u.log_room > 262144:
        give_memory(core, u.log, u.log_room)
        u.log = NULL
        u.log_room = 0
    if u.first == u.last and u.slots_room > 4096:
        give_memory(core, u.slots, u.slots_room * sizeof(Slot))
        u.slots = NULL
        u.slots_room = 0

cdef bint keep_spare(Core* core, uint32_t group) noexcept nogil:
    """Have an upstream at hand; False: no memory."""
    if core.groups[group].spare == NULL:
        core.groups[group].spare = <Upstream*>calloc(1, sizeof(Upstream))
    return core.groups[group].spare != NULL

cdef Upstream* take_spare(Core* core, uint32_t group, uint32_t place) noexcept nogil:
    """Make the spare upstream the current one of *place*; it has no connection yet, what is sent to it waits."""
    cdef Upstream* u = core.groups[group].spare
    core.groups[group].spare = NULL
    u.what = IS_UPSTREAM
    u.fd = -1
    u.group, u.place, u.current = group, place, True
    u.next = core.upstreams
    core.upstreams = u
    core.groups[group].current[place] = u
    keep_spare(core, group)
    return u

cdef void free_upstream(Core* core, Upstream* u) noexcept nogil:
    give_memory(core, u.log, u.log_room)
    give_memory(core, u.slots, u.slots_room * sizeof(Slot))
    give_memory(core, u.received, RECEIVE)
    free(u)

cdef void retire_empty(Core* core) noexcept nogil:
    """Move upstreams that nobody needs any more to `dead_upstreams`, whose descriptors the loop closes."""
    cdef Upstream** at = &core.upstreams
    cdef Upstream* u
    while at[0] != NULL:
        u = at[0]
        if u.current or u.first != u.last:
            at = &u.next
            continue
        at[0] = u.next
        if u.place == 0:
            forget_master(core, u)
        u.next = core.dead_upstreams
        core.dead_upstreams = u
        if u.collecting and u.place == 0:
            core.groups[u.group].collecting -= 1
            u.collecting = False
            wake_held(core, u.group)

cdef void forget_master(Core* core, Upstream* u) noexcept nogil:
    """Let no client point at a connection that goes; what it still has on its way is on another one."""
    cdef Client* c = core.clients.next
    while c != &core.clients:
        if c.master == u:
            c.master = core.groups[u.group].current[0]
        c = c.next

cdef void wake_held(Core* core, uint32_t group) noexcept nogil:
    """Let clients of *group* go on that wait for its master."""
    cdef Client* c = core.clients.next
    while c != &core.clients:
        if c.group == group and c.hold == FOR_MASTER:
            c.resumed = True
            make_dirty(core, c)
        c = c.next
