"""Names of services: their SRV records say on which hosts and ports the servers are."""

from __future__ import annotations

from podmates_common.parse import Address

_MOST = 128  # servers of one service


async def service(name: str) -> list[Address]:
    """Return host and port of every server of the service called *name*, ``_redis._tcp.redis.svc``.

    Raises:
        OSError: there is none, or no answer.
    """
    from dns import asyncresolver  # takes megabytes, and few ask for services
    from dns.exception import DNSException

    try:
        # made anew each time, since /etc/resolv.conf may be another one now
        answer = await asyncresolver.Resolver().resolve(name, "SRV", search=True)
    except DNSException as error:
        raise OSError(str(error) or "no answer") from None
    places = [Address(record.target.to_text(omit_final_dot=True), record.port) for record in answer]
    return [place for place in places if place.port and place.host != "."][:_MOST]
