"""The verb ``send``: StatsD lines to a running adapter, for scripts and for trying things out."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from podmates_metrics import command, kingpin
from podmates_metrics.sending.delivery import Delivery, Target
from podmates_metrics.sending.lines import TYPES, Said, Wrong, lines
from podmates_metrics.settings import Settings

SENT, NOT_SENT, INTERRUPTED = 0, 1, 130  # exit statuses
WAYS = ("udp", "tcp", "unixgram", "unix")
LONGEST = 65_535  # bytes of a line
STDIN = "-"
USAGE = """\
usage: podmates-metrics send [FLAGS] LINE...
       podmates-metrics send [FLAGS] -
       podmates-metrics send [FLAGS] --type=TYPE NAME [VALUE...]

Sends StatsD lines to a running adapter: those given, as they are; those of standard input, as they come; or
lines that are made of a name and values.

  --type=TYPE      counter, gauge, timer (in milliseconds), histogram, distribution or set
                   a counter without VALUE counts 1
  --relative       move the gauge by VALUE in place of setting it
  --rate=RATE      say that each value was sampled and stands for 1/RATE: above 0, at most 1
  --tag=KEY:VALUE  a tag as DogStatsD writes it; several times; KEY alone is one without a value
  --by=WAY         udp, tcp, unixgram or unix; without it the first of these that is on

Where the adapter listens is said as to the adapter itself: by --statsd.listen-udp, --statsd.listen-tcp,
--statsd.listen-unixgram and --statsd.listen-unix, or their variables.

Exit status: 0 the lines are sent, and by tcp and unix read; 1 they are not, or the command line cannot be
used. Nobody hears of datagrams that are lost on the way: by udp only a host that refuses at once is noticed.
"""


_FLAGS = (
    kingpin.Flag("type", "--type"),
    kingpin.Flag("relative", "--relative", switch=True),
    kingpin.Flag("rate", "--rate"),
    kingpin.Flag("tag", "--tag", repeatable=True),
    kingpin.Flag("by", "--by"),
)


def main(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Return the exit status of ``send`` with *words* after it."""
    try:
        told = kingpin.parse([*_FLAGS, *command.ROWS], words, positional=True)
        if told.asked:
            print(USAGE, end="")
            return SENT
        own = {flag.name: told.values.pop(flag.name) for flag in _FLAGS if flag.name in told.values}
        batches = _batches(own, told.positional, sys.stdin.buffer)
        target = _target(own.get("by", [""])[0], command.load(told, environ).settings)
    except (kingpin.Usage, command.Refused, Wrong) as error:
        print(f"{command.PROGRAM}: send: {error}, try --help", file=sys.stderr)
        return NOT_SENT
    try:
        _deliver(target, batches)
    except (OSError, Wrong) as error:
        reason = "no answer in time" if isinstance(error, TimeoutError) else getattr(error, "strerror", None)
        print(f"{command.PROGRAM}: send: {target.by} {target.where}: {reason or error}", file=sys.stderr)
        return NOT_SENT
    except KeyboardInterrupt:
        return INTERRUPTED
    return SENT


def _batches(own: Mapping[str, list[str]], loose: Sequence[str], stdin: BinaryIO) -> Iterator[list[bytes]]:
    """Return the lines to send, in the batches that they come in.

    Raises:
        Wrong: there are none, or they cannot be made.
    """
    type = own.get("type", [""])[0]
    if type:
        if type not in TYPES:
            raise Wrong(f"--type={type}: want one of {', '.join(TYPES)}")
        name, *values = loose or [""]
        relative = own.get("relative", ["false"])[0] == "true"
        made = Said(type, name, values, own.get("rate", [""])[0], own.get("tag", []), relative)
        return iter([_encoded(lines(made))])
    if strange := [flag.flag for flag in _FLAGS if flag.name in own and flag.name != "by"]:
        raise Wrong(f"{strange[0]} wants --type beside it")
    if not loose:
        raise Wrong("want lines, or - for those of standard input")
    return _arriving(stdin) if list(loose) == [STDIN] else iter([_encoded(loose)])


def _encoded(texts: Sequence[str]) -> list[bytes]:
    return [text.encode("utf-8", "surrogateescape") for text in texts]


def _arriving(stream: BinaryIO) -> Iterator[list[bytes]]:
    """Yield the lines of *stream* as soon as they are there.

    Raises:
        Wrong: one of them does not end.
    """
    rest = b""
    while chunk := stream.read1(LONGEST):  # type: ignore[attr-defined]
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > LONGEST:
            raise Wrong(f"a line is longer than {LONGEST} bytes")
        yield [line for line in whole if line]
    yield [rest] if rest else []


def _target(by: str, settings: Settings) -> Target:
    """Return the listener that is asked for, or the first that is on.

    Raises:
        Wrong: there is none.
    """
    if by and by not in WAYS:
        raise Wrong(f"--by={by}: want one of {', '.join(WAYS)}")
    for way in (by,) if by else WAYS:
        where = getattr(settings, f"statsd_listen_{way}")
        if where:
            return Target(way, where)
    raise Wrong(f"there is nothing to send to: --statsd.listen-{by or WAYS[0]} is empty")


def _deliver(target: Target, batches: Iterator[list[bytes]]) -> None:
    delivery = Delivery(target)
    try:
        for batch in batches:
            delivery.send(batch)
        delivery.finish()
    finally:
        delivery.close()
