"""How a wait goes on at another server for the rest of its time. No I/O."""

from __future__ import annotations

# where the time stands, in seconds; of the others it follows the word BLOCK, in milliseconds
_PLACES = {
    **dict.fromkeys([b"blpop", b"brpop", b"brpoplpush", b"blmove", b"bzpopmin", b"bzpopmax"], -1),
    **dict.fromkeys([b"blmpop", b"bzmpop"], 1),
}
_STREAMS = (b"xread", b"xreadgroup")
_LEAST = 0.001  # seconds; 0 would be for ever


def rest(args: list[bytes], waited: float) -> list[bytes] | None:
    """Return *args* with the time that is left after *waited* seconds; None when it cannot go on elsewhere.

    `XREAD` from `$` cannot: what came between the two servers would be passed over.
    """
    name = args[0].lower()
    if name in _STREAMS:
        return _stream(args, waited)
    place = _PLACES.get(name)
    return None if place is None else _replaced(args, place % len(args), waited, 1.0)


def _stream(args: list[bytes], waited: float) -> list[bytes] | None:
    words = [word.lower() for word in args]
    if b"block" not in words or b"streams" not in words or b"$" in words[words.index(b"streams") :]:
        return None
    place = words.index(b"block") + 1
    return _replaced(args, place, waited, 1000.0) if place < len(args) else None


def _replaced(args: list[bytes], place: int, waited: float, unit: float) -> list[bytes] | None:
    try:
        time = float(args[place]) / unit
    except ValueError:
        return None
    if time <= 0:
        return args
    left = max(time - waited, _LEAST)
    text = b"%d" % max(left * unit, 1) if unit > 1 else b"%.3f" % left
    return [*args[:place], text, *args[place + 1 :]]
