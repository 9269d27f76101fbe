"""Scripts for `redis_twins`: waits, silence, scripts, caches and attributes of a client."""

from __future__ import annotations

WAITS = {
    "waits": """
        b: FLUSHALL
        a: BLPOP none -1
        a: BLPOP none x
        a: BLPOP none 1e100
        a: BLPOP none
        a: BLPOP none inf
        a: BLPOP none 0x1
        a: BRPOP none 0.01
        a: BLMOVE none other LEFT FOO 0
        a: BLMPOP 0.01 0 none LEFT
        a: BLMPOP 0.01 1 none LEFT COUNT 0
        a: BZMPOP 0.01 1 none MIN
        a: XREAD BLOCK -1 STREAMS none $
        a: XREAD BLOCK x STREAMS none $
        a: XREAD BLOCK 5 STREAMS none $
        a: XREADGROUP GROUP g c BLOCK 5 STREAMS none >
        a: SET str v
        a: BLPOP str 0
        a: XREAD BLOCK 0 STREAMS str $
        a> BLPOP l1 l2 0
        a: blocked
        b: MULTI
        b: RPUSH l2 2
        b: RPUSH l1 1
        b: EXEC
        a<
        b: LRANGE l2 0 -1
        b: LRANGE l1 0 -1
        b: DEL l1 l2
        a> BLMOVE l1 l2 LEFT RIGHT 0
        a: blocked
        c> BLPOP l2 0
        c: blocked
        b: RPUSH l1 x
        a<
        c<
        a> BLPOP l1 0
        a: blocked
        b: SET l1 v
        b: DEL l1
        b: RPUSH l1 z
        a<
        a: XGROUP CREATE st g $ MKSTREAM
        a> XREADGROUP GROUP g c BLOCK 0 STREAMS st >
        a: blocked
        b: XGROUP DESTROY st g
        b: CLIENT UNBLOCK {a}
        a<
        a: XGROUP CREATE st g $
        a> XREADGROUP GROUP g c BLOCK 0 STREAMS st >
        a: blocked
        b: DEL st
        b: CLIENT UNBLOCK {a}
        a<
        a> BZPOPMIN z 0
        a: blocked
        b: ZADD z 1.5 m
        a<
        a: HELLO 3
        a> BZPOPMIN z 0
        a: blocked
        b: ZADD z 1.5 m
        a<""",
    "silence": """
        b: FLUSHALL
        a> CLIENT REPLY OFF
        a> PING
        a> GET k
        a> CLIENT REPLY SKIP
        a: CLIENT REPLY ON
        a> CLIENT REPLY SKIP
        a> PING
        a: ECHO 1
        a> CLIENT REPLY SKIP
        a> CLIENT REPLY SKIP
        a> ECHO 2
        a: ECHO 3
        a: CLIENT REPLY
        a: CLIENT REPLY x
        a: CLIENT REPLY ON x
        a> CLIENT REPLY OFF
        a> NOSUCH
        a> GET
        a> CLIENT REPLY x
        a: SUBSCRIBE x
        b: PUBLISH x 1
        a<
        a: UNSUBSCRIBE
        a: RESET
        a: PING
        c: HELLO 3
        c> CLIENT REPLY OFF
        c: SUBSCRIBE x
        c> SET k 1
        b: PUBLISH x 1
        c<
        c: CLIENT REPLY ON
        b: PUBLISH x 2
        c<
        d> CLIENT REPLY OFF
        d> MULTI
        d> SET k 7
        d> EXEC
        d: CLIENT REPLY ON
        d: GET k
        d> CLIENT REPLY SKIP
        d> MULTI
        d: SET k 8
        d: EXEC
        e> CLIENT REPLY SKIP
        e> BLPOP none 0.01
        e: PING
        e> CLIENT REPLY SKIP
        e: SUBSCRIBE x
        e: PING""",
    "scripts": """
        a: FLUSHALL
        a: SCRIPT FLUSH
        a: EVAL return{KEYS[1],ARGV[1]} 1 k v
        a: EVAL return(redis.call('set',KEYS[1],ARGV[1])) 1 k v
        a: EVAL return(redis.call('get','k')) 0
        a: EVAL return(redis.error_reply('MY')) 0
        a: EVAL redis.setresp(3)return(redis.call('hgetall','none')) 0
        a: EVAL return(redis.call('select',3)) 0
        a: GET k
        a: EVAL_RO return(redis.call('get',KEYS[1])) 1 k
        a: EVAL_RO redis.call('select',3)return(redis.call('get','k')) 1 k
        a: GET k
        a: SCRIPT EXISTS x
        a: SCRIPT EXISTS
        a: SCRIPT FLUSH ASYNC
        a: SCRIPT FLUSH x
        a: SCRIPT LOAD return(1)
        a: EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0
        a: EVALSHA E0E1F9FABFC9D4800C877A703B823AC0578FF8DB 0
        a: EVALSHA_RO e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0
        a: EVALSHA_RO E0E1F9FABFC9D4800C877A703B823AC0578FF8DB 0
        a: SCRIPT FOO
        a: FUNCTION LIST
        a: FUNCTION FOO
        a: FUNCTION DUMP
        a: FUNCTION DELETE x
        a: FCALL nosuch 0
        a: FCALL_RO nosuch 0
        a: FCALL nosuch x
        a: FCALL_RO nosuch -1
        a: FCALL_RO nosuch 5
        a: MULTI
        a: EVAL return(redis.call('get','k')) 0
        a: EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0
        a: EVALSHA_RO ffffffffffffffffffffffffffffffffffffffff 0
        a: EXEC""",
    "attributes": """
        a: CLIENT SETINFO lib-name foo
        a: CLIENT SETINFO lib-ver 1.0
        a: CLIENT SETINFO LIB-NAME bar
        a: CLIENT SETINFO nosuch x
        a: CLIENT SETINFO lib-name
        a: CLIENT SETINFO lib-name bad\x01
        a: CLIENT SETINFO lib-name a b
        a: CLIENT INFO
        a: CLIENT NO-TOUCH on
        a: CLIENT INFO
        a: GET k
        a: CLIENT NO-TOUCH off
        a: CLIENT NO-TOUCH x
        a: CLIENT INFO
        a: CLIENT CAPA redirect
        a: CLIENT CAPA nosuch
        a: CLIENT CAPA
        a: CLIENT IMPORT-SOURCE on
        a: CLIENT CACHING x
        a: CLIENT CACHING yes
        a: CLIENT SETNAME x y
        a: CLIENT GETNAME x
        a: CLIENT INFO x
        a: CLIENT PAUSE
        a: CLIENT UNBLOCK
        a: CLIENT LIST x
        a: CLIENT NO-EVICT
        a: CLIENT TRACKING
        a: CLIENT MAINT_NOTIFICATIONS on""",
    "caches": """
        b: FLUSHALL
        a: HELLO 3
        a: CLIENT TRACKING on OPTOUT
        a: CLIENT CACHING no
        a: GET t
        b: SET t 1
        a: GET t
        b: SET t 2
        a<
        a: CLIENT TRACKING on OPTIN OPTOUT
        a: CLIENT TRACKING on PREFIX x
        a: CLIENT TRACKING on BCAST PREFIX ab PREFIX a
        a: CLIENT TRACKING on BCAST OPTIN
        a: CLIENT TRACKING off
        a: CLIENT TRACKING on NOLOOP
        a: GET t
        a: SET t 3
        a: GET t
        b: SET t 4
        a<
        a: MULTI
        a: GET t
        a: EXEC
        b: SET t 6
        a<
        a: GET t
        b: FLUSHALL
        a<
        a: CLIENT TRACKING off
        a: CLIENT TRACKING on
        a: MGET t u v
        b: MSET t 1 u 2
        a<
        a<
        a: QUIT
        a<""",
}
