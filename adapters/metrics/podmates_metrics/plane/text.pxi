# The lines of counters and gauges, as `exposition.text.numbers` writes them.
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.math cimport floor

from podmates_metrics.golang import format_float

cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL
    char *PyOS_double_to_string(double value, char how, int precision, int flags, int *kind) except NULL
    void PyMem_Free(void *block)


cdef class Writer:
    """Text that grows."""

    cdef char *text
    cdef Py_ssize_t size
    cdef Py_ssize_t room

    def __dealloc__(self):
        free(self.text)

    cdef int need(self, Py_ssize_t more) except -1:
        """Make room for *more* bytes."""
        cdef Py_ssize_t room = self.room if self.room else 1 << 14
        cdef char *wider
        if self.size + more <= self.room:
            return 0
        while room < self.size + more:
            room *= 2
        wider = <char *>realloc(self.text, room)
        if wider == NULL:
            raise MemoryError
        self.text, self.room = wider, room
        return 0

    cdef int put(self, const char *text, Py_ssize_t size) except -1:
        self.need(size)
        memcpy(self.text + self.size, text, size)
        self.size += size
        return 0

    cdef int put_text(self, object text) except -1:
        cdef Py_ssize_t size
        cdef const char *raw = PyUnicode_AsUTF8AndSize(text, &size)
        return self.put(raw, size)

    cdef int put_escaped(self, object text, bint quoted) except -1:
        """Add a label's value (*quoted*) or a help text."""
        cdef Py_ssize_t size, i
        cdef const char *raw = PyUnicode_AsUTF8AndSize(text, &size)
        cdef char *at
        self.need(size * 2)
        at = self.text + self.size
        for i in range(size):
            if raw[i] == c'\n':
                at[0], at[1] = c'\\', c'n'
                at += 2
                continue
            if raw[i] == c'\\' or (quoted and raw[i] == c'"'):
                at[0] = c'\\'
                at += 1
            at[0] = raw[i]
            at += 1
        self.size = at - self.text
        return 0

    cdef int put_whole(self, long long value) except -1:
        cdef char[24] digits
        cdef int at = 24
        cdef bint negative = value < 0
        if negative:
            value = -value
        while True:
            at -= 1
            digits[at] = <char>(c'0' + value % 10)
            value //= 10
            if value == 0:
                break
        if negative:
            at -= 1
            digits[at] = c'-'
        return self.put(digits + at, 24 - at)

    cdef int put_number(self, double value) except -1:
        """Add *value* as `format_float` writes it."""
        cdef double size = -value if value < 0 else value
        cdef char *text
        if 1 <= size < 1e6 and floor(value) == value:
            return self.put_whole(<long long>value)
        if not 1e-4 <= size < 1e6:
            return self.put_text("0" if size == 0 and 1 / value > 0 else format_float(value))
        text = PyOS_double_to_string(value, c'r', 0, 0, NULL)
        try:
            return self.put(text, <Py_ssize_t>strlen(text))
        finally:
            PyMem_Free(text)

    cdef int put_labels(self, tuple labels) except -1:
        cdef bint first = True
        if not labels:
            return 0
        for label in labels:
            self.put(b"{" if first else b",", 1)
            self.put_text((<tuple>label)[0])
            self.put(b'="', 2)
            self.put_escaped((<tuple>label)[1], True)
            self.put(b'"', 1)
            first = False
        return self.put(b"}", 1)


def numbers(list parts, head=None):
    """Return the text of *parts*, each a family, some of its series and whether they are the first.

    *head* makes the comment lines of name, kind, help and unit; None: those of the text format 0.0.4.
    """
    cdef Writer writer = Writer()
    cdef Cell cell
    for family, several, first in parts:
        name = family.name
        if first and head is not None:
            writer.put_text(head(name, family.kind, family.help, ""))
        elif first:
            writer.put(b"# HELP ", 7)
            writer.put_text(name)
            writer.put(b" ", 1)
            writer.put_escaped(family.help, False)
            writer.put(b"\n# TYPE ", 8)
            writer.put_text(name)
            writer.put(b" ", 1)
            writer.put_text(family.kind)
            writer.put(b"\n", 1)
        for series in <list>several:
            cell = series.cell
            writer.put_text(name)
            writer.put_labels(series.labels)
            writer.put(b" ", 1)
            writer.put_number(cell.state.value)
            writer.put(b"\n", 1)
    return PyUnicode_DecodeUTF8(writer.text, writer.size, NULL) if writer.size else ""
