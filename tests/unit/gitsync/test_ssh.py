"""git's ssh command names the keys, checks the host, and survives a space in a path."""

from __future__ import annotations

import shlex

from podmates_gitsync.git.ssh import command


def test_keys_come_in_order_and_the_host_is_checked() -> None:
    text = command("ssh -p 1", keys=["/a", "/b"], known_hosts="/known", verbosity=0)

    assert text == "ssh -p 1 -i /a -i /b -o StrictHostKeyChecking=yes -o UserKnownHostsFile=/known"


def test_the_check_can_be_off() -> None:
    text = command("ssh", keys=[], known_hosts=None, verbosity=0)

    assert "StrictHostKeyChecking=no" in text


def test_a_file_without_a_name_knows_no_host_and_turns_no_check_off() -> None:
    text = command("ssh", keys=[], known_hosts="", verbosity=0)

    assert text == "ssh -o StrictHostKeyChecking=yes -o UserKnownHostsFile=/dev/null"


def test_our_verbosity_is_sshs_too() -> None:
    shown = {level: command("ssh", keys=[], known_hosts="/k", verbosity=level) for level in (4, 5, 7, 9)}

    assert [shown[level].split()[1] for level in shown] == ["-o", "-v", "-vv", "-vvv"]


def test_a_path_with_a_space_or_a_quote_stays_one_word() -> None:
    words = shlex.split(command("ssh", keys=["/a b", "/it's"], known_hosts="/k n", verbosity=0))

    assert words[1:5] == ["-i", "/a b", "-i", "/it's"]
    assert words[-1] == 'UserKnownHostsFile="/k n"'  # ssh takes several files there
