# The shapes of the engine: what is known of commands, clients, requests on their way and servers.
#
# Who owns what: a client lives while its descriptor is here or a slot points at it; a slot lives in its
# upstream's ring from sending to the end of the reply; an upstream lives while it is current or owes replies.
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memchr, memcmp, memcpy, memmove, memset

cdef enum:
    # Command.kind; the same numbers stand in rules.py
    READ = 0                  # may be served by a replica
    WRITE = 1                 # changes keys
    PLAIN = 2                 # the master's answer, changes no key
    LOCAL = 3                 # PING and ECHO, answered here
    MULTI = 4                 # begins a block
    EXEC = 5                  # ends it
    HARD = 6                  # Python's
    BLOCK = 7                 # a whole MULTI .. EXEC, as one request

    # Command.rule: where the keys stand
    NO_KEYS = 0
    RANGE = 1                 # first, last, step as in COMMAND's reply
    NUMBERED = 2              # their number stands at `first`; `last` is the place of a destination, 0: none
    STREAMS = 3               # the first half of what follows the word STREAMS
    STORED = 4                # the first argument, and what follows STORE or, with a `last` of 2, STOREDIST
    ANY_KEY = 5               # cannot be said

    # Command.flags
    ACQUIRES = 1              # its reply may tell about writes of other pods
    EVERYTHING = 2            # a write whose keys cannot be known; a block that is more than reads
    CONTAINER = 4             # the second word says which command it is
    SET_OPTIONS = 8           # acquires with NX, XX, GET, IFEQ ..
    HARD_BLOCK = 16           # hard with the word BLOCK before STREAMS
    ANY_BY_GET = 32           # any key with BY or GET
    EVERYTHING_DB = 64        # everything with the word DB
    REPEATABLE = 128          # can run twice without anybody noticing

    # why a read is at the master (Slot.reason, Command.reason); the same order stands in rules.py
    WHY_NONE = 0
    WHY_MARK = 1
    WHY_ACQUIRE = 2
    WHY_PIPELINE = 3
    WHY_POLICY = 4
    WHY_CURSOR = 5
    WHY_NO_REPLICA = 6
    WHY_LAG = 7
    WHY_RETRY = 8
    WHY_TRANSACTION = 9
    REASONS = 10

    BY_MASTER = 0             # how a command was answered, for the tally
    BY_REPLICA = 1
    BY_LOCAL = 2
    ROUTES = 3

    NAME_BYTES = 32
    WORD_BYTES = 16
    SLOWS = 128               # slow requests that are kept until Python takes them
    WORDS = 64                # first words of errors that are counted
    BUCKETS = 13              # of a histogram; their bounds stand in figures.pxi
    COMMANDS = 2048           # places of the hash table, a power of two
    MARKS = 65536
    RING = 1024               # generations that can have unanswered writes at a time
    PLACES = 16               # of a group: 0 is the master, the others are replicas
    GROUPS = 64
    KEYS = 32768              # that a plain request can name, at most
    BATCH = 256               # requests looked at together
    PLAIN_LIMIT = 65536       # bytes; longer requests are Python's: a stalled upload must not block the pod
    RECEIVE = 65536           # bytes of an upstream's receive buffer
    LINE = 1024               # bytes of a line without end from which it is passed on unfinished
    WINDOW = 16               # unanswered commands of a client that has not shown yet that it takes its replies
    WIDEST = 1024             # others may have to wait behind so many
    STUCK_AFTER = 1000000000  # nanoseconds
    REFUSAL = 512             # bytes of what a server says that refuses a command
    CREDIT = 50000            # fifths of a retry that are saved up at most
    UNREAD = 262144           # bytes of unread output from which later commands are Python's; less when memory is
                              # scarce
    KEPT = 8                  # times as many, the rest of the reply at hand included, from which the connection that
                              # brings it is not read
    EARLY = 16                # times as many of replies that wait for an earlier one, from which the same holds
    WHERE = 37                # bytes that say where a connection begins and ends: family, two addresses with ports
    NOTHING = 65535           # the number of no command
    OTHERS_WAIT = 200000000   # nanoseconds for which others may have to wait behind that
    ANOTHER = 2000000000      # nanoseconds for which they may have to wait for another connection

    # Client.state
    OPEN = 0
    LEAVING = 1               # reads nothing more; to Python when drained
    DOOMED = 2                # to be closed at once
    CLOSED = 3                # descriptor gone; replies still due are dropped
    AWAY = 4                  # with Python

    # what client_input() says
    FINE = 0
    LEAVE = 1                 # to Python, when what is on its way is answered
    HOLD = 2                  # to wait: Client.hold says for what
    MORE = 3                  # a block that may be complete with more bytes
    FAIL = 4                  # no memory

    # Client.did
    WROTE = 1                 # here; its replies are to be waited for elsewhere
    TRANSACTED = 2            # a block

    # Client.why, for the count of those that are gone
    ENDED_ITSELF = 0
    BY_SERVER = 1             # what it was owed is lost
    TOOK_TOO_LITTLE = 2       # of its replies
    DRAINED = 3
    KILLED = 4
    FAULT = 5                 # an error of ours, which only the twin can notice
    ENDS = 6

    # Client.hold
    FOR_READS = 1             # until its reads at the replica are answered
    FOR_MASTER = 2            # until the master of its group can be used
    FOR_REPLIES = 3           # until half of its window is answered

    # what an event's pointer points at (first member of each shape)
    IS_CLIENT = 1
    IS_UPSTREAM = 2
    IS_LISTENER = 3
    IS_WAKE = 4

    # Event.what; this, Client.did and Client.why stand in events.py as well
    LEFT = 1                  # a client of which Python keeps something is gone
    UPSTREAM_LOST = 2
    REFUSED = 3               # a server said that it is not what it was taken for
    STUCK = 4                 # a shared connection is not answered: another one is wanted
    TURNED_AWAY = 5           # reads go to the master for want of proof
    LATE_REPLY = 6            # a server took too long
    SLOW = 7                  # many requests took long: they are to be taken

