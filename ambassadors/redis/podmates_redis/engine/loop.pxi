# The sockets: one epoll descriptor, driven by a thread of its own without the GIL.
#
# The law of this file
#  1. The engine owns its listeners, every plain client's socket and the shared upstream sockets; Python owns
#     all others. A descriptor has one owner at any time.
#  2. One turn = one epoll_wait, then everything that is ready under `lock`, which Python's calls take as well:
#     they run between two turns, never within one, and never hold it while they run Python code.
#  3. Each ready socket is received from once a turn (level-triggered: what is left comes next turn), at most
#     READ_SIZE from a client. Requests of a turn are sent once, at its end; replies at once per upstream read.
#  4. Reading from a client stops at `most_inflight` unanswered commands, and while a connection to a server
#     has more than UNSENT unsent bytes; it resumes at half. Unread output never stops reading.
#  5. What an event of this turn may point at is freed after the turn.

from libc.errno cimport EAGAIN, EINTR, EMFILE, ENFILE, ENOBUFS, ENOMEM, errno
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec
from posix.unistd cimport close, read, write

cdef extern from "<sys/socket.h>" nogil:
    ssize_t recv(int, void*, size_t, int)
    ssize_t send(int, const void*, size_t, int)
    int accept4(int, void*, void*, int)
    int getpeername(int, void*, unsigned int*)
    int getsockname(int, void*, unsigned int*)
    int AF_UNIX, AF_INET
    int MSG_NOSIGNAL, SOCK_NONBLOCK, SOCK_CLOEXEC

cdef extern from "<sys/ioctl.h>" nogil:
    int ioctl(int, unsigned long, ...)
    unsigned long FIONREAD

cdef extern from "<sys/resource.h>" nogil:
    struct rlimit:
        uint64_t rlim_cur
    int getrlimit(int, rlimit*)
    int RLIMIT_NOFILE

cdef extern from "<sys/epoll.h>" nogil:
    ctypedef union epoll_data_t:
        void* ptr
    struct epoll_event:
        uint32_t events
        epoll_data_t data
    int epoll_create1(int)
    int epoll_ctl(int, int, int, epoll_event*)
    int epoll_wait(int, epoll_event*, int, int)
    int EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL
    uint32_t EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR

cdef extern from "<sys/eventfd.h>" nogil:
    int eventfd(unsigned int, int)
    int EFD_NONBLOCK, EFD_CLOEXEC

cdef extern from "<pthread.h>" nogil:
    ctypedef struct pthread_mutex_t:
        pass
    int pthread_mutex_init(pthread_mutex_t*, void*)
    int pthread_mutex_lock(pthread_mutex_t*)
    int pthread_mutex_unlock(pthread_mutex_t*)

cdef enum:
    TURN = 256                # events a turn
    READ_SIZE = 16384         # bytes a client may put in per turn, as redis-server has it
    DIRECT = 16384            # bytes of a reply that are worth an attempt to send before they are copied
    UNSENT = 16777216
    LISTENERS = 64
    TICK = 100                # milliseconds between looks at the clock while something is on its way
    ACCEPTED = 64             # clients accepted a turn

cdef struct Other:            # what an event points at that is neither client nor upstream
    int what, fd

cdef struct Loop:
    Core* core
    int epoll, signal         # `signal`: eventfd, readable when Python has to look
    Other wake
    Other listeners[LISTENERS]
    int listener_count
    pthread_mutex_t gate, lock            # who wants `lock` takes `gate` first, so nobody starves
    bint stopping, choked, signalled
    uint64_t listen_again     # nanoseconds; 0: the listeners are watched
    uint32_t most_inflight
    uint64_t most_clients, elsewhere      # `elsewhere`: clients with Python
    uint64_t spare            # descriptors that are not for clients
    bint keeps                # newcomers; else they go to Python at once
    uint32_t newcomers        # their group
    uint64_t accepted, rejected, turns
    const uint8_t* full_text
    size_t full_size
    uint8_t scratch[READ_SIZE]
    epoll_event events[TURN]

