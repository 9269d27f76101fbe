# What the loop does with one client, one upstream, one listener.

cdef void where_is(int fd, int listener, uint8_t* where) noexcept nogil:
    """Note family, peer and own name: 16 bytes of an address and two of a port each; by path: the listener's number."""
    cdef uint8_t name[128]
    cdef unsigned int size
    cdef int i
    memset(where, 0, WHERE)
    for i in range(2):
        size = sizeof(name)
        memset(name, 0, sizeof(name))
        if (getpeername(fd, <void*>name, &size) if i == 0 else getsockname(fd, <void*>name, &size)) != 0:
            return
        where[0] = <uint8_t>(<uint16_t*>name)[0]
        if where[0] == AF_UNIX:
            where[1] = <uint8_t>listener
            return
        memcpy(where + 1 + 18 * i, name + (4 if where[0] == AF_INET else 8), 4 if where[0] == AF_INET else 16)
        memcpy(where + 17 + 18 * i, name + 2, 2)

cdef inline bint full(Loop* loop, int fd) noexcept nogil:
    """Tell whether there is no room for one more client, whose descriptor is *fd*."""
    cdef Core* core = loop.core
    cdef rlimit limit
    if getrlimit(RLIMIT_NOFILE, &limit) == 0 and <uint64_t>fd + loop.spare >= limit.rlim_cur:
        return True
    return (core.client_count + loop.elsewhere >= loop.most_clients
            or (core.memory_limit != 0 and core.memory + core.elsewhere > core.memory_limit))

cdef void accept_clients(Loop* loop, Other* listener) noexcept nogil:
    cdef int fd, tries
    cdef Client* c
    for tries in range(ACCEPTED):
        fd = accept4(listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)
        if fd < 0:
            if errno == EMFILE or errno == ENFILE or errno == ENOMEM or errno == ENOBUFS:
                watch_listeners(loop, False)          # else it would be ready for ever
            return
        if full(loop, fd):
            loop.rejected += 1
            send(fd, loop.full_text, loop.full_size, MSG_NOSIGNAL)
            close(fd)
            continue
        loop.core.next_id += 1
        c = new_client(loop.core, fd, loop.core.next_id, loop.newcomers)
        if c == NULL:
            close(fd)
            continue
        loop.accepted += 1
        where_is(fd, <int>(listener - loop.listeners), c.where)
        watch(loop, fd, EPOLLIN, c, EPOLL_CTL_ADD)
        if not loop.keeps:
            c.state = LEAVING
            make_dirty(loop.core, c)

cdef void interest(Loop* loop, Client* c, bint reading, bint wants_write) noexcept nogil:
    if c.fd != -1 and (reading != c.reading or wants_write != c.wants_write):
        c.reading, c.wants_write = reading, wants_write
        watch(loop, c.fd, (EPOLLIN if reading else 0) | (EPOLLOUT if wants_write else 0), c, EPOLL_CTL_MOD)

cdef inline bint may_read(Loop* loop, Client* c) noexcept nogil:
    cdef uint32_t most = loop.most_inflight if c.reading else loop.most_inflight // 2
    return c.state == OPEN and not c.hold and not c.ended and not loop.choked and inflight(c) <= most

cdef void client_event(Loop* loop, Client* c, uint32_t events) noexcept nogil:
    if c.state >= DOOMED:
        return
    if events & EPOLLOUT:
        make_dirty(loop.core, c)
    if not events & (EPOLLIN | EPOLLHUP | EPOLLERR):
        return
    if c.reading:
        receive(loop, c)
        interest(loop, c, may_read(loop, c), c.wants_write)
    elif events & (EPOLLHUP | EPOLLERR):              # gone in both directions
        doom(loop.core, c, ENDED_ITSELF)

cdef void receive(Loop* loop, Client* c) noexcept nogil:
    """Read once; more often only while a block is cut short by the size of our buffer."""
    cdef ssize_t got
    cdef int result = FINE
    while True:
        if c.input_size == 0:
            got = recv(c.fd, loop.scratch, READ_SIZE, 0)
            if got > 0:
                result = take_input(loop.core, c, loop.scratch, <size_t>got, got < READ_SIZE)
        elif not room_for(loop, c):
            return
        else:
            got = recv(c.fd, c.input + c.input_size, READ_SIZE, 0)
            if got > 0:
                c.input_size += <uint32_t>got
            if (got > 0 and c.input_size >= c.input_need) or (got <= 0 and result == MORE):
                result = take_input(loop.core, c, c.input, c.input_size, got < READ_SIZE)
        if got <= 0 or result != MORE:
            break
    if got == 0:                                      # half-closed: it still gets its replies
        c.ended = True
        make_dirty(loop.core, c)
    elif got < 0 and errno != EAGAIN and errno != EINTR:
        doom(loop.core, c, ENDED_ITSELF)