cdef struct Times:            # a histogram
    uint64_t counts[BUCKETS]
    uint64_t total            # nanoseconds

cdef struct Slow:             # a request that took long; times in nanoseconds
    uint64_t client, at, took, queued, served, size
    uint32_t command, place, request_size
    uint8_t* request          # its bytes; NULL: a block
    uint8_t where[WHERE]      # its client is

cdef struct Word:
    uint8_t text[WORD_BYTES]  # padded with zeros
    uint64_t count

cdef struct Command:
    uint8_t name[NAME_BYTES]  # lower case, `container|sub`, padded with zeros
    uint8_t used, kind, rule, reason
    uint16_t flags
    int arity, first, last, step
    uint64_t tally[ROUTES][2] # answered well, with an error
    Times* took[ROUTES]       # NULL: nothing yet

cdef struct Request:          # one whole request in a client's bytes
    const uint8_t* start
    const uint8_t* key        # the second word
    Command* command
    uint32_t size, words, key_size
    uint32_t replies          # 1, or those of a block
    uint8_t kind, flags, reason

cdef struct Parked:           # a reply, or its beginning, that came before its turn
    uint8_t* data
    size_t size, room
    uint32_t seq
    bint used, complete

cdef struct Client:
    int what, fd
    uint64_t id
    uint8_t state, hold, place            # place: its replica, 0: none chosen yet
    uint8_t why                           # it is closed
    uint8_t dirty, reading, wants_write, resumed
    uint8_t ended                         # it sends nothing more, or is not asked any more
    uint8_t moved                         # some of its commands were taken from one master to the next
    uint8_t twice                         # for a moment: it is among the slots of the connection at hand
    uint8_t known                         # to Python: it has to hear when it is gone
    uint8_t did                           # WROTE, TRANSACTED
    uint8_t unpaced                       # until it has taken all, they are read nevertheless
    uint16_t command                      # its last
    uint8_t where[WHERE]                  # it is connected, see where_is()
    uint32_t group
    uint32_t next_seq, head_seq           # of its next request; of the reply it is owed next
    uint32_t window                       # unanswered commands that it may have
    uint32_t at_master, at_replica        # slots that point here
    uint32_t writes                       # of these, writes
    uint64_t born, heard                  # nanoseconds: when it came, and last sent something
    uint32_t pauses                       # connections that are not read because of it
    uint8_t sending                       # more, while it is not read
    uint64_t taken                        # nanoseconds: when it last took something
    uint64_t oldest_write                 # no unanswered write of it is of an older generation
    Upstream* master                      # where its latest commands went
    Upstream* replica
    uint64_t bits[4]                      # keys read at the replica and not answered
    uint8_t* input                        # an incomplete request, or what is held back (NULL when idle)
    uint32_t input_size, input_room, input_need
    const uint8_t* fresh                  # in an upstream's receive buffer: good until flushed
    size_t fresh_size
    uint8_t* output                       # what the kernel did not take (NULL when idle)
    size_t output_start, output_size, output_room
    Parked* parked                        # NULL unless replies of two upstreams overtook each other
    uint32_t parked_room, parked_count
    size_t parked_bytes
    Client* next_dirty
    Client* previous
    Client* next

