"""Each setting of TLS is of the servers, or of the sentinels, and says what its name says."""

from __future__ import annotations

import pytest

from podmates_common.settings import load
from podmates_redis.servers.reaching import wanted
from podmates_redis.servers.tls import Wanted
from podmates_redis.settings import PREFIX, Settings

SAID = Wanted(ca_file="/a", cert_file="/b", key_file="/c", server_name="d", verify="ca")


@pytest.mark.parametrize(("prefix", "other"), [("", "sentinel_"), ("sentinel_", "")])
def test_what_is_asked_of_servers_and_of_sentinels_is_set_apart(prefix: str, other: str) -> None:
    flag = "--" + prefix.replace("_", "-") + "tls-"
    flags = [f"{flag}ca-file=/a", f"{flag}cert-file=/b", f"{flag}key-file=/c", f"{flag}server-name=d"]
    settings = load(Settings, PREFIX, ["--servers", "a:1", *flags, f"{flag}verify=ca"], {}).settings

    assert wanted(settings, prefix) == SAID
    assert wanted(settings, other) == Wanted()
