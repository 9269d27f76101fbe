# What Python sees of the core, with sockets or without.

from cpython.bytes cimport PyBytes_FromStringAndSize


cdef class Box:
    """The core and its lock; every call is over before Python code runs again."""

    cdef Core* core
    cdef Loop* loop
    cdef bytes lost_text, full_text, late_text

    def __cinit__(self, *, bytes lost_text=b"-ERR lost\r\n", bytes late_text=b"-ERR late\r\n",
                  double patience=0, double grace=1, double failover_wait=5, int retries=2, bint close_unknown=False,
                  double slow=0,
                  int window=WINDOW, seed=0, output_limit=64 << 20, memory_limit=0, **others):
        self.core = <Core*>calloc(1, sizeof(Core))
        self.loop = <Loop*>calloc(1, sizeof(Loop))
        if self.core == NULL or self.loop == NULL:
            raise MemoryError
        self.loop.core = self.core
        pthread_mutex_init(&self.loop.gate, NULL)
        pthread_mutex_init(&self.loop.lock, NULL)
        self.core.clients.next = self.core.clients.previous = &self.core.clients
        self.core.generation = self.core.everything = self.core.oldest = 1
        self.core.reads_allowed = self.core.prove_marks = self.core.prove_floor = True
        self.core.seed = seed
        self.core.nobody.state = AWAY
        self.core.unread = min(UNREAD, memory_limit // 32) if memory_limit else UNREAD
        self.core.window = window
        self.core.client_limit, self.core.memory_limit = output_limit, memory_limit
        self.lost_text = lost_text
        self.core.lost_text = self.lost_text
        self.core.lost_size = len(self.lost_text)
        self.late_text = late_text
        self.core.late_text = self.late_text
        self.core.late_size = len(self.late_text)
        self.core.credit = CREDIT
        self.behave(patience=patience, grace=grace, failover_wait=failover_wait, retries=retries,
                    close_unknown=close_unknown, slow=slow)
        for place in range(PLACES):
            self.core.places[place].share = 1

    def __dealloc__(self):
        cdef int i, route
        cdef Upstream* u
        if self.core == NULL:
            return
        while self.core.clients.next != &self.core.clients and self.core.clients.next != NULL:
            if self.core.clients.next.fd >= 0 and self.loop.wake.what == IS_WAKE:
                close(self.core.clients.next.fd)
            free_client(self.core, self.core.clients.next)
        while self.core.upstreams != NULL:
            u = self.core.upstreams
            self.core.upstreams = u.next
            if u.fd >= 0 and self.loop.wake.what == IS_WAKE:
                close(u.fd)
            free_upstream(self.core, u)
        for i in range(GROUPS):
            free(self.core.groups[i].spare)
        for i in range(SLOWS):
            free(self.core.slows[i].request)
        for i in range(COMMANDS):
            for route in range(ROUTES):
                free(self.core.commands[i].took[route])
        free(self.core.events)
        free(self.core)
        free(self.loop)
        self.core = NULL
        self.loop = NULL

    cdef void after(self) noexcept nogil:
        pass

    def behave(self, *, double patience, double grace, double failover_wait, int retries, bint close_unknown,
               double slow):
        """Take these settings from now on; times in seconds."""
        with nogil:
            enter(self.loop)
            self.core.patience, self.core.grace = <uint64_t>(patience * 1e9), <uint64_t>(grace * 1e9)
            self.core.failover_wait = <uint64_t>(failover_wait * 1e9)
            self.core.close_unknown, self.core.most_tries = close_unknown, <uint32_t>retries
            self.core.slow = <uint64_t>(slow * 1e9)
            pthread_mutex_unlock(&self.loop.lock)

    @property
    def memory(self):
        """Bytes that clients and servers take here."""
        return self.core.memory

    def weigh_elsewhere(self, size_t size):
        """Take note of how many bytes Python keeps for clients: together they have one limit."""
        self.core.elsewhere = size

    # -- commands and policy -----------------------------------------------------------------

    def learn(self, rows):
        """Know exactly the commands of *rows* (see rules.py) from now on.

        Raises:
            ValueError: they are too many.
        """
        cdef Command* told
        cdef Command* command
        cdef int i = 0, size
        wanted = [row for row in rows if len(row.name.encode()) < NAME_BYTES]
        size = len(wanted)
        if size > COMMANDS // 4:
            raise ValueError("too many commands")
        told = <Command*>calloc(size, sizeof(Command))
        if told == NULL:
            raise MemoryError
        for row in wanted:
            name = row.name.encode()
            memcpy(told[i].name, <const uint8_t*>(<bytes>name), len(name))
            told[i].used, told[i].kind, told[i].rule, told[i].reason = 1, row.kind, row.rule, row.reason
            told[i].flags, told[i].arity = row.flags, row.arity
            told[i].first, told[i].last, told[i].step = row.first, row.last, row.step
            i += 1
        with nogil:
            enter(self.loop)
            for i in range(COMMANDS):
                self.core.commands[i].kind = HARD         # requests on their way know their row by number
            for i in range(size):
                command = place_for(self.core, told[i].name)
                memcpy(told[i].tally, command.tally, sizeof(command.tally))
                memcpy(told[i].took, command.took, sizeof(command.took))
                command[0] = told[i]
            pthread_mutex_unlock(&self.loop.lock)
        free(told)

    def permit(self, bint reads, bint marks, bint floor, bint lagging):
        """Say whether reads may be split, need the proof of their marks, of the floor, and why there is no replica."""
        with nogil:
            enter(self.loop)
            self.core.reads_allowed, self.core.prove_marks, self.core.prove_floor = reads, marks, floor
            self.core.lagging = lagging
            pthread_mutex_unlock(&self.loop.lock)

    # -- groups and their connections ---------------------------------------------------------

    def open_group(self, uint32_t database):
        """Return the number of a new class of shared connections; -1: there are too many."""
        cdef int i, found = -1
        with nogil:
            enter(self.loop)
            for i in range(GROUPS):
                if not self.core.groups[i].used and keep_spare(self.core, i):
                    self.core.groups[i].used = True
                    self.core.groups[i].database = database
                    take_spare(self.core, i, 0)
                    found = i
                    break
            pthread_mutex_unlock(&self.loop.lock)
        return found

    def attach(self, uint32_t group, uint32_t place, int fd):
        """Own a connection that is greeted, for *group* and *place*; it takes over from the one there.

        Raises:
            MemoryError: it stays Python's.
        """
        cdef bint done
        with nogil:
            enter(self.loop)
            done = connected(self.core, group, place, fd)
            if done:
                if self.loop.wake.what == IS_WAKE:
                    watch(self.loop, fd, EPOLLIN, self.core.groups[group].current[place], EPOLL_CTL_ADD)
                self.after()
            pthread_mutex_unlock(&self.loop.lock)
        if not done:
            raise MemoryError

    def attached(self, uint32_t group, uint32_t place):
        """Tell whether that place has a connection."""
        cdef Upstream* u = self.core.groups[group].current[place]
        return u != NULL and u.fd != -1

    def detach(self, uint32_t place):
        """Give up every connection to a replica: its reads go to the master."""
        cdef Upstream* u
        with nogil:
            enter(self.loop)
            self.core.places[place].usable = False
            u = self.core.upstreams
            while u != NULL:
                if u.place == place and u.fd != -1:
                    self.hang_up(u.fd)
                    upstream_lost(self.core, u)
                u = u.next
            self.after()
            pthread_mutex_unlock(&self.loop.lock)

    cdef void hang_up(self, int fd) noexcept nogil:
        if self.loop.wake.what == IS_WAKE:
            close(fd)

    def move_master(self):
        """Another server is the master: take what the old connections owe, and wait for new ones."""
        cdef int i
        with nogil:
            enter(self.loop)
            for i in range(GROUPS):
                if self.core.groups[i].used:
                    moved_away(self.core, i)
            self.after()
            pthread_mutex_unlock(&self.loop.lock)

    def give_up(self, uint32_t group, bytes to_read, bytes to_write):
        """Answer what waits for a master of *group*, and let its clients that wait come to Python."""
        cdef const uint8_t* read_text = to_read
        cdef const uint8_t* write_text = to_write
        cdef size_t read_size = len(to_read), write_size = len(to_write)
        cdef Client* c
        with nogil:
            enter(self.loop)
            give_up(self.core, group, read_text, read_size, write_text, write_size)
            c = self.core.clients.next
            while c != &self.core.clients:
                if c.group == group and c.hold == FOR_MASTER and c.state == OPEN:
                    c.state = LEAVING
                    make_dirty(self.core, c)
                c = c.next
            self.after()
            pthread_mutex_unlock(&self.loop.lock)

    def connections(self, uint32_t place):
        """Return how many connections there are to that place's server, how many of them owe a reply, and how
        many replies."""
        cdef Upstream* u
        cdef int found = 0, busy = 0
        cdef uint64_t owed = 0
        with nogil:
            enter(self.loop)
            u = self.core.upstreams
            while u != NULL:
                if u.place == place and u.fd != -1:
                    found += 1
                    busy += u.first != u.last
                    owed += u.last - u.first
                u = u.next
            pthread_mutex_unlock(&self.loop.lock)
        return found, busy, owed

    def buffers(self):
        """Return how many bytes of requests, of replies that wait for their turn, and of others are kept."""
        cdef Client* c
        cdef size_t requests = 0, early = 0, output = 0
        with nogil:
            enter(self.loop)
            c = self.core.clients.next
            while c != &self.core.clients:
                requests += c.input_size
                early += c.parked_bytes
                output += c.output_size - c.output_start
                c = c.next
            pthread_mutex_unlock(&self.loop.lock)
        return requests, early, output

    def use_place(self, uint32_t place, bint usable):
        """Say whether a replica may be read."""
        with nogil:
            enter(self.loop)
            self.core.places[place].usable = usable
            pthread_mutex_unlock(&self.loop.lock)

    def weigh(self, uint32_t place, uint64_t others, double share):
        """Say how many clients read there that are not here, and which share it is to have; above 0."""
        with nogil:
            enter(self.loop)
            self.core.places[place].others, self.core.places[place].share = others, share
            pthread_mutex_unlock(&self.loop.lock)

    def clients_at(self, uint32_t place):
        """Return how many clients of this side read there."""
        return self.core.places[place].clients

    # -- marks (see podmates_redis.marks) -------------------------------------------------------

    def slot(self, uint32_t database, bytes key):
        """Return the place of *key* among the marks."""
        return key_mark(self.core.seed, database, key, len(key))

    def mark(self, places, bint sent):
        """Mark *places* (None: everything); *sent*: for a write on its way, whose generation is returned."""
        cdef uint64_t generation = 0
        cdef list known = None if places is None else list(places)
        cdef Py_ssize_t i = 0, size = -1 if known is None else len(known)
        enter(self.loop)
        # plain numbers only, so no Python code runs in here
        while True:
            self.core.key_count = 0 if size >= 0 else -1
            while i < size and self.core.key_count < KEYS:
                self.core.places_of_keys[self.core.key_count] = <uint16_t>(<int>known[i] & 65535)
                self.core.key_count += 1
                i += 1
            mark_now(self.core)
            if i >= size:
                break
        if sent:
            generation = self.core.generation
            self.core.unanswered[generation & (RING - 1)] += 1
        pthread_mutex_unlock(&self.loop.lock)
        return generation

    def settled(self, uint64_t generation):
        """Settle a write of `mark`; False: it was late, so it is to be marked anew."""
        cdef bint found
        with nogil:
            enter(self.loop)
            found = mark_settled(self.core, generation)
            pthread_mutex_unlock(&self.loop.lock)
        return found

    def acquire(self):
        """Let reads need all that was written before now."""
        with nogil:
            enter(self.loop)
            self.core.floor = self.core.generation
            pthread_mutex_unlock(&self.loop.lock)

    def needed(self, places):
        """Return the generation that a replica must cover to serve a read of *places* (None: any)."""
        cdef uint64_t need = self.core.everything
        if places is None:
            return max(need, self.core.newest)
        for place in places:
            need = max(need, self.core.marks[<int>place & 65535])
        return need

    def begin(self, now=None):
        """Begin a generation; return which ones a probe proves that is sent to the master after this.

        *now*: seconds, instead of the clock.
        """
        cdef uint64_t proven, at = 0 if now is None else <uint64_t>(now * 1e9)
        with nogil:
            enter(self.loop)
            if at:
                self.core.now = at
            self.core.turned_away = False
            proven = begin_proof(self.core)
            pthread_mutex_unlock(&self.loop.lock)
        return proven

    def cover(self, uint32_t place, uint64_t generation):
        """A probe has proved that a replica has all writes of *generation*; 0: of none."""
        with nogil:
            enter(self.loop)
            self.core.places[place].covered = generation
            pthread_mutex_unlock(&self.loop.lock)

    def forget(self):
        """Let nothing count as covered."""
        with nogil:
            enter(self.loop)
            forget_proofs(self.core)
            pthread_mutex_unlock(&self.loop.lock)

    @property
    def generation(self):
        return self.core.generation

    @property
    def floor(self):
        return self.core.floor

    @property
    def late(self):
        return self.core.late

    @property
    def everything(self):
        return self.core.everything

    # -- what happened ------------------------------------------------------------------------

    def take(self):
        """Return what concerns Python since the last time: (clients, events).

        A client: (descriptor, bytes read and not used, replies that it has not taken, place that it reads, id, name
        of its last command here or None, seconds since it was last heard, 1: it has written, 2: with MULTI, seconds
        on the clock when it came, where it is connected). An event: (what, group, place, id).
        """
        cdef Client* c
        cdef Client* first
        cdef Event* events
        cdef uint32_t i, size
        cdef uint64_t rung
        with nogil:
            enter(self.loop)
            first, self.core.leavers = self.core.leavers, NULL
            events, size = self.core.events, self.core.event_count
            self.core.events = NULL
            self.core.event_count = self.core.event_room = 0
            if self.loop.signalled:
                read(self.loop.signal, &rung, 8)
            self.loop.signalled = False
            self.core.events_lost = False
            pthread_mutex_unlock(&self.loop.lock)
        found = [(events[i].what, events[i].group, events[i].place, events[i].id) for i in range(size)]
        free(events)
        clients = []
        c = first
        while c != NULL:
            clients.append((c.fd, PyBytes_FromStringAndSize(<char*>c.input, c.input_size),
                            PyBytes_FromStringAndSize(<char*>c.output + c.output_start,
                                                      c.output_size - c.output_start), c.place, c.id,
                            *shown(self.core, c.command, self.core.now - c.heard), c.did, c.born / 1e9,
                            <bytes>c.where[:WHERE]))
            c = c.next_dirty
        with nogil:
            enter(self.loop)
            while first != NULL:
                c = first
                first = c.next_dirty
                to_grave(self.core, c)
            pthread_mutex_unlock(&self.loop.lock)
        return clients, found

    def harvest(self):
        """Return and forget what was counted: commands as (name, route, error, count), reads at the master by
        reason, reads by place, and (retries, holds, resent, lost)."""
        cdef Command* rows = <Command*>malloc(sizeof(self.core.commands))
        cdef uint64_t reads[REASONS]
        cdef uint64_t others[4]
        cdef uint64_t places[PLACES]
        cdef int i, route, error
        if rows == NULL:
            raise MemoryError
        with nogil:
            enter(self.loop)
            memcpy(rows, self.core.commands, sizeof(self.core.commands))
            for i in range(COMMANDS):
                memset(self.core.commands[i].tally, 0, sizeof(self.core.commands[i].tally))
            memcpy(reads, self.core.reads, sizeof(reads))
            memset(self.core.reads, 0, sizeof(reads))
            for i in range(PLACES):
                places[i] = self.core.places[i].reads
                self.core.places[i].reads = 0
            others[0], others[1] = self.core.retries, self.core.holds
            others[2], others[3] = self.core.resent, self.core.lost
            self.core.retries = self.core.holds = self.core.resent = self.core.lost = 0
            pthread_mutex_unlock(&self.loop.lock)
        commands = []
        for i in range(COMMANDS):
            if rows[i].used:
                for route in range(ROUTES):
                    for error in range(2):
                        if rows[i].tally[route][error]:
                            name = (<bytes>rows[i].name[:NAME_BYTES]).rstrip(b"\0").decode()
                            commands.append((name, route, bool(error), rows[i].tally[route][error]))
        free(rows)
        return commands, list(reads), list(places), tuple(others)

    def slow(self):
        """Return and forget the requests that took long, the oldest first: (client, name, bytes or None for a
        block, place, seconds: when it was answered, took, queued, served, bytes of the reply, where its client is)."""
        cdef Slow kept[SLOWS]
        cdef uint32_t i, size
        if self.core.slow_count == 0:
            return []
        with nogil:
            enter(self.loop)
            size = self.core.slow_count
            memcpy(kept, self.core.slows, sizeof(kept))
            memset(self.core.slows, 0, sizeof(kept))
            self.core.slow_count = 0
            pthread_mutex_unlock(&self.loop.lock)
        found = []
        for i in range(size - SLOWS if size > SLOWS else 0, size):
            one = &kept[i % SLOWS]
            request = None
            if one.request != NULL:
                request = PyBytes_FromStringAndSize(<char*>one.request, one.request_size)
            found.append((one.client, name_of(self.core, one.command), request, one.place, one.at / 1e9,
                          one.took / 1e9, one.queued / 1e9, one.served / 1e9, one.size, <bytes>one.where[:WHERE]))
            free(one.request)
        return found

    def figures(self):
        """Return and forget what else was counted.

        How long commands took, as (name, route, histogram); how long they waited to be sent, by route; how long
        servers took, by place; errors by first word; (sent, received) in bytes, by place. A histogram: (counts,
        seconds in all).
        """
        cdef Times** times = <Times**>malloc(COMMANDS * ROUTES * sizeof(Times*))
        cdef Times queued[ROUTES]
        cdef Times served[PLACES]
        cdef Word words[WORDS]
        cdef uint64_t traffic[PLACES][2]
        cdef int i, route
        if times == NULL:
            raise MemoryError
        with nogil:
            enter(self.loop)
            for i in range(COMMANDS):
                for route in range(ROUTES):
                    times[i * ROUTES + route] = self.core.commands[i].took[route]
                    self.core.commands[i].took[route] = NULL
            memcpy(queued, self.core.queued, sizeof(queued))
            memset(self.core.queued, 0, sizeof(queued))
            memcpy(words, self.core.words, sizeof(words))
            memset(self.core.words, 0, sizeof(words))
            for i in range(PLACES):
                served[i] = self.core.places[i].served
                memset(&self.core.places[i].served, 0, sizeof(Times))
                traffic[i][0], traffic[i][1] = self.core.places[i].sent, self.core.places[i].received
                self.core.places[i].sent = self.core.places[i].received = 0
            pthread_mutex_unlock(&self.loop.lock)
        took = []
        for i in range(COMMANDS):
            for route in range(ROUTES):
                if times[i * ROUTES + route] != NULL:
                    took.append((name_of(self.core, i), route, histogram(times[i * ROUTES + route])))
                    free(times[i * ROUTES + route])
        free(times)
        return (took, [histogram(&queued[i]) for i in range(ROUTES)], [histogram(&served[i]) for i in range(PLACES)],
                [((<bytes>words[i].text[:WORD_BYTES]).rstrip(b"\0"), words[i].count) for i in range(WORDS)
                 if words[i].count],
                [(traffic[i][0], traffic[i][1]) for i in range(PLACES)])


cdef str name_of(Core* core, int number):
    """Return the name of a command; rows keep theirs."""
    return (<bytes>core.commands[number].name[:NAME_BYTES]).rstrip(b"\0").decode()


cdef tuple histogram(Times* times):
    return [times.counts[i] for i in range(BUCKETS)], times.total / 1e9


cdef tuple shown(Core* core, uint64_t command, uint64_t ago):
    """Return (name of a client's last command, seconds since it was heard); None: nothing yet."""
    if command == NOTHING:
        return None, ago / 1e9
    return (<bytes>core.commands[command].name[:NAME_BYTES]).rstrip(b"\0"), ago / 1e9


cdef Command* place_for(Core* core, const uint8_t* name) noexcept nogil:
    """Return the row of *name*, or a free one."""
    cdef uint32_t at = name_hash(name)
    while core.commands[at & (COMMANDS - 1)].used:
        if memcmp(core.commands[at & (COMMANDS - 1)].name, name, NAME_BYTES) == 0:
            break
        at += 1
    return &core.commands[at & (COMMANDS - 1)]
