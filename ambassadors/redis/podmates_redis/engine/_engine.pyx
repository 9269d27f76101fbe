# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The shared path: plain clients on shared connections, in a thread of its own without the GIL.

`Engine` has sockets, `Play` has none: a test hands it the bytes. Both have the same core.
What Python may call is safe between two turns of the loop; see loop.pxi.
"""
include "shapes.pxi"
include "frames.pxi"
include "table.pxi"
include "marks.pxi"
include "log.pxi"
include "order.pxi"
include "settling.pxi"
include "figures.pxi"
include "requests.pxi"
include "replies.pxi"
include "clients.pxi"
include "pacing.pxi"
include "losing.pxi"
include "loop.pxi"
include "sockets.pxi"
include "box.pxi"
include "play.pxi"


cdef class Engine(Box):
    """The loop and its sockets."""

    def __cinit__(self, *, most_inflight=10_000, most_clients=10_000, full_text=b"", **others):
        self.full_text = full_text
        self.loop.full_text = self.full_text
        self.loop.full_size = len(self.full_text)
        self.loop.most_inflight = most_inflight
        self.loop.most_clients = most_clients
        self.loop.keeps = True
        self.loop.epoll = epoll_create1(EPOLL_CLOEXEC)
        self.loop.signal = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
        self.loop.wake.what = IS_WAKE
        self.loop.wake.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
        if self.loop.epoll < 0 or self.loop.signal < 0 or self.loop.wake.fd < 0:
            raise OSError(errno, "the engine gets no descriptors")
        watch(self.loop, self.loop.wake.fd, EPOLLIN, &self.loop.wake, EPOLL_CTL_ADD)

    def __dealloc__(self):
        cdef int i
        if self.loop == NULL or self.loop.wake.what != IS_WAKE:
            return
        for i in range(self.loop.listener_count):
            close(self.loop.listeners[i].fd)
        for fd in (self.loop.epoll, self.loop.signal, self.loop.wake.fd):
            if fd >= 0:
                close(fd)

    cdef void after(self) noexcept nogil:
        cdef uint64_t one = 1
        end_turn(self.loop)
        write(self.loop.wake.fd, &one, 8)

    def run(self):
        """Serve until `stop`, without the GIL."""
        with nogil:
            run_loop(self.loop)

    def stop(self):
        """Let `run` return, in whatever thread it is."""
        cdef uint64_t one = 1
        self.loop.stopping = True
        write(self.loop.wake.fd, &one, 8)

    @property
    def signal(self):
        """Descriptor that is readable when `take` has something to say."""
        return self.loop.signal

    def listen(self, int fd):
        """Own a listening socket: non-blocking, with the options its clients are to inherit.

        Raises:
            OSError: there are too many.
        """
        cdef Other* listener
        cdef bint done
        with nogil:
            enter(self.loop)
            done = self.loop.listener_count < LISTENERS
            if done:
                listener = &self.loop.listeners[self.loop.listener_count]
                listener.what, listener.fd = IS_LISTENER, fd
                self.loop.listener_count += 1
                watch(self.loop, fd, EPOLLIN, listener, EPOLL_CTL_ADD)
            pthread_mutex_unlock(&self.loop.lock)
        if not done:
            raise OSError(EMFILE, "too many addresses to listen on")

    def admit(self, *, uint64_t clients, uint64_t spare, bint keeps, uint32_t group):
        """Accept so many clients from now on, and leave *spare* descriptors; the newcomers are of *group*.

        *keeps*: they stay here as long as they are plain; else they come to Python at once.
        """
        with nogil:
            enter(self.loop)
            self.loop.most_clients, self.loop.spare = clients, spare
            self.loop.keeps, self.loop.newcomers = keeps, group
            pthread_mutex_unlock(&self.loop.lock)

    def close_listeners(self):
        """Accept nobody any more."""
        cdef int i
        with nogil:
            enter(self.loop)
            for i in range(self.loop.listener_count):
                close(self.loop.listeners[i].fd)
            self.loop.listener_count = 0
            self.loop.listen_again = 0
            pthread_mutex_unlock(&self.loop.lock)

    def adopt(self, int fd, bytes unread, int group, uint64_t id, uint8_t place=0, *, born=0.0, heard=0.0,
              uint8_t did=0, bytes where=b"", bint known=True):
        """Own a client that is plain (again); *unread*: bytes read from it and not used.

        *place*: where it has read so far; 0: nowhere. What `take` said of it otherwise is to be said again; *known*:
        its end is to be told.

        Raises:
            MemoryError: it stays Python's.
        """
        cdef const uint8_t* data = unread
        cdef size_t size = len(unread)
        cdef const uint8_t* there = where
        cdef size_t there_size = min(<size_t>len(where), <size_t>WHERE)
        cdef uint64_t came = <uint64_t>(born * 1e9), spoke = <uint64_t>(heard * 1e9)
        cdef Client* c
        with nogil:
            enter(self.loop)
            c = new_client(self.core, fd, id, group)
            if c != NULL:
                c.known, c.did = known, did
                c.born, c.heard = came if came else self.core.now, spoke if spoke else self.core.now
                memcpy(c.where, there, there_size)
                if place and self.core.places[place].usable:
                    c.place = place
                    self.core.places[place].clients += 1
                self.loop.elsewhere -= 1
                watch(self.loop, fd, EPOLLIN, c, EPOLL_CTL_ADD)
                if size:
                    take_input(self.core, c, data, size, True)
                    interest(self.loop, c, may_read(self.loop, c), False)
                self.after()
            pthread_mutex_unlock(&self.loop.lock)
        if c == NULL:
            raise MemoryError

    def closed_elsewhere(self):
        """A client that Python had is gone."""
        with nogil:
            enter(self.loop)
            self.loop.elsewhere -= 1
            pthread_mutex_unlock(&self.loop.lock)

    def drain(self, id=None):
        """Close the client *id*, or every one, as soon as nothing of it is on its way."""
        cdef Client* c
        cdef uint64_t which = id or 0
        with nogil:
            enter(self.loop)
            c = self.core.clients.next
            while c != &self.core.clients:
                if which == 0 or c.id == which:
                    c.ended, c.why = True, DRAINED
                    make_dirty(self.core, c)
                c = c.next
            self.after()
            pthread_mutex_unlock(&self.loop.lock)

    def close_clients(self, id=None, uint8_t why=ENDED_ITSELF):
        """Close the client *id*, or all, at once; return how many there were. *why*: as `ends` counts it."""
        cdef Client* c
        cdef uint64_t which = id or 0
        cdef int found = 0
        with nogil:
            enter(self.loop)
            c = self.core.clients.next
            while c != &self.core.clients:
                if which == 0 or c.id == which:
                    doom(self.core, c, why)
                    found += 1
                c = c.next
            self.after()
            pthread_mutex_unlock(&self.loop.lock)
        return found

    def fetch(self, id=None):
        """Let the client *id*, or every one, come to Python, once its commands are answered."""
        cdef Client* c
        cdef uint64_t which = id or 0
        with nogil:
            enter(self.loop)
            c = self.core.clients.next
            while c != &self.core.clients:
                if (which == 0 or c.id == which) and c.state == OPEN:
                    c.state = LEAVING
                    c.known = True                    # somebody waits for it
                    make_dirty(self.core, c)
                c = c.next
            self.after()
            pthread_mutex_unlock(&self.loop.lock)

    def counts(self):
        """Return (clients here, accepted, rejected, turns, bytes of memory)."""
        return (self.core.client_count, self.loop.accepted, self.loop.rejected, self.loop.turns,
                self.core.memory)

    def ends(self):
        """Return and forget how many clients are gone: by themselves, with a server, since they took
        too little, drained, killed."""
        cdef uint64_t found[ENDS]
        with nogil:
            enter(self.loop)
            memcpy(found, self.core.gone, sizeof(found))
            memset(self.core.gone, 0, sizeof(found))
            pthread_mutex_unlock(&self.loop.lock)
        return list(found)

    def clients(self, id=None):
        """Return what is known of the client *id*, or of every one here.

        (id, name of its last command, seconds since it sent that, did as in `take`, descriptor, seconds on the clock
        when it came, where it is connected, bytes that it has sent and are not used)
        """
        cdef Client* c
        cdef Seen* rows = NULL
        cdef Seen* row
        cdef size_t i = 0, size = 0
        cdef uint64_t which = id or 0
        with nogil:
            enter(self.loop)
            size = self.core.client_count if which == 0 else 1
            rows = <Seen*>malloc((size + 1) * sizeof(Seen))
            c = self.core.clients.next
            while rows != NULL and c != &self.core.clients and i < size:
                if which == 0 or c.id == which:
                    row = &rows[i]
                    row.id, row.born, row.ago = c.id, c.born, self.core.now - c.heard
                    row.command, row.did, row.fd, row.unread = c.command, c.did, c.fd, c.input_size
                    memcpy(row.where, c.where, WHERE)
                    i += 1
                c = c.next
            pthread_mutex_unlock(&self.loop.lock)
        if rows == NULL:
            raise MemoryError
        found = []
        for size in range(i):
            row = &rows[size]
            found.append((row.id, *shown(self.core, row.command, row.ago), row.did, row.fd, row.born / 1e9,
                          <bytes>row.where[:WHERE], row.unread))
        free(rows)
        return found
