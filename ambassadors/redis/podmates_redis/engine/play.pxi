# The core without sockets, for tests: bytes in, bytes out. A connection is a number of the test's choice.


cdef class Play(Box):
    """Clients and servers are numbers; nothing is sent, nothing blocks."""

    cdef dict clients

    def __cinit__(self, **others):
        self.clients = {}

    def __dealloc__(self):
        for number in self.clients:
            if self.client(number).next == NULL:      # closed; the others are in the core's list
                free_client(self.core, self.client(number))

    def understand(self, bytes request, uint32_t database=0):
        """Return (kind, marks of its keys or None, acquires) of one whole request; None: not understood."""
        cdef Request r
        cdef const uint8_t* name = NULL
        cdef const uint8_t* data = request
        cdef uint32_t need = 0
        cdef int size = 0
        if next_request(data, data + len(request), &r, &need, &name, &size) != 1:
            return None
        r.command = find_command(self.core, &r, name, size)
        if r.command == NULL:
            return None
        refine(&r)
        keys_of(self.core, database, &r)
        keys = None
        if self.core.key_count >= 0:
            keys = [self.core.places_of_keys[i] for i in range(self.core.key_count)]
        return r.kind, keys, bool(r.flags & ACQUIRES)

    cdef void after(self) noexcept nogil:
        cdef Upstream* u
        self.flush()
        u = self.core.upstreams
        while u != NULL:
            if u.fd != -1 and (u.hopeless or (u.collecting and collected(self.core, u))):
                upstream_lost(self.core, u)
            u = u.next
        retire_empty(self.core)
        self.flush()
        while self.core.dead_upstreams != NULL:
            u = self.core.dead_upstreams
            self.core.dead_upstreams = u.next
            free_upstream(self.core, u)

    cdef void flush(self) noexcept nogil:
        """As the loop does it, but what is sent stays in `output`."""
        cdef Core* core = self.core
        cdef Client* c
        while core.dirty != NULL:
            c = core.dirty
            core.dirty = c.next_dirty
            c.dirty = False
            settle_fresh(core, c)
            if c.state == OPEN and c.resumed:
                try_again(core, c)
            if c.dirty:
                continue
            if c.state == LEAVING and inflight(c) == 0:
                c.state = AWAY
            elif c.state == OPEN and c.ended and not c.hold and inflight(c) == 0:
                c.state = DOOMED
            if c.state == DOOMED:
                c.state = CLOSED
                leave_list(core, c)

    cdef Client* client(self, int number) except NULL:
        return <Client*><size_t>self.clients[number]

    def connect(self, int number, int group=0):
        """A client connects."""
        self.clients[number] = <size_t>new_client(self.core, number, number, group)

    def say(self, int number, bytes data, bint last=True):
        """A client sends *data*; False: it is not read at the moment, or not here any more."""
        cdef Client* c = self.client(number)
        cdef const uint8_t* all_bytes
        self.core.now = clock_now()
        if c.state != OPEN or c.hold or c.ended:
            return False
        whole = PyBytes_FromStringAndSize(<char*>c.input, c.input_size) + data
        if c.input_size and len(whole) < c.input_need:
            keep_input(self.core, c, whole, len(whole))
            return True
        all_bytes = whole
        take_input(self.core, c, all_bytes, len(whole), last)
        self.after()
        return True

    def end(self, int number):
        """A client sends nothing more."""
        self.client(number).ended = True
        make_dirty(self.core, self.client(number))
        self.after()

    def vanish(self, int number):
        """A client's connection is gone."""
        doom(self.core, self.client(number), ENDED_ITSELF)
        self.after()

    def told(self, int number):
        """Return what a client was sent since the last time."""
        cdef Client* c = self.client(number)
        found = PyBytes_FromStringAndSize(<char*>c.output + c.output_start, c.output_size - c.output_start)
        free_output(self.core, c)
        return found

    def state(self, int number):
        """Return 'open', 'held', 'leaving', 'away' or 'closed'."""
        cdef Client* c = self.client(number)
        if c.state == OPEN:
            return "held" if c.hold else "open"
        return {LEAVING: "leaving", DOOMED: "closed", CLOSED: "closed", AWAY: "away"}[c.state]

    def unread(self, int number):
        """Return what a client has sent that was not used."""
        cdef Client* c = self.client(number)
        return PyBytes_FromStringAndSize(<char*>c.input, c.input_size)

    def back(self, int number, bytes unread=b""):
        """Python gives a client back."""
        cdef Client* c = self.client(number)
        cdef const uint8_t* data = unread
        c.state = OPEN
        c.input_size = 0
        take_input(self.core, c, data, len(unread), True)
        self.after()

    cdef Upstream* upstream(self, int number) except NULL:
        cdef Upstream* u = self.core.upstreams
        while u != NULL:
            if u.fd == number:
                return u
            u = u.next
        raise LookupError(number)

    def stands(self, int number):
        """Tell whether a connection to a server is still there."""
        cdef Upstream* u = self.core.upstreams
        while u != NULL:
            if u.fd == number:
                return True
            u = u.next
        return False

    def sent(self, int number, most=None):
        """Return what a server was sent since the last time, *most* bytes of it."""
        cdef Upstream* u = self.upstream(number)
        cdef uint64_t size = u.tail - u.sent
        if u.collecting:
            return b""
        if most is not None and size > most:
            size = most
        if size == 0:
            return b""
        found = PyBytes_FromStringAndSize(NULL, size)
        log_copy(u, u.sent, <uint8_t*><char*>found, size)
        u.sent += size
        return found

    def answer(self, int number, bytes data):
        """A server sends *data*; the connection is given up when it is out of step."""
        cdef Upstream* u = self.upstream(number)
        cdef const uint8_t* all_bytes
        cdef size_t left
        self.core.now = clock_now()
        whole = PyBytes_FromStringAndSize(<char*>u.received, u.received_size) + data
        all_bytes = whole
        left = upstream_input(self.core, u, all_bytes, len(whole))
        self.flush()
        if left <= RECEIVE // 2:
            memcpy(u.received, all_bytes + len(whole) - left, left)
            u.received_size = left
        else:
            upstream_lost(self.core, u)
        self.after()

    def lose(self, int number):
        """A connection to a server is gone."""
        upstream_lost(self.core, self.upstream(number))
        self.after()

    def pass_time(self, double seconds):
        """Look at the clock *seconds* from now."""
        self.core.now = clock_now() + <uint64_t>(seconds * 1e9)
        check_times(self.core)
        self.after()
