"""Scripts for `redis_twins`: what may stand in a transaction about clients and their state."""

from __future__ import annotations

TRANSACTIONS = {
    "in a transaction": """
        a: MULTI
        a: CLIENT INFO
        a: EXEC
        a: MULTI
        a: CLIENT NO-EVICT on
        a: CLIENT NO-EVICT x
        a: CLIENT GETREDIR
        a: CLIENT KILL TYPE foo
        a: CLIENT KILL USER nosuch
        a: CLIENT KILL ID 99999999
        a: CLIENT KILL nobody
        a: CLIENT UNBLOCK 99999999
        a: CLIENT UNBLOCK x
        a: CLIENT LIST TYPE foo
        a: CLIENT LIST ID 99999999
        a: CLIENT PAUSE x
        a: CLIENT PAUSE 0
        a: CLIENT UNPAUSE
        a: ACL WHOAMI
        a: CLIENT SETNAME me
        a: CLIENT GETNAME
        a: CLIENT CAPA redirect
        a: SET k v
        a: GET k
        a: EXEC
        a: CLIENT INFO
        a: MULTI
        a: CLIENT REPLY on
        a: EXEC
        b: ECHO x
        c: ECHO x
        a: MULTI
        a: CLIENT KILL {b@}
        a: CLIENT KILL ID {c} SKIPME yes
        a: CLIENT LIST ID {b} {c}
        a: EXEC
        b<
        c<
        a: MULTI
        a: CLIENT KILL ID {a} SKIPME no
        a: EXEC
        a<""",
    "state in a transaction": """
        a: MULTI
        a: SELECT 3
        a: CLIENT SETNAME me
        a: SET moved 3
        a: HELLO 3
        a: SMEMBERS none
        a: EXEC
        a: CLIENT INFO
        a: GET moved
        a: HGETALL none
        b: GET moved
        a: SELECT 0
        a: GET moved
        a: MULTI
        a: SELECT 99
        a: SELECT x
        a: HELLO 9
        a: HELLO 2 FOO
        a: HELLO 2 SETNAME you
        a: SELECT 1
        a: DISCARD
        a: CLIENT INFO
        a: WATCH moved
        b: SET moved other
        a: MULTI
        a: SELECT 5
        a: EXEC
        a: CLIENT INFO
        a: MULTI
        a: SELECT 99
        a: HELLO 2 FOO
        a: EXEC
        a: MULTI
        a: SELECT 4
        a: RESET
        a: EXEC
        a: CLIENT INFO
        a: MULTI
        a: AUTH x
        a: AUTH default x
        a: AUTH a b c
        a: HELLO 3 AUTH default x SETNAME again
        a: EXEC
        a: CLIENT INFO
        a: HELLO 2
        a: MULTI
        a: CLIENT TRACKING on
        a: CLIENT TRACKING on OPTIN
        a: CLIENT CACHING yes
        a: CLIENT TRACKINGINFO
        a: CLIENT GETREDIR
        a: EXEC
        a: CLIENT INFO""",
}
