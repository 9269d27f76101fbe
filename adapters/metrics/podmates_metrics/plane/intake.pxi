# The lines seen so far and where they go, as Python sees it.

cdef class Intake:
    """The lines seen so far and where they go."""

    cdef Table table
    cdef object slow
    cdef Py_ssize_t limit
    cdef dict routes

    def __cinit__(self, slow, Py_ssize_t limit):
        self.slow, self.limit = slow, limit
        self.routes = {}
        # Unknown to who sends, so that nobody can choose names that meet in one slot.
        self.table.seed = <uint64_t>hash(("seed", object(), "podmates")) | 1
        self.table.capacity = 1024
        self.table.slots = <Slot *>calloc(self.table.capacity, sizeof(Slot))
        if self.table.slots == NULL:
            raise MemoryError

    def __dealloc__(self):
        if self.table.slots != NULL:
            self.drop()
            free(self.table.slots)

    def __len__(self):
        return self.table.size

    @property
    def lines(self):
        """Lines that have come."""
        return self.table.lines

    cdef void drop(self):
        cdef Py_ssize_t i
        cdef Slot *slot
        pthread_mutex_lock(&LOCK)
        for i in range(self.table.capacity):
            slot = &self.table.slots[i]
            if slot.key != NULL:
                free(slot.key)
                slot.key = NULL
                Py_DECREF(<object>slot.state.owner)
                Py_DECREF(<object>slot.way.owner)
        self.table.size = 0
        pthread_mutex_unlock(&LOCK)

    def clear(self):
        """Forget every line."""
        self.drop()
        self.routes.clear()

    def bind(self, bytes line, Cell cell, tuple factors, Tally tally):
        """Remember that *line*, with any other value in its place, goes to *cell*."""
        cdef bytes name, rest, suffix
        cdef Route route
        cdef bint room = True
        cdef uint64_t hashed
        cdef Key *key
        name, _, rest = line.partition(b":")
        suffix = rest.partition(b"|")[2]
        cdef Py_ssize_t length = len(name), more = len(suffix)
        if length > 0xFFFF or more > 0xFFFF:
            return
        if self.table.size >= self.limit:
            self.clear()
        route = self.routes.get((tally, factors))
        if route is None:
            route = self.routes[tally, factors] = Route(tally, factors)
        if (self.table.size + 1) * 5 > self.table.capacity * 4:
            pthread_mutex_lock(&LOCK)
            room = grow(&self.table)
            pthread_mutex_unlock(&LOCK)
        cdef Slot *slot = find(
            &self.table, PyBytes_AS_STRING(name), length, PyBytes_AS_STRING(suffix), more, &hashed
        )
        key = slot.key
        if key == NULL:
            key = <Key *>malloc(sizeof(Key) + length + more)
            if key == NULL or not room:
                free(key)
                raise MemoryError
            key.name, key.suffix = <uint16_t>length, <uint16_t>more
            memcpy(key.text, PyBytes_AS_STRING(name), length)
            memcpy(key.text + length, PyBytes_AS_STRING(suffix), more)
        Py_INCREF(cell)
        Py_INCREF(route)
        pthread_mutex_lock(&LOCK)
        if slot.key == NULL:
            self.table.size += 1
        else:
            Py_DECREF(<object>slot.state.owner)
            Py_DECREF(<object>slot.way.owner)
        slot.hash, slot.key, slot.state, slot.way = hashed, key, &cell.state, &route.way
        pthread_mutex_unlock(&LOCK)

    def feed(self, bytes data, double now):
        """Take the lines in *data*, separated by newlines; *now* is the clock."""
        cdef const char *text = PyBytes_AS_STRING(data)
        cdef const char *stop = text + PyBytes_GET_SIZE(data)
        cdef const char *end
        while text <= stop:
            pthread_mutex_lock(&LOCK)
            text = run(&self.table, text, stop, now)
            pthread_mutex_unlock(&LOCK)
            if text == NULL:
                return
            end = <const char *>memchr(text, c'\n', stop - text)
            if end == NULL:
                end = stop
            if self.made_room(text, end):
                continue
            pthread_mutex_lock(&LOCK)
            self.table.lines += 1
            pthread_mutex_unlock(&LOCK)
            self.slow(text[:end - text], now)
            text = end + 1

    cdef bint made_room(self, const char *text, const char *end) except -1:
        """Return whether the line was held up by a full summary only, which now has room."""
        cdef const char *number
        cdef const char *bar
        cdef Slot *slot = known(&self.table, text, end, &number, &bar)
        if slot == NULL or slot.state.kind != IS_SUMMARY or slot.way.weight != 1:
            return False
        cdef More *more = slot.state.more
        if more.held + more.given < EXACT_SIZE:
            return False
        (<Cell><object>slot.state.owner).give()
        return more.held + more.given < EXACT_SIZE
