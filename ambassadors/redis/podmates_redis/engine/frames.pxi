# Cuts requests out of a client's bytes. Only what every client library sends is known here: an array of
# bulk strings, canonical numbers, CRLF where it belongs. Everything else is Python's, errors included.

cdef inline const uint8_t* number_line(const uint8_t* p, const uint8_t* end, int* value) noexcept nogil:
    """Read digits and CRLF. Return the byte behind, NULL when incomplete; value is -1 when malformed."""
    cdef int v = 0, digits = 0
    cdef uint8_t c
    while p < end:
        c = p[0]
        if c == 13:
            if p + 1 >= end:
                return NULL
            value[0] = v if digits and p[1] == 10 else -1
            return p + 2
        if c < 48 or c > 57 or digits == 9 or (digits == 1 and v == 0):
            value[0] = -1
            return p
        v = v * 10 + (c - 48)
        digits += 1
        p += 1
    return NULL

cdef int next_request(const uint8_t* p, const uint8_t* end, Request* r, uint32_t* need,
                      const uint8_t** name, int* name_size) noexcept nogil:
    """1: a whole frame; 0: incomplete, `need` bytes at least; -1: not for this side."""
    cdef const uint8_t* start = p
    cdef int size = 0, count = 0, i
    need[0] = <uint32_t>(end - p) + 1
    if p[0] != 42:                                    # '*'
        return -1
    p = number_line(p + 1, end, &count)
    if p == NULL:
        return 0
    if count < 1 or count > PLAIN_LIMIT // 4:
        return -1
    r.start = start
    r.words = <uint32_t>count
    r.key = NULL
    r.key_size = 0
    r.replies = 1
    for i in range(count):
        if p >= end:
            return 0
        if p[0] != 36:                                # '$'
            return -1
        p = number_line(p + 1, end, &size)
        if p == NULL:
            return 0 if end - start < PLAIN_LIMIT else -1
        if size < 0 or size > PLAIN_LIMIT or (p - start) + size + 2 > PLAIN_LIMIT:
            return -1
        if end - p < size + 2:
            need[0] = <uint32_t>(p - start) + <uint32_t>size + 2
            return 0
        if p[size] != 13 or p[size + 1] != 10:        # not every server takes it: Python writes it anew
            return -1
        if i == 0:
            name[0] = p
            name_size[0] = size
        elif i == 1:
            r.key = p
            r.key_size = <uint32_t>size
        p += size + 2
    r.size = <uint32_t>(p - start)
    return 1

cdef inline const uint8_t* first_word(Request* r, int* size) noexcept nogil:
    """Return the name in a whole frame."""
    cdef int count = 0
    cdef const uint8_t* p = number_line(r.start + 1, r.start + r.size, &count)
    return number_line(p + 1, r.start + r.size, size)

cdef inline const uint8_t* word_after(Request* r, const uint8_t* word, int* size) noexcept nogil:
    """Return the word behind *word* of *size* bytes in a whole frame; there must be one."""
    return number_line(word + size[0] + 3, r.start + r.size, size)

cdef bint is_word(const uint8_t* p, int size, const char* lower) noexcept nogil:
    """Tell whether the word is *lower* in any case."""
    cdef int i
    for i in range(size):
        if lower[i] == 0 or LOWER[p[i]] != <uint8_t>lower[i]:
            return False
    return lower[size] == 0
