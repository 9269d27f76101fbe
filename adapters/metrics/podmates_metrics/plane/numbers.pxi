# Reading numbers, exactly as Python's float does; what is no decimal is left to Python.

cdef enum:
    DIGITS = 15               # so many are exact in a double
    LONGEST = 63              # characters of a number that is read here

cdef double[16] POWERS
cdef int _power
for _power in range(16):
    POWERS[_power] = 10.0 ** _power


cdef inline int plain(const char *text, const char *end, double *out) noexcept nogil:
    """Read a decimal of at most 15 digits; anything else gives 0."""
    cdef long long whole = 0
    cdef int digits = 0, negative = 0, point = -1
    if text < end and (text[0] == c'-' or text[0] == c'+'):
        negative = text[0] == c'-'
        text += 1
    while text < end:
        if c'0' <= text[0] <= c'9':
            whole = whole * 10 + (text[0] - c'0')
            digits += 1
            if point >= 0:
                point += 1
        elif text[0] == c'.' and point < 0:
            point = 0
        else:
            return 0
        if digits > DIGITS:
            return 0
        text += 1
    if digits == 0:
        return 0
    cdef double value = <double>whole
    if point > 0:
        value /= POWERS[point]
    out[0] = -value if negative else value
    return 1


cdef inline const char *digits_end(const char *text, const char *end) noexcept nogil:
    while text < end and c'0' <= text[0] <= c'9':
        text += 1
    return text


cdef int decimal(const char *text, const char *end, double *out) noexcept nogil:
    """Read any decimal, with or without exponent, that is finite; anything else gives 0."""
    cdef char[64] copy
    cdef const char *at = text
    cdef const char *whole
    cdef const char *fraction
    cdef Py_ssize_t digits
    if plain(text, end, out):
        return 1
    if end - text > LONGEST:
        return 0
    if at < end and (at[0] == c'-' or at[0] == c'+'):
        at += 1
    whole = at
    at = digits_end(at, end)
    digits = at - whole
    if at < end and at[0] == c'.':
        fraction = at + 1
        at = digits_end(fraction, end)
        digits += at - fraction
    if digits == 0:
        return 0
    if at < end and (at[0] == c'e' or at[0] == c'E'):
        at += 1
        if at < end and (at[0] == c'-' or at[0] == c'+'):
            at += 1
        whole = at
        at = digits_end(at, end)
        if at == whole:
            return 0
    if at != end:
        return 0
    memcpy(copy, text, end - text)
    copy[end - text] = 0
    out[0] = strtod(copy, NULL)  # rounds correctly, as Python does; the locale is never set
    return out[0] - out[0] == 0.0