cdef bint room_for(Loop* loop, Client* c) noexcept nogil:
    """Have room behind what is kept of its input; False: no memory, it is doomed."""
    cdef uint8_t* grown = NULL
    cdef uint32_t room = c.input_size + READ_SIZE
    if room <= c.input_room:
        return True
    if not over_limit(loop.core):
        grown = <uint8_t*>realloc(c.input, room)
    if grown == NULL:
        doom(loop.core, c, ENDED_ITSELF)
        return False
    loop.core.memory += room - c.input_room
    c.input = grown
    c.input_room = room
    return True

cdef void flush_clients(Loop* loop) noexcept nogil:
    cdef Core* core = loop.core
    cdef Client* c
    while core.dirty != NULL:
        c = core.dirty
        core.dirty = c.next_dirty
        c.dirty = False
        if c.state <= LEAVING:
            flush_client(loop, c)
        if c.state == DOOMED:
            close_client(loop, c)
        elif c.state == CLOSED and unused(c) and not c.dirty:
            to_grave(core, c)

cdef void flush_client(Loop* loop, Client* c) noexcept nogil:
    """Send what it is owed, keep what the kernel does not take, and let it go on."""
    if c.fresh_size or c.output_size:
        send_output(loop, c)
    if c.pauses:
        read_on(loop, c)
    if c.state == OPEN and c.resumed:
        try_again(loop.core, c)
    if c.state >= DOOMED or c.dirty:                  # dirty again: it comes again
        return
    if c.state == LEAVING and inflight(c) == 0:
        settle_fresh(loop.core, c)                    # Python sends what it has not taken
        if c.state == LEAVING:
            let_go(loop, c)
        return
    if not owed(c) and c.ended and not c.hold:
        doom(loop.core, c, c.why)
        return
    interest(loop, c, may_read(loop, c), c.output_size > 0)

cdef void send_output(Loop* loop, Client* c) noexcept nogil:
    cdef ssize_t n = 0
    cdef size_t size
    if c.output_size and c.fresh_size > DIRECT:       # long: not worth a copy if the socket takes it
        send_kept(loop, c)
    if c.state >= DOOMED:
        return
    if c.output_size == 0 and c.fresh_size:
        size = c.fresh_size
        n = send(c.fd, c.fresh, size, MSG_NOSIGNAL)
        if n < 0 and errno != EAGAIN and errno != EINTR:
            doom(loop.core, c, ENDED_ITSELF)
            return
        if n > 0:
            c.taken = loop.core.now
            c.fresh += n
            c.fresh_size -= <size_t>n
        settle_fresh(loop.core, c)
    elif c.output_size:
        settle_fresh(loop.core, c)
        send_kept(loop, c)

cdef void send_kept(Loop* loop, Client* c) noexcept nogil:
    cdef ssize_t n = send(c.fd, c.output + c.output_start, c.output_size - c.output_start, MSG_NOSIGNAL)
    cdef size_t fresh = c.fresh_size
    if n < 0 and errno != EAGAIN and errno != EINTR:
        doom(loop.core, c, ENDED_ITSELF)
        return
    if n > 0:
        c.taken = loop.core.now
        c.output_start += <size_t>n
    if c.output_start == c.output_size:
        free_output(loop.core, c)
        c.fresh_size = fresh

cdef void let_go(Loop* loop, Client* c) noexcept nogil:
    """It is Python's from here on."""
    cdef uint8_t place = c.place
    epoll_ctl(loop.epoll, EPOLL_CTL_DEL, c.fd, NULL)
    c.state = AWAY
    leave_list(loop.core, c)
    c.place = place
    loop.elsewhere += 1
    c.next_dirty = loop.core.leavers
    loop.core.leavers = c

cdef inline void to_grave(Core* core, Client* c) noexcept nogil:
    c.state = AWAY                                    # so that it is buried once
    c.next_dirty = core.graves
    core.graves = c

cdef void close_client(Loop* loop, Client* c) noexcept nogil:
    close(c.fd)
    c.fd = -1
    c.state = CLOSED
    loop.core.gone[c.why] += 1
    if c.pauses:
        read_on(loop, c)
    if c.known:
        tell(loop.core, LEFT, c.group, c.why, c.id)
    leave_list(loop.core, c)
    free_output(loop.core, c)
    free_input(loop.core, c)
    free_parked(loop.core, c)
    if unused(c) and not c.dirty:
        to_grave(loop.core, c)

