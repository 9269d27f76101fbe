"""The rows of the StatsD benchmark: what is measured of one server in one round."""

from __future__ import annotations

import threading
from collections.abc import Callable

from bench.parts.measures import cpu, settle
from bench.parts.statsd_load import Load, again, counters, loads, observers, send
from bench.parts.statsd_peers import Server, Start
from tests.support.memory import resident

LINES = 200_000
MANY = 100_000  # series
NAMES = (100, 50_000)  # that they share
OBSERVERS = 10_000  # series: of the original's, a summary takes 34 KB
SCRAPES = 3
QUEUED = 60  # half seconds that a server may go on when all is sent
RESTING = 0.02  # CPU seconds in half a second
BUFFER = 4 << 20  # bytes that a socket may hold, where loss is not what is measured
SLOWEST = 10_000  # lines a second
STEP = 1.1  # from one rate to the next
LATE = 1.02  # a load that took so many times as long was not sent at the rate that it has
Put = Callable[[str, float], None]


def rest(server: Server) -> float:
    """Wait until *server* does nothing: some queue what comes. Return its CPU seconds so far."""
    last = cpu(server.pid)
    for _ in range(QUEUED):
        settle()
        now = cpu(server.pid)
        if now - last < RESTING:
            return now
        last = now
    return last


def sent(server: Server, load: Load) -> float:
    """Send *load* and return the CPU seconds that it took, until the server rests."""
    before = cpu(server.pid)
    send(load, server.port)
    return rest(server) - before


def scrapes_cost(server: Server, *, compressed: bool) -> float:
    """Return the CPU seconds of a scrape."""
    before = cpu(server.pid)
    for _ in range(SCRAPES):
        server.page(compressed=compressed)
    return (cpu(server.pid) - before) / SCRAPES


def scrapes_of_news_cost(server: Server, load: Load) -> float:
    """Return the CPU seconds of a scrape before which every series of *load* has changed."""
    taken = 0.0
    for _ in range(SCRAPES):
        sent(server, load)
        before = cpu(server.pid)
        server.page(compressed=False)
        taken += cpu(server.pid) - before
    return taken / SCRAPES


def while_scraped(server: Server, load: Load) -> float:
    """Return the share of *load* that arrives while one scrape follows the other."""
    over, before = threading.Event(), server.lines()

    def scrape() -> None:
        while not over.wait(0.01):
            server.page(compressed=False)

    scraping = threading.Thread(target=scrape)
    scraping.start()
    send(load, server.port)
    over.set()
    scraping.join()
    rest(server)
    return (server.lines() - before) / load.lines


def lines(start: Start, put: Put) -> None:
    """What lines cost, CPU seconds per million of those that arrived, once they were seen before."""
    with start(BUFFER) as server:
        settle()
        put("idle, MB", resident(server.pid) / 1e6)
        for name, load in loads(LINES).items():
            if "new" not in name:
                sent(server, load)
            before = server.lines()
            rest(server)
            used = sent(server, load)
            got = server.lines() - before
            put(f"{name}: CPU s per million lines", used / max(got, 1) * 1e6)
            put(f"{name}: arrived, %", got / load.lines * 100)
        put("after these, MB", resident(server.pid) / 1e6)


def series(start: Start, put: Put) -> None:
    """What 100,000 counters take: memory, CPU of a scrape, and lines meanwhile."""
    for names in NAMES:
        with start(BUFFER) as server:
            _counters(server, put, names)


def _counters(server: Server, put: Put, names: int) -> None:
    packed, many = loads(LINES)["packed"], counters(MANY, names)
    what = f"{MANY:,} counters of {names:,} names: "
    sent(server, packed)
    put(what + "bytes each", _memory(server, many, b"_requests{"))
    put(what + "scrape, CPU s", scrapes_cost(server, compressed=False))
    put(what + "scrape with gzip, CPU s", scrapes_cost(server, compressed=True))
    put(what + "scrape when all have changed, CPU s", scrapes_of_news_cost(server, many))
    put(what + "packed meanwhile, arrived %", while_scraped(server, packed) * 100)


def _memory(server: Server, many: Load, mark: bytes) -> float:
    """Return the bytes of each series that *many* makes, one of which has one line with *mark* in it."""
    server.page()
    before = resident(server.pid)
    sent(server, many)
    sent(server, many)  # what was lost when all was new
    return (resident(server.pid) - before) / server.page().count(mark)


def histograms(start: Start, put: Put) -> None:
    """What histograms and summaries take: memory, CPU of a scrape."""
    for kind, mark in (("histogram", b'le="+Inf"'), ("summary", b'quantile="0.5"')):
        with start(BUFFER) as server:
            what = f"{OBSERVERS:,} series of {kind}: "
            put(what + "bytes each", _memory(server, observers(OBSERVERS, kind), mark))
            put(what + "scrape, CPU s", scrapes_cost(server, compressed=False))


def rates(start: Start, put: Put, *, seconds: float) -> None:
    """The highest rate in steps of 10 % at which not a line is lost, each step of so many seconds."""
    several = loads(LINES)
    for name in ("packed", "a line a packet"):
        for buffer, what in ((0, "a socket's own buffer"), (BUFFER, "4 MB of buffer")):
            with start(buffer) as server:
                sent(server, several[name])
                put(f"{name}: lines/s without loss, {what}", _loss_free(server, several[name], seconds))


def _loss_free(server: Server, load: Load, seconds: float) -> float:
    """Return that rate; by doubling first, which finds out where the steps are worth while."""
    good, rate, by = 0.0, float(SLOWEST), 2.0
    while True:
        if _arrives(server, again(load, rate, seconds)):
            good, rate = rate, rate * by
        elif by > STEP and good:
            by, rate = STEP, good * STEP
        else:
            return good


def _arrives(server: Server, load: Load) -> bool:
    """Tell whether all of *load* arrives; what cannot be sent as fast does not count as arrived."""
    before = server.lines()
    took = send(load, server.port)
    rest(server)
    return server.lines() - before == load.lines and took * load.rate < load.lines * LATE
