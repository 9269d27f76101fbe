"""A server that has not run a command says so in words of its own; what a script says is a reply."""

from __future__ import annotations

import pytest

from tests.unit.redis.rig import Rig


@pytest.mark.parametrize("command", ["EVAL", "EVALSHA", "FCALL", "EVAL_RO", "FCALL_RO"])
@pytest.mark.parametrize("word", ["READONLY", "LOADING", "MASTERDOWN", "REDIRECT"])
def test_what_a_script_says_in_a_servers_words_is_its_reply(command: str, word: str) -> None:
    """What it has done before it said so stays done: sent again it would do that twice."""
    rig = Rig()
    error = f"-{word} this is my own error\r\n".encode()
    rig.send(f"{command} x 0")
    if rig.asked_replica():
        rig.replica(error)
    assert rig.asked() == [command.encode()]
    rig.master(error)

    assert (rig.told(), rig.asked()) == (error, [])
    assert not rig.session.suspect
    assert not rig.session.replica.drop


@pytest.mark.parametrize(
    "error",
    [
        b"-READONLY You can't write against a read only replica. script: 0, on @user_script:1.\r\n",
        b"-READONLY Can not run script with write flag on readonly replica.\r\n",
        b"-LOADING Redis is loading the dataset in memory\r\n",
        b"-LOADING Valkey is loading the dataset in memory\r\n",
        b"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n",
    ],
)
def test_a_script_that_a_server_refused_goes_to_the_next_master(error: bytes) -> None:
    rig = Rig()
    rig.send("EVAL x 0")
    rig.asked()
    rig.master(error)

    assert rig.told() == b""
    assert rig.session.suspect
