# A thread that receives datagrams and takes the lines that are known, without the interpreter's lock.
from libc.errno cimport EAGAIN, EBADF, EINTR, ENOTSOCK, errno
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, nanosleep, timespec
from posix.unistd cimport close

cdef extern from "<poll.h>" nogil:
    enum:
        POLLIN
    struct pollfd:
        int fd
        short events
        short revents
    int poll(pollfd *descriptors, unsigned long count, int milliseconds)

cdef extern from "<sys/socket.h>" nogil:
    enum:
        MSG_DONTWAIT
    struct iovec:
        void *iov_base
        size_t iov_len
    struct msghdr:
        iovec *msg_iov
        size_t msg_iovlen
    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len
    int recvmmsg(int fd, mmsghdr *messages, unsigned int count, int flags, timespec *timeout)

cdef enum:
    BATCH = 32                # datagrams per call
    FEW = 8                   # fewer than these: there is time to let more of them gather
    LARGEST = 65535           # bytes of a datagram
    LAST = 256                # calls at most for what is still there when it ends
    PAUSE = 1000000           # nanoseconds


cdef struct Line:             # what the thread works with
    Table *table
    Backlog backlog
    Py_ssize_t most           # bytes that may wait for Python
    int fd
    int wake                  # readable: end
    long long count           # datagrams
    long long lost            # datagrams that there was no memory to keep
    mmsghdr[32] messages
    iovec[32] pieces
    char *buffers


cdef inline double clock() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec + now.tv_nsec / 1e9


cdef inline void rest() noexcept nogil:
    cdef timespec time
    time.tv_sec, time.tv_nsec = 0, PAUSE
    nanosleep(&time, NULL)


cdef void accept(Line *line, const char *text, Py_ssize_t size, double now) noexcept nogil:
    """Take one datagram. While lines wait for Python, those that come after them wait as well."""
    cdef const char *left = text
    pthread_mutex_lock(&LOCK)
    line.count += 1
    if not line.backlog.open:
        left = run(line.table, text, text + size, now)
    if left != NULL and not put(&line.backlog, left, text + size - left):
        line.lost += 1
    pthread_mutex_unlock(&LOCK)


cdef int receive(Line *line) noexcept nogil:
    """Return how many datagrams came; 0: none, or no room for them; -1: the socket is gone."""
    cdef int got, i
    cdef double now
    if line.backlog.end - line.backlog.start > line.most:
        return 0
    got = recvmmsg(line.fd, line.messages, BATCH, MSG_DONTWAIT, NULL)
    if got < 0:
        return -1 if errno == EBADF or errno == ENOTSOCK else 0
    now = clock()
    for i in range(got):
        accept(line, line.buffers + i * LARGEST, line.messages[i].msg_len, now)
    return got


cdef void serve(Line *line) noexcept nogil:
    cdef pollfd[2] watched
    cdef int got, i
    watched[0].fd, watched[0].events = line.fd, POLLIN
    watched[1].fd, watched[1].events = line.wake, POLLIN
    while True:
        watched[0].revents = watched[1].revents = 0
        poll(watched, 2, -1)
        if watched[1].revents:
            break
        got = receive(line)
        if got < 0:
            return
        if got < FEW:
            rest()  # a turn costs more than a datagram does: some gather meanwhile
    for i in range(LAST):
        if receive(line) <= 0:
            return


cdef class Receiver:
    """Receives from a datagram socket and takes its lines in the order they came.

    `run` is the thread. Lines that are not known wait in a backlog of some *most* bytes, and with them
    all that come later: `signal` is readable until Python has fed what `take` returns. When the backlog is
    full nothing is received, so that the kernel drops and counts.
    """

    cdef Line *line
    cdef Intake intake

    def __cinit__(self, Intake intake, int fd, *, Py_ssize_t most=4 << 20):
        cdef int i
        self.intake = intake
        self.line = <Line *>calloc(1, sizeof(Line))
        if self.line == NULL:
            raise MemoryError
        self.line.table, self.line.most, self.line.fd = &intake.table, most, fd
        self.line.backlog.signal = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
        self.line.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
        self.line.buffers = <char *>malloc(BATCH * LARGEST)
        if self.line.buffers == NULL:
            raise MemoryError
        if self.line.backlog.signal < 0 or self.line.wake < 0:
            raise OSError(errno, "the receiver gets no descriptors")
        for i in range(BATCH):
            self.line.pieces[i].iov_base = self.line.buffers + i * LARGEST
            self.line.pieces[i].iov_len = LARGEST
            self.line.messages[i].msg_hdr.msg_iov = &self.line.pieces[i]
            self.line.messages[i].msg_hdr.msg_iovlen = 1

    def __dealloc__(self):
        if self.line == NULL:
            return
        for fd in (self.line.backlog.signal, self.line.wake):
            if fd >= 0:
                close(fd)
        free(self.line.backlog.text)
        free(self.line.buffers)
        free(self.line)

    @property
    def signal(self):
        """Descriptor that is readable while lines wait for Python."""
        return self.line.backlog.signal

    @property
    def count(self):
        """Datagrams that have come."""
        return self.line.count

    @property
    def lost(self):
        """Datagrams whose lines are lost, because there was no memory."""
        return self.line.lost

    @property
    def waiting(self):
        """Bytes of lines that wait for Python."""
        return self.line.backlog.end - self.line.backlog.start

    def run(self):
        """Receive until `stop`, and then what is still there."""
        with nogil:
            serve(self.line)

    def stop(self):
        """Let `run` end, in whatever thread it is."""
        cdef uint64_t one = 1
        write(self.line.wake, &one, 8)

    def take(self):
        """Return lines that wait, None when there are none; those taken before must have been fed."""
        cdef Backlog *backlog = &self.line.backlog
        cdef bytes lines = None
        cdef Py_ssize_t size
        pthread_mutex_lock(&LOCK)
        try:
            size = piece(backlog)
            if size:
                lines = PyBytes_FromStringAndSize(backlog.text + backlog.start, size - 1)
                backlog.start += size
            else:
                shut(backlog)
        finally:
            pthread_mutex_unlock(&LOCK)
        return lines
