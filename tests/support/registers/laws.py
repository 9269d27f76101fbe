"""Judges a history: every fault is told in a line. No I/O.

The laws
 1. Own writes: a read sees what its pod was told, before the read began, to be written, or what is newer.
 2. Causality, in a pod that promises it: a read also sees what anybody was told to be written before the pod
    asked for a lock, an element or a message whose answer it had before the read began, or before that
    message was sent.
 3. One value: what is read was written under that key, by somebody who had begun; nothing that was refused.
 4. Not back: once a pod has read a write of its own, no read that begins later shows what is older.
 5. A count grows by one for each increment: none is lost, doubled or told twice.
 6. An element is taken once at most, and only if it was put there; messages come in order and without gaps.
 What the servers themselves lose in a failover (`Loss`) is excused, and nothing else.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from tests.support.registers.history import NEVER, OUTSIDE, Event, History, Kind

_LATE = 1.0  # seconds after which an unanswered write counts only once it is answered
_BEFORE_ALL = float("-inf")


def faults(history: History) -> list[str]:
    """Return what is wrong with *history*, in words; empty when it keeps all laws."""
    judge = _Judge(history)
    return [
        *history.faults,
        *judge.stale_reads(),
        *judge.counts(),
        *judge.elements(),
        *judge.messages(),
    ]


class _Latest:
    """Finds, among operations that ended before a moment, the greatest of a number that each carries."""

    def __init__(self, rows: Iterable[tuple[float, float]]) -> None:
        self._ends: list[float] = []
        self._greatest: list[float] = []
        best = _BEFORE_ALL
        for end, number in sorted(rows):
            best = max(best, number)
            self._ends.append(end)
            self._greatest.append(best)

    def before(self, moment: float) -> float:
        place = bisect_left(self._ends, moment)
        return self._greatest[place - 1] if place else _BEFORE_ALL


class _Judge:
    def __init__(self, history: History) -> None:
        self._losses, self._causal = history.losses, history.causal
        self._by_kind: dict[Kind, list[Event]] = defaultdict(list)
        for event in history.events:
            self._by_kind[event.kind].append(event)
        self._written = {(w.key, w.value): w for w in self._by_kind[Kind.WRITE]}
        self._seen = self._first_seen()
        self._writes: dict[str, list[Event]] = defaultdict(list)
        for write in self._by_kind[Kind.WRITE]:
            self._writes[write.key].append(write)
        self._sent = {(s.key, s.value): s for s in self._by_kind[Kind.SEND]}
        self._told = self._what_pods_were_told()

    # -- laws 1 to 4 -------------------------------------------------------------------------

    def stale_reads(self) -> Iterator[str]:
        pods = {read.pod for read in self._by_kind[Kind.READ]}
        own = {(pod, key): self._ends(key, pod) for pod in pods for key in self._writes}
        everybody = {key: self._ends(key, None) for key in self._writes}
        for read in self._by_kind[Kind.READ]:
            wrong = self._foreign(read)
            if wrong:
                yield wrong
                continue
            known = self._settled(read)
            told = read.begin if read.pod == OUTSIDE else self._told[read.pod].before(read.begin)
            nothing = _Latest([])
            newest = max(
                own.get((read.pod, read.key), nothing).before(read.begin),
                everybody.get(read.key, nothing).before(told),
                self._behind(read),
            )
            if newest > known:
                yield from self._missed(read, known, told)

    def _behind(self, read: Event) -> float:
        """Return when the write before *read* in its own packet began."""
        write = self._written.get((read.key, read.behind))
        return _BEFORE_ALL if write is None or write.refused or write.end == NEVER else write.begin

    def _foreign(self, read: Event) -> str:
        if read.value is None:
            return ""
        write = self._written.get((read.key, read.value))
        if write is None or write.begin > read.end:
            return f"foreign: {read}, which nobody had written"
        return f"refused and run: {read}, by {write}" if write.refused else ""

    def _missed(self, read: Event, known: float, told: float) -> Iterator[str]:
        """Tell the write that *read* misses, the newest if there are several, unless it may be lost."""
        for write in reversed(self._writes[read.key]):
            own = write.pod == read.pod and self._end(write, read.pod) < read.begin
            own = own or write.value == read.behind
            if write.refused:
                continue
            if (own or write.end < told) and write.begin > known and not self._excused(write, read):
                yield f"stale: {read} misses {write}" + ("" if own else f", known since {told:.4f}")
                return

    def _settled(self, read: Event) -> float:
        """Return when the value that was read was in force at the latest; unanswered and unseen: for ever."""
        if read.value is None:
            return _BEFORE_ALL
        write = self._written[(read.key, read.value)]
        return min(write.end, self._seen.get((OUTSIDE, write.key, write.value), NEVER))

    def _ends(self, key: str, pod: int | None) -> _Latest:
        writes = [w for w in self._writes[key] if not w.refused and pod in (None, w.pod)]
        rows = [(w.end if pod is None else self._end(w, pod), w.begin) for w in writes]
        return _Latest(row for row in rows if row[0] != NEVER)

    def _end(self, write: Event, pod: int) -> float:
        """Return from when on *write* counts for *pod*: its own are known once any client has read them."""
        if write.end - write.begin > _LATE:
            return write.end
        return min(write.end, self._seen.get((pod, write.key, write.value), NEVER))

    def _first_seen(self) -> dict[tuple[int, str, bytes | None], float]:
        """Return when each value was first read, by each pod and (as `OUTSIDE`) by anybody."""
        found: dict[tuple[int, str, bytes | None], float] = {}
        for read in self._by_kind[Kind.READ]:
            for pod in (read.pod, OUTSIDE):
                place = (pod, read.key, read.value)
                found[place] = min(found.get(place, NEVER), read.end)
        return found

    def _what_pods_were_told(self) -> dict[int, _Latest]:
        """Return, per pod, up to which moment each answer that it had told it of others' writes."""
        rows: dict[int, list[tuple[float, float]]] = defaultdict(list)
        for event in self._by_kind[Kind.ACQUIRE]:
            if event.pod not in self._causal:
                continue
            sent = self._sent.get((event.key, event.value))
            # a message may have lain with the client for a while before it was read
            asked = _BEFORE_ALL if event.key.startswith("channel") else event.begin
            rows[event.pod].append((event.end, max(asked, sent.begin) if sent else asked))
        return defaultdict(lambda: _Latest([]), {pod: _Latest(found) for pod, found in rows.items()})

    def _excused(self, write: Event, read: Event) -> bool:
        """Tell whether the servers themselves may have lost *write* for *read*."""
        for loss in self._losses:
            if read.end < loss.since or write.begin > loss.until:
                continue
            if loss.survived is None:
                if write.end > loss.reach:
                    return True
                continue
            value = loss.survived.get(write.key)
            kept = None if value is None else self._written.get((write.key, value))
            if kept is None or (kept.value != write.value and kept.begin < write.end):
                return True
        return False

    # -- laws 5 and 6 ------------------------------------------------------------------------

    def counts(self) -> Iterator[str]:
        by_key: dict[str, list[Event]] = defaultdict(list)
        for event in self._by_kind[Kind.COUNT]:
            by_key[event.key].append(event)
        for key, events in by_key.items():
            yield from self._count(key, events)

    def _count(self, key: str, events: list[Event]) -> Iterator[str]:
        """An increment is told more than all that ended before it, and no more than all that had begun."""
        tried = [event for event in events if not event.refused]
        begins = sorted(event.begin for event in tried)
        ends = sorted(event.end for event in tried)
        seen: dict[bytes, Event] = {}
        for event in tried:
            if event.value is None:
                continue
            if int(event.value) > bisect_left(begins, event.end):
                yield f"doubled: {event}, of {bisect_left(begins, event.end)} begun"
            if self._losses:
                continue
            if int(event.value) <= bisect_left(ends, event.begin):
                yield f"lost: {event}, of {bisect_left(ends, event.begin)} answered"
            if event.value in seen:
                yield f"told twice: {event} and {seen[event.value]}"
            seen[event.value] = event

    def elements(self) -> Iterator[str]:
        taken: dict[tuple[str, bytes], Event] = {}
        for event in self._by_kind[Kind.ACQUIRE]:
            if event.value is None or event.key.startswith("channel"):
                continue
            sent = self._sent.get((event.key, event.value))
            if sent is None or sent.begin > event.end or sent.refused:
                yield f"foreign: {event}, put there by {sent or 'nobody'}"
            before = taken.setdefault((event.key, event.value), event)
            if before is not event and not self._losses:
                yield f"taken twice: {event} and {before}"
        put = [s for s in self._by_kind[Kind.SEND] if not s.key.startswith("channel") and s.end != NEVER]
        gone = [s for s in put if not s.refused and (s.key, s.value) not in taken]
        excuses = sum(e.end == NEVER for e in self._by_kind[Kind.ACQUIRE])  # took one for nobody, maybe
        if len(gone) > excuses and not self._losses:
            yield f"vanished: {len(gone)} elements ({gone[0]} ...), and {excuses} takers that left"

    def messages(self) -> Iterator[str]:
        """Each connection hears of each sender without gaps, as long as it lives."""
        heard: dict[tuple[str, int, str], list[Event]] = defaultdict(list)
        by_sender: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for sent in self._by_kind[Kind.SEND]:
            by_sender[(sent.key, sent.client)].append(sent)
        for event in self._by_kind[Kind.ACQUIRE]:
            if not event.key.startswith("channel") or event.value is None:
                continue
            message = self._sent.get((event.key, event.value))
            if message is None or message.begin > event.end:
                yield f"foreign: {event}, which nobody had published"
                continue
            heard[(event.client, event.connection, message.client)].append(message)
        for (listener, _, sender), messages in heard.items():
            yield from _gaps(listener, messages, by_sender[(messages[0].key, sender)])


def _gaps(listener: str, heard: list[Event], sent: list[Event]) -> Iterator[str]:
    """Compare what a connection has *heard* with what one sender has *sent*, both in order."""
    order: Callable[[Event], float] = lambda event: event.begin  # noqa: E731
    begins = [order(message) for message in heard]
    if begins != sorted(set(begins)):
        yield f"out of order or twice: {listener} heard {[str(m.value) for m in heard]}"
    missing = [m for m in sent if begins[0] < m.begin < begins[-1] and m.end != NEVER and m not in heard]
    for message in missing:
        if not message.refused:
            yield f"unheard: {listener} missed {message}"