cdef inline void heed(Loop* loop, Upstream* u) noexcept nogil:
    """Let the loop know what of the connection is wanted."""
    watch(loop, u.fd, (EPOLLIN if u.paused_for == NULL else 0) | (EPOLLOUT if u.wants_write else 0), u,
          EPOLL_CTL_MOD)

cdef void pace(Loop* loop, Upstream* u) noexcept nogil:
    """Do not read on for a client that does not take its replies; see hold_no_longer()."""
    cdef Client* c
    if u.first == u.last or u.paused_for != NULL:
        return
    c = head_slot(u).client
    if c.state >= DOOMED or not piles_up(loop.core, c, head_slot(u)):
        return
    recall(loop.core, u)
    if ends_soon(loop.core, u):
        return
    if not u.stuck:
        u.stuck = True                                # so nobody comes to stand behind that
        if u.current:
            tell(loop.core, STUCK, u.group, u.place, 0)
    c.pauses += 1
    u.paused_for, u.paused_at = c, loop.core.now
    heed(loop, u)

cdef void read_on(Loop* loop, Client* c) noexcept nogil:
    """Read the connections again that were not read for the client's sake, as far as it has taken enough."""
    cdef Upstream* u = loop.core.upstreams
    while u != NULL and c.pauses:
        if u.paused_for == c and (c.state >= DOOMED or not piles_up(loop.core, c, head_slot(u))):
            u.paused_for = NULL
            c.pauses -= 1
            heed(loop, u)
        u = u.next

cdef void look_who_sends(Loop* loop) noexcept nogil:
    """Find out which clients send more while connections wait for them to take something."""
    cdef Upstream* u = loop.core.upstreams
    cdef Client* c
    cdef int waiting
    while u != NULL:
        c = u.paused_for
        if c != NULL:
            c.sending = not c.reading and ioctl(c.fd, FIONREAD, &waiting) == 0 and waiting > 0
        u = u.next

cdef void upstream_event(Loop* loop, Upstream* u, uint32_t events) noexcept nogil:
    cdef ssize_t got
    cdef size_t left, size
    if u.fd < 0 or not events & (EPOLLIN | EPOLLHUP | EPOLLERR):
        return                                        # writable: the turn's end sends
    got = recv(u.fd, u.received + u.received_size, RECEIVE - u.received_size, 0)
    if got > 0:
        loop.core.places[u.place].received += <uint64_t>got
        size = u.received_size + <size_t>got
        left = upstream_input(loop.core, u, u.received, size)
        flush_clients(loop)
        if left <= RECEIVE // 2:                      # else out of step, or a line without end
            memmove(u.received, u.received + size - left, left)
            u.received_size = left
            pace(loop, u)
            return
    elif got < 0 and (errno == EAGAIN or errno == EINTR):
        return
    close(u.fd)
    upstream_lost(loop.core, u)
    flush_clients(loop)

cdef void flush_upstreams(Loop* loop) noexcept nogil:
    cdef Upstream* u = loop.core.upstreams
    cdef uint64_t unsent = 0
    while u != NULL:
        if u.fd != -1 and not u.collecting:
            send_requests(loop, u)
            if u.tail - u.sent > unsent:
                unsent = u.tail - u.sent
        u = u.next
    if unsent > UNSENT:
        loop.choked = True
    elif loop.choked and unsent <= UNSENT // 2:
        loop.choked = False
        resume_all(loop)

cdef void send_requests(Loop* loop, Upstream* u) noexcept nogil:
    cdef uint64_t at, size
    cdef ssize_t n
    while u.sent != u.tail:
        at = u.sent & (u.log_room - 1)
        size = u.log_room - at
        if size > u.tail - u.sent:
            size = u.tail - u.sent
        n = send(u.fd, u.log + at, size, MSG_NOSIGNAL)
        if n <= 0:
            break                                     # full, or broken: then its read event says so
        u.sent += <uint64_t>n
        loop.core.places[u.place].sent += <uint64_t>n
        if <uint64_t>n < size:
            break
    if u.wants_write != (u.sent != u.tail):
        u.wants_write = u.sent != u.tail
        heed(loop, u)

cdef void resume_all(Loop* loop) noexcept nogil:
    cdef Client* c = loop.core.clients.next
    while c != &loop.core.clients:
        interest(loop, c, may_read(loop, c), c.wants_write)
        c = c.next
