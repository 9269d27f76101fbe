"""What can be changed at the admin port, by whom, and that it is nobody without the token."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.ambassador import Ambassador
from tests.support.pods import prepare
from tests.support.redis_servers import Pair
from tests.support.resp import RawClient, request
from tests.support.waiting import stays, until

TOKEN = "open-sesame-0123456789"
PATHS = (
    *("/reload", "/drain", "/pause?for=1s", "/resume", "/loglevel?level=debug", "/consistency?mode=strict"),
    *("/route/get?to=master", "/nodes/{replica}/eject", "/nodes/{replica}/admit", "/clients/1/kill"),
)


def post(ambassador: Ambassador, path: str, token: str = TOKEN) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    asked = urllib.request.Request(ambassador.admin + path, method="POST", headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=30) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


@pytest.fixture
def ambassador(redis_pair: Pair, tmp_path: Path) -> Iterator[Ambassador]:
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    env = {"PODMATES_REDIS_ADMIN_TOKEN_FILE": str(token)}
    with Ambassador("--servers", redis_pair.addresses, env=env) as ambassador:
        prepare(redis_pair, ambassador, "SET k v")
        yield ambassador


def test_without_a_token_of_its_own_nobody_changes_anything(redis_pair: Pair) -> None:
    with Ambassador("--servers", redis_pair.addresses) as ambassador:
        for path in PATHS:
            for token in ("", "None", TOKEN):
                status, said = post(ambassador, path.format(replica=redis_pair.replica.address), token)
                assert (status, "ADMIN_TOKEN" in said["error"]) == (403, True), path
        assert ambassador.get("/readyz").status == 200


def test_a_wrong_token_changes_nothing_and_many_are_slowed_down(
    ambassador: Ambassador, redis_pair: Pair
) -> None:
    wrong = ["", " ", TOKEN[:-1], TOKEN + "x", TOKEN.upper()]
    answers = [
        post(ambassador, path.format(replica=redis_pair.replica.address), token)[0]
        for path in PATHS
        for token in wrong
    ]

    assert set(answers) == {401, 429}
    assert answers.count(401) < 30
    assert post(ambassador, "/resume")[0] == 200  # who knows it is not slowed down
    assert ambassador.get("/readyz").status == 200
    assert TOKEN not in ambassador.process.output + ambassador.get("/config").body


def test_a_rotated_token_counts_at_once(ambassador: Ambassador, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("another-one-0123")

    assert post(ambassador, "/resume")[0] == 401
    assert post(ambassador, "/resume", "another-one-0123")[0] == 200


def test_a_pause_holds_commands_until_it_ends_or_is_ended(ambassador: Ambassador, redis_pair: Pair) -> None:
    with RawClient(ambassador.port) as client:
        client.call("SET", "k", "v")
        assert post(ambassador, "/pause?for=60s&what=write")[0] == 200
        client.send(request("GET", "k"))
        assert client.read() == b"$1\r\nv\r\n"
        client.send(request("SET", "k", "w"))
        assert post(ambassador, "/pause?for=60s&what=write")[1]["in_flight"] == 0
        stays(lambda: redis_pair.master.client().get("k") == b"v", 0.3, "the old value")
        assert post(ambassador, "/resume")[0] == 200
        assert client.read() == b"+OK\r\n"
        assert post(ambassador, "/pause?for=200ms")[0] == 200
        assert client.call("PING") == b"+PONG\r\n"
        for bad in ("", "?for=0s", "?for=61s", "?for=soon", "?for=1s&what=nothing"):
            assert post(ambassador, "/pause" + bad)[0] == 400
        assert client.call("PING") == b"+PONG\r\n"


def test_a_replica_is_sent_away_and_comes_back(ambassador: Ambassador, redis_pair: Pair) -> None:
    replica = redis_pair.replica
    with RawClient(ambassador.port) as client:
        assert post(ambassador, f"/nodes/{replica.address}/eject") == (200, {"ejected": [replica.address]})
        until(lambda: _ejected(ambassador) == 1, what="the replica to be left")
        before = replica.calls("get")
        assert client.call("GET", "k") == b"$1\r\nv\r\n"
        assert replica.calls("get") == before
        assert post(ambassador, f"/nodes/{replica.address}/admit") == (200, {"ejected": []})
        until(lambda: client.call("GET", "k") and replica.calls("get") > before, what="a read at the replica")
    assert post(ambassador, f"/nodes/{redis_pair.master.address}/eject")[0] == 409
    assert post(ambassador, "/nodes/nobody:1/eject")[0] == 404


def _ejected(ambassador: Ambassador) -> float:
    return ambassador.total("redis_ambassador_upstream_ejected", reason="operator")


def test_a_client_is_closed(ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as client, RawClient(ambassador.port) as other:
        number = client.call("CLIENT", "ID")[1:-2].decode()
        assert post(ambassador, f"/clients/{number}/kill") == (200, {"killed": int(number)})
        assert client.read_rest() == b""
        assert other.call("PING") == b"+PONG\r\n"
    for nobody in (number, "x", "-1", "9" * 30, "²"):
        path = urllib.parse.quote(nobody)
        assert post(ambassador, f"/clients/{path}/kill")[0] == 404


def test_settings_are_put_in_force_one_by_one(ambassador: Ambassador, redis_pair: Pair) -> None:
    replica = redis_pair.replica
    with RawClient(ambassador.port) as client:
        assert post(ambassador, "/consistency?mode=strict") == (200, {"consistency": "strict"})
        before = replica.calls("get")
        client.call("GET", "k")
        assert replica.calls("get") == before
        post(ambassador, "/consistency?mode=eventual")
        assert post(ambassador, "/route/keys?to=deny")[0] == 200
        assert post(ambassador, "/route/get?to=master")[0] == 200
        assert client.call("KEYS", "*").startswith(b"-NOPERM")
        client.call("GET", "k")
        assert replica.calls("get") == before
        assert post(ambassador, "/route/keys?to=default")[0] == 200
        assert client.call("KEYS", "*") == b"*1\r\n$1\r\nk\r\n"
    assert post(ambassador, "/loglevel?level=debug") == (200, {"log_level": "debug"})
    rows = {row["name"]: row["from"] for row in json.loads(ambassador.get("/config").body)}
    assert rows["consistency"] == rows["log_level"] == "the admin port"
    for bad in ("/consistency?mode=perhaps", "/consistency", "/loglevel?level=x", "/route/set?to=replica"):
        assert post(ambassador, bad)[0] == 400, bad


def test_a_reload_and_the_end_are_asked_for(ambassador: Ambassador) -> None:
    assert post(ambassador, "/reload") == (200, {"changed": [], "restart": [], "problems": []})
    assert post(ambassador, "/drain") == (200, {"draining": True})
    assert ambassador.process.wait() == 0


@pytest.mark.parametrize("path", ["/reload", "/drain", "/resume"])
def test_they_are_not_asked_for_by_reading(ambassador: Ambassador, path: str) -> None:
    assert ambassador.get(path).status == 405
