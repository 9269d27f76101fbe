# The marks of podmates_redis.marks, for both sides: the pinned clients of Python write here too. The law
# stands there. `unanswered` counts the writes that are on their way by generation; what was not answered
# within LATE leaves the proof and is marked anew when it is answered.

cdef enum:
    LATE = 1000000000         # nanoseconds

cdef inline uint64_t mark_sent(Core* core) noexcept nogil:
    """Mark the keys at hand for a write that is on its way; return its generation."""
    mark_now(core)
    core.unanswered[core.generation & (RING - 1)] += 1
    return core.generation

cdef inline void mark_now(Core* core) noexcept nogil:
    """Mark the keys at hand as written before now."""
    cdef int i
    core.newest = core.generation
    if core.key_count < 0:
        core.everything = core.generation
    for i in range(core.key_count):
        core.marks[core.places_of_keys[i]] = core.generation

cdef inline bint mark_settled(Core* core, uint64_t generation) noexcept nogil:
    """A write of *generation* is answered; False: it was late, so its keys are to be marked anew."""
    if generation <= core.late:
        return False
    core.unanswered[generation & (RING - 1)] -= 1
    return True

cdef inline uint64_t needed(Core* core) noexcept nogil:
    """Return the generation that a replica must cover to serve a read of the keys at hand."""
    cdef uint64_t need = core.everything
    cdef int i
    if core.key_count < 0:
        return need if need > core.newest else core.newest
    for i in range(core.key_count):
        if core.marks[core.places_of_keys[i]] > need:
            need = core.marks[core.places_of_keys[i]]
    return need

cdef uint64_t begin_proof(Core* core) noexcept nogil:
    """Return which generations a probe proves that is sent to the master after this; begin a new one."""
    cdef uint64_t g, proven = core.generation
    core.ended[core.generation & (RING - 1)] = core.now
    g = core.oldest
    while g < core.generation:
        if g > core.late and core.unanswered[g & (RING - 1)]:
            if core.now - core.ended[g & (RING - 1)] <= LATE and core.generation - g < RING - 1:
                break
            core.late = g
            core.unanswered[g & (RING - 1)] = 0
        g += 1
    core.oldest = g
    if core.unanswered[g & (RING - 1)]:
        proven = g - 1
    core.generation += 1
    core.unanswered[core.generation & (RING - 1)] = 0
    return proven

cdef void forget_proofs(Core* core) noexcept nogil:
    """Let nothing be covered: all marks count as set."""
    cdef int i
    core.ended[core.generation & (RING - 1)] = core.now
    core.everything = core.generation
    core.generation += 1
    core.unanswered[core.generation & (RING - 1)] = 0
    if core.generation - core.oldest >= RING - 1:
        core.late = core.oldest if core.oldest > core.late else core.late
        core.unanswered[core.oldest & (RING - 1)] = 0
        core.oldest += 1
    for i in range(PLACES):
        core.places[i].covered = 0
