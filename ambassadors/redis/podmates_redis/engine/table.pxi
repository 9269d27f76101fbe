# What is known of commands: found by name, refined by arguments, and which keys a request names.

cdef uint8_t LOWER[256]
cdef int _letter
for _letter in range(256):
    LOWER[_letter] = _letter + 32 if 65 <= _letter <= 90 else _letter

cdef inline uint32_t name_hash(const uint8_t* name) noexcept nogil:
    cdef uint64_t w[4]
    memcpy(w, name, NAME_BYTES)
    cdef uint64_t h = (w[0] ^ (w[1] * <uint64_t>0x9E3779B97F4A7C15) ^ (w[2] << 7) ^ (w[3] << 19))
    h *= <uint64_t>0xD6E8FEB86659FD93
    return <uint32_t>(h >> 40)

cdef Command* find_name(Core* core, const uint8_t* folded) noexcept nogil:
    cdef uint32_t at = name_hash(folded)
    cdef Command* command
    while True:
        command = &core.commands[at & (COMMANDS - 1)]
        if not command.used:
            return NULL
        if memcmp(command.name, folded, NAME_BYTES) == 0:
            return command
        at += 1

cdef Command* find_command(Core* core, Request* r, const uint8_t* name, int size) noexcept nogil:
    """Return the command that *r* calls; NULL: not known, or too long to be."""
    cdef uint8_t folded[NAME_BYTES]
    cdef int i
    cdef Command* command
    if size >= NAME_BYTES or size == 0:
        return NULL
    memset(folded, 0, NAME_BYTES)
    for i in range(size):
        if name[i] == 124 or name[i] == 0:            # '|' stands in our names only
            return NULL
        folded[i] = LOWER[name[i]]
    command = find_name(core, folded)
    if command == NULL or not command.flags & CONTAINER or r.words < 2:
        return command
    if size + 1 + <int>r.key_size >= NAME_BYTES or r.key_size == 0:
        return NULL
    folded[size] = 124
    for i in range(<int>r.key_size):
        if r.key[i] == 0:
            return NULL
        folded[size + 1 + i] = LOWER[r.key[i]]
    return find_name(core, folded)

cdef void refine(Request* r) noexcept nogil:
    """Let the arguments have their say: `kind`, `flags` and `reason` of *r* follow from its command."""
    cdef Command* command = r.command
    cdef const uint8_t* word
    cdef int size = 0
    cdef uint32_t i
    r.kind, r.flags, r.reason = command.kind, <uint8_t>command.flags, command.reason
    if (command.arity >= 0 and <int>r.words != command.arity) or (command.arity < 0 and <int>r.words < -command.arity):
        if r.kind != HARD and r.kind != MULTI and r.kind != EXEC:
            r.kind = PLAIN                            # the server has the right words for it
            r.flags = 0
        return
    if not command.flags & (SET_OPTIONS | HARD_BLOCK | ANY_BY_GET | EVERYTHING_DB):
        return
    word = first_word(r, &size)
    for i in range(1, r.words):
        word = word_after(r, word, &size)
        if i < 3 and not command.flags & HARD_BLOCK:
            if not (i == 2 and command.flags & ANY_BY_GET):
                continue
        if command.flags & HARD_BLOCK:
            if is_word(word, size, b"block"):
                r.kind = HARD
                return
            if is_word(word, size, b"streams"):
                return
        elif command.flags & SET_OPTIONS:
            if is_set_option(word, size):
                r.flags |= ACQUIRES
        elif command.flags & ANY_BY_GET:
            if is_word(word, size, b"by") or is_word(word, size, b"get"):
                r.flags |= EVERYTHING
        elif is_word(word, size, b"db"):
            r.flags |= EVERYTHING

cdef inline bint is_set_option(const uint8_t* word, int size) noexcept nogil:
    if size < 2 or size > 5:
        return False
    return (is_word(word, size, b"nx") or is_word(word, size, b"xx") or is_word(word, size, b"get")
            or is_word(word, size, b"ifeq") or is_word(word, size, b"ifne") or is_word(word, size, b"ifdeq")
            or is_word(word, size, b"ifdne"))

cdef inline uint32_t key_mark(uint64_t seed, uint32_t database, const uint8_t* key, size_t size) noexcept nogil:
    """Return the place of a key among the marks: eight bytes at a time, multiply and fold."""
    cdef uint64_t h = (seed + database) ^ (<uint64_t>size * <uint64_t>0x9E3779B97F4A7C15), w
    while size >= 8:
        memcpy(&w, key, 8)
        h = (h ^ w) * <uint64_t>0xD6E8FEB86659FD93
        h ^= h >> 32
        key += 8
        size -= 8
    w = 0
    memcpy(&w, key, size)
    h = (h ^ w) * <uint64_t>0xD6E8FEB86659FD93
    h ^= h >> 32
    return <uint32_t>(h >> 40) & (MARKS - 1)

