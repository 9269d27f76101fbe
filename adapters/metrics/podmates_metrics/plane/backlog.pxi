# What a receiver leaves to Python: lines in the order they came, in one block of memory.
from posix.unistd cimport read, write

cdef extern from "<sys/eventfd.h>" nogil:
    enum:
        EFD_CLOEXEC
        EFD_NONBLOCK
    int eventfd(unsigned int start, int flags)

cdef enum:
    SMALL = 1 << 16           # bytes that are kept for the next time
    SLICE = 1 << 16           # bytes at most that Python takes at once; no datagram is longer


cdef struct Backlog:
    char *text
    Py_ssize_t start          # what Python has taken ends here
    Py_ssize_t end
    Py_ssize_t room
    bint open                 # there is something, or Python is still at it
    int signal                # readable while it is so


cdef bint put(Backlog *backlog, const char *text, Py_ssize_t size) noexcept nogil:
    """Append lines; False: there is no memory, and they are not in it."""
    cdef Py_ssize_t needed = backlog.end + size + 1
    cdef Py_ssize_t room = backlog.room if backlog.room else SMALL
    cdef uint64_t one = 1
    cdef char *wider
    if needed > backlog.room and backlog.start * 2 > backlog.end:
        backlog.end -= backlog.start
        memmove(backlog.text, backlog.text + backlog.start, backlog.end)
        backlog.start, needed = 0, backlog.end + size + 1
    if needed > backlog.room:
        while room < needed:
            room *= 2
        wider = <char *>realloc(backlog.text, room)
        if wider == NULL:
            return False
        backlog.text, backlog.room = wider, room
    memcpy(backlog.text + backlog.end, text, size)
    backlog.text[backlog.end + size] = c'\n'
    backlog.end += size + 1
    if not backlog.open:
        backlog.open = True
        write(backlog.signal, &one, 8)
    return True


cdef Py_ssize_t piece(Backlog *backlog) noexcept nogil:
    """Return how many bytes from `start` on are whole lines, at most a slice; 0: nothing is there."""
    cdef Py_ssize_t size = backlog.end - backlog.start
    if size > SLICE:
        size = SLICE
        while size and backlog.text[backlog.start + size - 1] != c'\n':
            size -= 1
    return size


cdef void shut(Backlog *backlog) noexcept nogil:
    """Note that Python has done everything."""
    cdef uint64_t many
    backlog.start = backlog.end = 0
    if backlog.room > SMALL:
        free(backlog.text)
        backlog.text, backlog.room = NULL, 0
    if backlog.open:
        backlog.open = False
        read(backlog.signal, &many, 8)
