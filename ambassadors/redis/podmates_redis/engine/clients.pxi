# Clients come and go.

cdef Client* new_client(Core* core, int fd, uint64_t id, uint32_t group) noexcept nogil:
    """Return a client; NULL: no memory."""
    cdef Client* c = <Client*>calloc(1, sizeof(Client))
    if c == NULL:
        return NULL
    core.memory += sizeof(Client)
    c.what = IS_CLIENT
    c.fd, c.id, c.group = fd, id, group
    c.born = c.heard = core.now
    c.command = NOTHING
    c.reading = True
    c.window = core.window
    c.next = core.clients.next
    c.previous = &core.clients
    c.next.previous = c
    core.clients.next = c
    core.client_count += 1
    return c

cdef void leave_list(Core* core, Client* c) noexcept nogil:
    """It is no client of this side any more."""
    if c.next == NULL:
        return
    c.previous.next = c.next
    c.next.previous = c.previous
    c.next = c.previous = NULL
    core.client_count -= 1
    if c.place:
        core.places[c.place].clients -= 1
        c.place = 0

cdef inline bint owed(Client* c) noexcept nogil:
    """Tell whether anything of it is on its way, or not with it yet."""
    return inflight(c) > 0 or c.output_size > 0 or c.fresh_size > 0

cdef inline bint unused(Client* c) noexcept nogil:
    """Tell whether no slot points at it."""
    return c.at_master == 0 and c.at_replica == 0

cdef void free_output(Core* core, Client* c) noexcept nogil:
    core.memory -= c.output_room
    free(c.output)
    c.output = NULL
    c.output_size = c.output_start = c.output_room = 0
    c.fresh_size = 0
    c.unpaced = False

cdef void free_input(Core* core, Client* c) noexcept nogil:
    core.memory -= c.input_room
    free(c.input)
    c.input = NULL
    c.input_size = c.input_room = 0

cdef void free_client(Core* core, Client* c) noexcept nogil:
    """Only when it is unused and no event of this turn can point at it."""
    leave_list(core, c)
    free_output(core, c)
    free_input(core, c)
    free_parked(core, c)
    core.memory -= sizeof(Client)
    free(c)

cdef bint keep_input(Core* core, Client* c, const uint8_t* p, size_t size) noexcept nogil:
    """Keep what was not used, *p* may be in `input` itself; False: no memory."""
    cdef uint8_t* grown
    if size == 0:
        free_input(core, c)
        return True
    if size > c.input_room:
        if over_limit(core):
            return False
        grown = <uint8_t*>malloc(size)
        if grown == NULL:
            return False
        memcpy(grown, p, size)
        free_input(core, c)
        core.memory += size
        c.input = grown
        c.input_room = <uint32_t>size
    else:
        memmove(c.input, p, size)
    c.input_size = <uint32_t>size
    return True

cdef int take_input(Core* core, Client* c, const uint8_t* p, size_t size, bint last) noexcept nogil:
    """Take what came from a client, whatever of it was kept included; what it says is what client_input() says."""
    cdef size_t used = 0
    cdef int result
    if c.output_size - c.output_start > core.unread:
        result = LEAVE                                # its later commands get a connection of their own
    else:
        result = client_input(core, c, p, size, last, &used)
    if result == FAIL or not keep_input(core, c, p + used, size - used):
        doom(core, c, TOOK_TOO_LITTLE)
    elif result == LEAVE:
        c.state = LEAVING
        make_dirty(core, c)
    return result

cdef inline int try_again(Core* core, Client* c) noexcept nogil:
    """What it waited for has come."""
    c.resumed = False
    if c.state != OPEN or c.hold == 0:
        return FINE
    return take_input(core, c, c.input, c.input_size, True)
