"""CLIENT and HELLO: several clients of the ambassador see, name, end and wake each other as on one server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.redis_scripts import TRANSACTIONS
from tests.support.redis_states import STATES
from tests.support.redis_twins import Twins
from tests.support.redis_versions import VERSIONS, Bench, bench
from tests.support.redis_waits import WAITS
from tests.support.resp import RawClient
from tests.support.waiting import until


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> Iterator[Bench]:
    yield from bench(request.param)


@pytest.fixture
def twins(version: Bench) -> Iterator[Twins]:
    found = Twins(version.plain.port, version.ambassador.port, ordered=version.version.startswith("redis"))
    yield found
    found.close()


SCRIPTS = {
    "lines": """
        a: CLIENT INFO
        b: HELLO 3
        b: CLIENT INFO
        c: SELECT 3
        c: CLIENT SETNAME see
        a: CLIENT LIST
        b: CLIENT LIST
        a: CLIENT LIST TYPE normal
        a: CLIENT LIST TYPE PUBSUB
        a: CLIENT LIST TYPE foo
        a: CLIENT LIST ID {c} 99999999 {a} {c}
        a: CLIENT LIST ID x
        a: CLIENT LIST ID
        a: CLIENT LIST foo bar
        a: CLIENT LIST TYPE normal x
        a: CLIENT LIST TYPE replica
        a: CLIENT GETNAME
        b: CLIENT GETNAME
        c: CLIENT GETNAME
        c: CLIENT SETNAME a\x01b
        a: CLIENT FOO
        a: CLIENT ID x""",
    "states": """
        b: SUBSCRIBE x
        b: PSUBSCRIBE y*
        c: WATCH k
        c: MULTI
        c: SET k v
        c: GET k
        c: NOSUCH
        c: GET k
        e: WATCH k j k
        d> BLPOP none 0
        d: blocked
        a: CLIENT LIST
        a: CLIENT LIST TYPE pubsub
        b: CLIENT ID
        c: DISCARD
        a: CLIENT LIST
        a: CLIENT NO-EVICT on
        a: CLIENT INFO
        a: CLIENT NO-EVICT off
        a: CLIENT NO-EVICT x
        a: RESET
        a: CLIENT INFO
        b: RESET
        a: CLIENT LIST""",
    "kill by address": """
        a: CLIENT KILL {b@}
        b<
        a: CLIENT KILL {b@}
        a: CLIENT KILL nobody
        a: CLIENT LIST
        a: CLIENT KILL {a@}
        a<""",
    "kill by filters": """
        b: SUBSCRIBE x
        c: ECHO x
        a: CLIENT KILL ID {c} TYPE pubsub
        a: CLIENT KILL TYPE pubsub ID {b}
        b<
        a: CLIENT KILL ADDR {c@} USER default
        c<
        a: CLIENT KILL ID {a}
        a: CLIENT KILL ID {a} SKIPME yes
        a: CLIENT KILL ID 99999999
        d: ECHO x
        a: CLIENT KILL ADDR {d@} SKIPME no ID {a}
        a: CLIENT KILL ADDR {a@} SKIPME no ID {a}
        a<
        d: CLIENT LIST ID {a} {b} {c} {d}""",
    "kill in wrong words": """
        a: CLIENT KILL ID x
        b: ECHO x
        a: CLIENT KILL ID 0 ADDR {b@}
        a: CLIENT LIST ID {b}
        a: CLIENT KILL ID -1
        a: CLIENT KILL ID
        a: CLIENT KILL TYPE foo
        a: CLIENT KILL USER nosuch
        a: CLIENT KILL USER default ID 99999999
        a: CLIENT KILL ADDR x
        a: CLIENT KILL SKIPME maybe
        a: CLIENT KILL SKIPME no ID
        a: CLIENT KILL foo bar
        a: CLIENT KILL ID 99999999 foo
        a: CLIENT KILL a b c
        a: CLIENT KILL MAXAGE 100000
        a: CLIENT KILL MAXAGE x
        a: CLIENT KILL NOT-ID {a} NOT-TYPE normal
        a: CLIENT KILL NOT-ID
        a: CLIENT KILL NOT-ADDR x NOT-ADDR
        a: CLIENT KILL NOT-SKIPME no
        a: CLIENT KILL ID {a} {b} {a}
        a: CLIENT LIST NOT-ID 1 NOT-TYPE normal
        a: CLIENT LIST NOT-NAME x ID {a} {a}
        a: CLIENT KILL""",
    "kill one that waits": """
        b> BLPOP none 0
        b: blocked
        a: CLIENT KILL ID {b}
        b<
        a: RPUSH none v
        a: LPOP none""",
    "unblock": """
        b> BLPOP none 0
        b: blocked
        a: CLIENT UNBLOCK {b}
        b<
        b> BLPOP none 0
        b: blocked
        a: CLIENT UNBLOCK {b} ERROR
        b<
        b> XREAD BLOCK 0 STREAMS x $
        b: blocked
        a: CLIENT UNBLOCK {b} timeout
        b<
        a: CLIENT UNBLOCK {b}
        a: CLIENT UNBLOCK {a}
        a: CLIENT UNBLOCK 99999999
        a: CLIENT UNBLOCK x
        a: CLIENT UNBLOCK {b} foo
        a: CLIENT UNBLOCK {b} error x
        a: CLIENT UNBLOCK 99999999999999999999""",
    "tracking": """
        a: CLIENT TRACKING x
        a: CLIENT TRACKING on REDIRECT 99999999
        a: CLIENT TRACKING on REDIRECT 0
        a: CLIENT TRACKING on REDIRECT x
        a: CLIENT GETREDIR
        a: CLIENT TRACKINGINFO
        a: CLIENT CACHING yes
        a: HELLO 3
        a: CLIENT TRACKING on
        a: CLIENT GETREDIR
        a: CLIENT TRACKINGINFO
        a: CLIENT INFO
        a: GET t
        b: SET t 1
        a<
        a: CLIENT TRACKING on BCAST
        a: CLIENT TRACKING off
        a: CLIENT TRACKING on BCAST PREFIX t NOLOOP
        a: CLIENT INFO
        a: CLIENT TRACKINGINFO
        b: SET t 2
        a<
        a: CLIENT TRACKING off
        a: CLIENT INFO
        a: CLIENT TRACKING on OPTIN
        a: CLIENT CACHING yes
        a: GET t
        b: SET t 3
        a<
        a: RESET
        a: CLIENT INFO
        a: CLIENT GETREDIR""",
    # what is written to u comes back after the server has seen that the connection of a is closed
    "tracking for another": """
        a: SUBSCRIBE __redis__:invalidate
        b: CLIENT TRACKING on REDIRECT {a}
        b: CLIENT GETREDIR
        b: CLIENT INFO
        b: GET t
        c: SET t 4
        a<
        c: CLIENT TRACKING on REDIRECT {c}
        c: CLIENT INFO
        d: HELLO 3
        e: CLIENT TRACKING on REDIRECT {d}
        e: GET t
        c: SET t 5
        d<
        e: CLIENT TRACKING off
        e: CLIENT INFO
        f: HELLO 3
        f: CLIENT TRACKING on REDIRECT {a}
        f: GET t
        b: CLIENT KILL ID {a}
        a<
        c: SET u 1
        c: SET t 6
        f<
        f: CLIENT INFO""",
    "pause": """
        a: CLIENT PAUSE x
        a: CLIENT PAUSE -1
        a: CLIENT PAUSE 0
        a: CLIENT PAUSE 0 foo
        a: CLIENT PAUSE 1 ALL x
        a: CLIENT UNPAUSE
        a: CLIENT UNPAUSE x
        c: MULTI
        c: SET k c
        a: CLIENT PAUSE 100000 WRITE
        b> SET k b
        b: blocked
        c> EXEC
        c: blocked
        a: GET k
        a: NOSUCH
        a: SET k
        a: CLIENT FOO
        a: CLIENT LIST
        a: MULTI
        a: GET k
        a: EXEC
        d> PUBLISH x y
        d: blocked
        e> PFCOUNT nosuch
        e: blocked
        f> EVAL return(1) 0
        f: blocked
        g: EVAL_RO return(1) 0
        g: CLIENT UNBLOCK {a}
        a: CLIENT PAUSE 5 WRITE
        a: CLIENT UNPAUSE
        d<
        e<
        f<
        a: CLIENT PAUSE 300
        a: PING
        a: CLIENT PAUSE 300
        b: NOSUCH
        b: GET
        b: SELECT 0""",
    "hello": """
        a: HELLO
        a: HELLO 3
        a: HELLO
        a: HELLO 2 SETNAME me
        a: CLIENT GETNAME
        a: HELLO 3 AUTH default x SETNAME you
        a: CLIENT GETNAME
        a: HELLO 4
        a: HELLO 2 FOO""",
    **TRANSACTIONS,
    **STATES,
    **WAITS,
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_clients_see_and_change_each_other_as_on_one_server(twins: Twins, name: str) -> None:
    twins.compare(SCRIPTS[name])


def test_ids_rise_and_stay(version: Bench) -> None:
    with RawClient(version.ambassador.port) as one, RawClient(version.ambassador.port) as other:
        first, second = one.call("CLIENT", "ID"), other.call("CLIENT", "ID")
        assert int(first[1:]) < int(second[1:])
        for server in version.pair.servers:  # an id is no fact of a connection to a server
            server.client().client_kill_filter(skipme=True)
        for client, number in ((one, first), (other, second)):
            until(lambda client=client: client.call("INFO", "server")[:1] in b"$=", what="a master")  # type: ignore[misc]
            assert client.call("CLIENT", "ID") == number
            assert b"\r\nid\r\n" + number in client.call("HELLO", 2)