cdef struct Slot:             # one request on its way
    Client* client
    uint64_t since, began     # nanoseconds: when it came, and when it was sent
    uint64_t generation       # of a write that is sent; 0: not counted
    uint64_t passed           # bytes of its reply that are passed on
    uint32_t seq, size
    uint32_t replies, owed    # in all (more than one: a block); still to come
    uint32_t told             # of the block: replies that the client has already
    uint32_t silent           # replies to drop, since an earlier sending has brought them
    uint16_t command
    uint8_t kind, flags, reason
    uint8_t tries             # times that a reply to it was lost
    bint refused_before       # its group knows in what words
    bint partial              # some of the reply at hand has been passed on
    bint refused              # its block was: drop what comes, send it again at the end
    bint over                 # its reply is for nobody: its client has been told something, or asks elsewhere
    bint elsewhere            # a replica that failed had it before

cdef struct Upstream:
    int what, fd              # fd -1: what it holds waits for a connection
    uint32_t group, place
    uint8_t* log              # ring of request bytes, absolute positions: head <= sent <= tail
    uint64_t log_room, head, sent, tail
    Slot* slots
    uint32_t slots_room, first, last
    uint8_t* received         # begins with what was left of the last turn
    size_t received_size
    uint64_t need             # elements that the reply at hand still lacks
    uint64_t skip             # bytes of the bulk at hand still to come, CRLF included
    bint in_line              # within a line that is passed on unfinished
    bint error                # the reply at hand is an error line
    bint wants_write, current
    bint stuck                # its head is unanswered for long
    Client* paused_for        # not read, since this client does not take what it brings
    uint64_t paused_at        # nanoseconds
    bint late                 # a client was told so: nobody is to wait behind that
    bint hopeless             # to be closed at the end of the turn
    bint collecting           # refused something, or is the master no more: take what it owes, send nothing
    uint64_t collect_until    # nanoseconds
    uint64_t moved            # nanoseconds: when it last said something
    Upstream* next

cdef struct Group:            # one class of shared connections: RESP version, user, database
    bint used
    uint32_t database
    uint32_t collecting       # masters of it that still owe replies
    Upstream* current[PLACES] # that of the master is never NULL in a used group
    Upstream* spare           # at hand, so that losing one never needs memory
    uint8_t refusal[REFUSAL]  # what a master last said that refused something
    size_t refusal_size

cdef struct Place:            # a replica, for all groups
    bint usable
    uint64_t covered          # the generation of marks it is proven to have
    uint64_t clients
    uint64_t others           # clients of Python that read there
    double share              # of the clients, less for one that came back just now
    uint64_t reads
    uint64_t sent, received   # bytes
    Times served              # from sending a request to having its reply

cdef struct Event:            # for Python
    int what
    uint32_t group, place
    uint64_t id

cdef struct Seen:             # of a client, for Python
    uint64_t id, born, ago
    int fd
    uint32_t unread
    uint16_t command
    uint8_t did
    uint8_t where[WHERE]

cdef struct Core:
    Command commands[COMMANDS]
    uint64_t marks[MARKS]
    uint64_t unanswered[RING] # writes by generation
    uint64_t ended[RING]      # nanoseconds: when that generation was over
    uint64_t generation, floor, late, everything, newest, oldest
    uint64_t seed
    uint16_t places_of_keys[KEYS]    # marks of the request at hand
    int key_count             # -1: any
    Request batch[BATCH]
    uint64_t bits[4]
    uint8_t scratch[PLAIN_LIMIT]
    Group groups[GROUPS]
    Place places[PLACES]
    Upstream* upstreams       # all
    Upstream* dead_upstreams
    bint reads_allowed, prove_marks, prove_floor, lagging
    bint turned_away
    uint64_t reads[REASONS]   # answered at the master, by reason
    uint64_t retries, holds, resent, lost
    Times queued[ROUTES]      # from a request's arrival to its sending
    Word words[WORDS]
    Slow slows[SLOWS]
    uint32_t slow_count       # since Python took them
    uint64_t slow             # nanoseconds from which a request is one; 0: none is
    uint64_t now              # nanoseconds
    Client* dirty
    Client clients            # sentinel of the list of all
    Client nobody             # whose requests are asked elsewhere
    Client* leavers
    Client* graves
    uint64_t client_count, next_id
    uint64_t gone[ENDS]       # clients, by why
    size_t elsewhere          # bytes that Python keeps for clients
    size_t memory, memory_limit, client_limit, unread
    Event* events
    uint32_t event_count, event_room
    bint events_lost
    bint close_unknown        # the client of a write that may have run, rather than say so
    const uint8_t* lost_text
    size_t lost_size
    const uint8_t* late_text
    size_t late_size
    uint32_t window           # of a client at the start
    uint64_t patience         # nanoseconds for a request; 0: any time
    uint64_t grace            # nanoseconds in which a master that is none may answer what it owes
    uint64_t failover_wait    # nanoseconds in which what a server refuses is sent again
    uint32_t most_tries       # times that a request is sent again whose reply was lost
    uint32_t turn             # of the places, to begin with
    uint32_t credit           # fifths of such a retry that are left