cdef inline void take_key(Core* core, uint32_t database, const uint8_t* key, int size) noexcept nogil:
    core.places_of_keys[core.key_count] = <uint16_t>key_mark(core.seed, database, key, <size_t>size)
    core.key_count += 1

cdef void keys_of(Core* core, uint32_t database, Request* r) noexcept nogil:
    """Put the marks of the keys that *r* names into `places_of_keys`; key_count -1: it may be any."""
    core.key_count = 0
    if r.kind == BLOCK:
        keys_of_block(core, database, r)
    else:
        add_keys(core, database, r)

cdef void add_keys(Core* core, uint32_t database, Request* r) noexcept nogil:
    cdef Command* command = r.command
    if core.key_count < 0 or r.kind == PLAIN or r.kind == LOCAL:
        return
    if r.flags & EVERYTHING or command.rule == ANY_KEY:
        core.key_count = -1
    elif command.rule == RANGE and command.first == 1 and command.last == 1:
        if r.key != NULL:
            take_key(core, database, r.key, <int>r.key_size)
    elif command.rule != NO_KEYS:
        walk_keys(core, database, r)

cdef void walk_keys(Core* core, uint32_t database, Request* r) noexcept nogil:
    """The same for keys that do not simply stand first."""
    cdef Command* command = r.command
    cdef const uint8_t* word
    cdef int size = 0, i, first = command.first, last = command.last, step = command.step, also = 0, words
    words = <int>r.words
    if command.rule == RANGE:
        if last < 0:
            last += words
    elif command.rule == NUMBERED:
        also = last
        last = numbered(r, first)
        if last <= 0:
            core.key_count = -1
            return
        first, last, step = first + 1, first + last, 1
    elif command.rule == STREAMS:
        first = streams(r)
        if first == 0 or (words - first) // 2 == 0:
            core.key_count = -1
            return
        last, step = first + (words - first) // 2 - 1, 1
    else:
        first, last, step = 1, 1, 1
    word = first_word(r, &size)
    for i in range(1, words):
        word = word_after(r, word, &size)
        if i == also or (first <= i <= last and (i - first) % step == 0):
            take_key(core, database, word, size)
        if command.rule == STORED and i >= 2 and i + 1 < words:
            if is_word(word, size, b"store") or (command.last == 2 and is_word(word, size, b"storedist")):
                also = i + 1

cdef int numbered(Request* r, int place) noexcept nogil:
    """Return the number of keys that stands at *place*; 0: none that makes sense."""
    cdef const uint8_t* word
    cdef int size = 0, i, value = 0
    if place >= <int>r.words:
        return 0
    word = first_word(r, &size)
    for i in range(place):
        word = word_after(r, word, &size)
    if size == 0 or size > 6:
        return 0
    for i in range(size):
        if word[i] < 48 or word[i] > 57:
            return 0
        value = value * 10 + (word[i] - 48)
    return value

cdef int streams(Request* r) noexcept nogil:
    """Return the place behind the word STREAMS; 0: there is none."""
    cdef const uint8_t* word
    cdef int size = 0, i
    word = first_word(r, &size)
    for i in range(1, <int>r.words):
        word = word_after(r, word, &size)
        if is_word(word, size, b"streams"):
            return i + 1
    return 0

cdef void keys_of_block(Core* core, uint32_t database, Request* block) noexcept nogil:
    """The keys that the writes of a whole block name."""
    cdef Request r
    cdef const uint8_t* p = block.start
    cdef const uint8_t* name = NULL
    cdef uint32_t need = 0
    cdef int size = 0
    while p < block.start + block.size:
        if next_request(p, block.start + block.size, &r, &need, &name, &size) != 1:
            core.key_count = -1                       # cannot be: it was whole when it came
            return
        r.command = find_command(core, &r, name, size)
        if r.command == NULL:
            core.key_count = -1
            return
        refine(&r)
        if r.kind == WRITE:
            add_keys(core, database, &r)
        p += r.size

cdef inline void bits_of(Core* core, uint64_t* bits) noexcept nogil:
    """Add the marks of the request at hand to a set of 256 bits."""
    cdef int i
    if core.key_count < 0:
        memset(bits, 255, 32)
    for i in range(core.key_count):
        bits[(core.places_of_keys[i] >> 6) & 3] |= (<uint64_t>1) << (core.places_of_keys[i] & 63)

cdef inline bint hits(Core* core, uint64_t* bits) noexcept nogil:
    """Tell whether the request at hand names a key of the set."""
    cdef int i
    if core.key_count < 0:
        return (bits[0] | bits[1] | bits[2] | bits[3]) != 0
    for i in range(core.key_count):
        if bits[(core.places_of_keys[i] >> 6) & 3] & ((<uint64_t>1) << (core.places_of_keys[i] & 63)):
            return True
    return False
