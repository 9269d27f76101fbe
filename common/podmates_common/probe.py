"""Ask the running process how it is: for images without a shell. Lean, because it is started often."""

from __future__ import annotations

import http.client
import sys

from podmates_common.parse import Address

PATHS = {"live": "/livez", "ready": "/readyz", "started": "/startupz"}
_TIMEOUT = 3.0  # seconds
_MAX_BODY = 64 * 1024  # bytes
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


def probe(kind: str, address: Address, *, secure: bool = False) -> int:
    """Return 0 when the process says yes, 1 when it says no or does not answer; the reason is printed.

    *address* is where the process listens; an address that means every interface is asked on loopback.
    *secure* asks by TLS, whatever the certificate says: its name is that of the outside.
    """
    host = _EVERYWHERE.get(address.host, address.host)
    connection = http.client.HTTPConnection(host, address.port, timeout=_TIMEOUT)
    if secure:
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, address.port, timeout=_TIMEOUT, context=context)
    try:
        connection.request("GET", PATHS[kind])
        response = connection.getresponse()
        body = response.read(_MAX_BODY).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        print(f"{address}: {error}", file=sys.stderr)
        return 1
    finally:
        connection.close()
    print(body, end="")
    return 0 if response.status == 200 else 1
