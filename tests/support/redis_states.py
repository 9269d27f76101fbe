"""Scripts for `redis_twins`: what a client makes of its connection, statement by statement."""

from __future__ import annotations

STATES = {
    "subscribed": """
        b: FLUSHALL
        a: SUBSCRIBE x y x
        a<
        a<
        a: UNSUBSCRIBE y
        a: PSUBSCRIBE p*
        a: PING
        a: PING hello
        a: PING a b
        a: GET k
        a: UNSUBSCRIBE nosuch
        a: ECHO x
        a: CLIENT ID
        a: CLIENT REPLY OFF
        a: CLIENT SETNAME x
        a: CLIENT TRACKING on
        a: AUTH x
        a: AUTH nosuch x
        a: AUTH
        a: HELLO
        a: HELLO 3
        a: HELLO 2 AUTH default x
        a: HELLO 3 AUTH nosuch x
        a: SELECT 1
        a: MULTI
        a: EXEC
        a: WATCH k
        a: MONITOR
        a: BLPOP none 0
        a: EVAL return(1) 0
        a: NOSUCH
        a: RESET x
        b: PUBLISH x m
        a<
        b: PUBLISH p1 m
        a<
        b: PUBSUB CHANNELS
        b: PUBSUB NUMSUB x y z
        b: PUBSUB NUMPAT
        a: UNSUBSCRIBE
        a: PUNSUBSCRIBE
        a: UNSUBSCRIBE
        a: PUNSUBSCRIBE
        a: GET k
        a: SUBSCRIBE x
        a: RESET
        a: GET k
        b: PUBLISH x m
        a: SUBSCRIBE x
        a: QUIT
        a<""",
    "subscribed in the third protocol": """
        b: FLUSHALL
        a: HELLO 3
        a: SUBSCRIBE x
        a: GET k
        a: PING
        a: PING hello
        a: SET k v
        b: PUBLISH x m
        a<
        a: PUBLISH x self
        a<
        a: GET k
        a: MULTI
        a: GET k
        a: EXEC
        a: AUTH x
        a: UNSUBSCRIBE
        a: UNSUBSCRIBE
        a: HELLO 2
        a: SUBSCRIBE x
        a: RESET
        a: PING""",
    # the older servers put what is published into the reply of EXEC, the newer ones behind it
    "messages to oneself": """
        b: FLUSHALL
        a: HELLO 3
        a: SUBSCRIBE x
        a: MULTI
        a: PUBLISH x in
        a: CLIENT GETNAME
        a: EXEC
        a: PING
        a: PING""",
    "what reset leaves": """
        b: FLUSHALL
        a: HELLO 3
        a: CLIENT SETNAME me
        a: SELECT 4
        a: MULTI
        a: SET k v
        a: RESET
        a: CLIENT INFO
        a: GET k
        a: WATCH k
        b: SET k other
        a: RESET
        a: MULTI
        a: PING
        a: EXEC
        a: HELLO 3
        a: CLIENT TRACKING on
        a: GET k
        a: RESET
        a: CLIENT TRACKINGINFO
        b: SET k 3
        a: GET k
        a: CLIENT NO-EVICT on
        a: CLIENT NO-TOUCH on
        a: CLIENT CAPA redirect
        a: CLIENT SETINFO lib-name x
        a: RESET
        a: CLIENT INFO""",
    "a client is told of changes, and is reset": """
        c: FLUSHALL
        a: SUBSCRIBE __redis__:invalidate
        b: CLIENT TRACKING on REDIRECT {a}
        b: GET t
        a: RESET
        c: SET t 1
        b: CLIENT TRACKINGINFO
        b: CLIENT GETREDIR
        b: CLIENT INFO
        a: PING
        a: SUBSCRIBE __redis__:invalidate
        b: GET t
        c: SET t 2
        a<
        b: CLIENT TRACKINGINFO
        a: RESET
        a: HELLO 3
        a: SELECT 1
        b: GET t
        c: SET t 3
        a<
        a: RESET
        a: GET t
        a: CLIENT INFO
        b: CLIENT TRACKING off""",
    "killing oneself in a transaction": """
        c: FLUSHALL
        a: MULTI
        a: CLIENT KILL ID {a} SKIPME no
        a: SET after kill
        a: ECHO x
        a: EXEC
        a<
        c: GET after
        b: MULTI
        b: SET before 1
        b: CLIENT KILL {b@}
        b: SET after 2
        b: INCR before
        b: EXEC
        b<
        c: GET after
        c: GET before""",
    "words of a greeting": """
        a: HELLO 3 AUTH default x AUTH default y
        a: HELLO 2 AUTH default x AUTH nosuch y
        a: HELLO 3 AUTH nosuch x AUTH default y
        a: HELLO
        a: HELLO 3 AUTH default x SETNAME q AUTH default y SETNAME r
        a: CLIENT GETNAME
        a: HELLO 2 SETNAME z SETNAME
        a: CLIENT GETNAME
        a: HELLO 2 SETNAME y AUTH nosuch x
        a: CLIENT GETNAME
        a: HELLO 2 SETNAME x SETNAME bad\x01name SETNAME w
        a: CLIENT GETNAME
        a: HELLO 4 SETNAME v
        a: CLIENT GETNAME
        a: HELLO 2 AUTH nosuch x FOO
        a: HELLO 2 AUTH default x FOO
        a: HELLO 2 AUTH default
        a: HELLO 03
        a: HELLO +3
        a: HELLO 3.0
        a: HELLO 99999999999999999999
        a: HELLO -1
        a: HELLO
        a: CLIENT INFO""",
    "databases": """
        a: FLUSHALL
        a: SELECT 3
        a: SET k 3
        a: MOVE k 4
        a: EXISTS k
        a: SELECT 4
        a: GET k
        a: COPY k k DB 5
        a: SELECT 5
        a: GET k
        a: SWAPDB 5 6
        a: GET k
        a: SELECT 6
        a: GET k
        a: SELECT 06
        a: SELECT +6
        a: SELECT 6.0
        a: SELECT 99999999999999999999
        a: SELECT 2147483648
        a: SELECT -2147483649
        a: SELECT
        a: SELECT 1 2
        a: GET k
        a: SWAPDB 0 99
        a: MOVE k 99
        a: COPY k j DB 99
        a: FLUSHDB
        a: DBSIZE""",
    "transactions": """
        b: FLUSHALL
        a: EXEC x
        a: DISCARD x
        a: MULTI x
        a: UNWATCH x
        a: WATCH
        a: MULTI
        a: MULTI x
        a: EXEC
        a: MULTI
        a: EXEC x
        a: EXEC
        a: MULTI
        a: UNWATCH
        a: EXEC
        a: WATCH k
        b: SET k 1
        a: MULTI
        a: GET k
        a: EXEC
        a: HELLO 3
        a: WATCH k
        b: SET k 2
        a: MULTI
        a: GET k
        a: EXEC
        a: WATCH k
        b: SET k 3
        a: UNWATCH
        a: MULTI
        a: GET k
        a: EXEC
        a: WATCH k
        b: SET k 4
        a: MULTI
        a: GET k
        a: DISCARD
        a: MULTI
        a: GET k
        a: EXEC
        a: WATCH k
        a: SET k 5
        a: MULTI
        a: GET k
        a: EXEC
        a: WATCH short
        a: SELECT 1
        b: SELECT 1
        b: SET short 1
        a: MULTI
        a: PING
        a: EXEC
        a: MULTI
        a: READONLY
        a: READWRITE
        a: ASKING
        a: PING x
        a: EXEC
        a: MULTI
        a: PING
        a: ECHO y
        a: PUBLISH x y
        a: SCRIPT FLUSH
        a: CLIENT GETNAME
        a: BLPOP none 0
        a: BRPOPLPUSH none other 0
        a: BLMOVE none other LEFT LEFT 0
        a: BZPOPMIN none 0
        a: XREAD BLOCK 0 STREAMS none $
        a: XREADGROUP GROUP g c BLOCK 0 STREAMS none >
        a: EXEC""",
}