cdef inline uint64_t clock_now() noexcept nogil:
    cdef timespec t
    clock_gettime(CLOCK_MONOTONIC, &t)
    return <uint64_t>t.tv_sec * 1000000000 + <uint64_t>t.tv_nsec

cdef inline void enter(Loop* loop) noexcept nogil:
    pthread_mutex_lock(&loop.gate)
    pthread_mutex_lock(&loop.lock)
    pthread_mutex_unlock(&loop.gate)
    loop.core.now = clock_now()

cdef inline void watch(Loop* loop, int fd, uint32_t events, void* what, int operation) noexcept nogil:
    cdef epoll_event e
    e.events = events
    e.data.ptr = what
    epoll_ctl(loop.epoll, operation, fd, &e)

cdef void watch_listeners(Loop* loop, bint yes) noexcept nogil:
    cdef int i
    for i in range(loop.listener_count):
        watch(loop, loop.listeners[i].fd, EPOLLIN if yes else 0, &loop.listeners[i], EPOLL_CTL_MOD)
    loop.listen_again = 0 if yes else loop.core.now + <uint64_t>TICK * 1000000

cdef bint busy(Loop* loop) noexcept nogil:
    """Tell whether the clock matters."""
    cdef Upstream* u = loop.core.upstreams
    if loop.listen_again:
        return True
    while u != NULL:
        if u.first != u.last:
            return True
        u = u.next
    return False

cdef void run_loop(Loop* loop) noexcept nogil:
    cdef int n, i, wait = -1
    cdef void* at
    cdef int what
    cdef uint64_t looked = 0, rung
    while True:
        n = epoll_wait(loop.epoll, loop.events, TURN, wait)
        enter(loop)
        if loop.stopping:
            pthread_mutex_unlock(&loop.lock)
            return
        loop.turns += 1
        for i in range(n):
            at = loop.events[i].data.ptr
            what = (<Other*>at).what
            if what == IS_CLIENT:
                client_event(loop, <Client*>at, loop.events[i].events)
            elif what == IS_UPSTREAM:
                upstream_event(loop, <Upstream*>at, loop.events[i].events)
            elif what == IS_LISTENER:
                accept_clients(loop, <Other*>at)
            else:
                read(loop.wake.fd, &rung, 8)
        if loop.core.now - looked > <uint64_t>TICK * 1000000:
            looked = loop.core.now
            look_who_sends(loop)
            check_times(loop.core)
            if loop.listen_again and loop.core.now >= loop.listen_again:
                watch_listeners(loop, True)
        end_turn(loop)
        bury(loop)
        wait = TICK if busy(loop) else -1
        pthread_mutex_unlock(&loop.lock)

cdef void end_turn(Loop* loop) noexcept nogil:
    """Send what has come together, and let Python know what concerns it."""
    cdef Core* core = loop.core
    cdef uint64_t one = 1
    flush_clients(loop)
    end_collected(loop)
    retire_empty(core)
    flush_clients(loop)
    flush_upstreams(loop)
    if (core.event_count or core.leavers != NULL or core.events_lost) and not loop.signalled:
        loop.signalled = True
        write(loop.signal, &one, 8)

cdef void end_collected(Loop* loop) noexcept nogil:
    cdef Upstream* u = loop.core.upstreams
    while u != NULL:
        if u.fd != -1 and (u.hopeless or (u.collecting and collected(loop.core, u))):
            close(u.fd)
            upstream_lost(loop.core, u)
        u = u.next

cdef void bury(Loop* loop) noexcept nogil:
    """Free what nothing points at any more."""
    cdef Core* core = loop.core
    cdef Client* c
    cdef Upstream* u
    while core.graves != NULL:
        c = core.graves
        core.graves = c.next_dirty
        free_client(core, c)
    while core.dead_upstreams != NULL:
        u = core.dead_upstreams
        core.dead_upstreams = u.next
        if u.fd != -1:
            close(u.fd)
        free_upstream(core, u)
