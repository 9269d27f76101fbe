"""``--credential`` is JSON of a known shape, and nobody is shown a password in it."""

from __future__ import annotations

import pytest

from podmates_gitsync.flags.entries import Entry, entries
from podmates_gitsync.flags.load import FlagError, Loader, flag_lines
from podmates_gitsync.flags.pflag import Unspeakable
from podmates_gitsync.flags.validate import first_fault

BASE = ["--root=/r", "--repo=https://h/r"]
ONE = '{"url": "https://a", "username": "u", "password": "hunter2"}'
OTHER = '{"url": "https://b", "username": "v", "password-file": "/f"}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ONE, [Entry("https://a", "u", "hunter2")]),
        (OTHER, [Entry("https://b", "v", "", "/f")]),
        (f"[{ONE}, {OTHER}]", [Entry("https://a", "u", "hunter2"), Entry("https://b", "v", "", "/f")]),
        ("[]", []),
        ("{}", [Entry()]),
        ('{"URL": "x", "Password-File": "y"}', [Entry("x", "", "", "y")]),
        ('{"url": null}', [Entry()]),
        (' \n{"url":\n"x"}\n', [Entry("x")]),
    ],
)
def test_an_object_or_a_list_of_them(text: str, expected: list[Entry]) -> None:
    assert list(entries(text).entries) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "hunter2", '"hunter2"', "7", "null", "true", '{"url": "hunter2"', '{"url": "hunter2"} x'),
        *('{"url": 7}', '{"password": ["hunter2"]}', '{"hunter2": "x"}', '["hunter2"]', "[null]", "[[]]"),
        *('{"password_file": "x"}', "[" * 100000),
        *('{"url": "hunter2\\u0000"}', '{"password": "hunter2\\ud800"}', '{"password-file": "\\udfff"}'),
    ],
    ids=lambda text: text[:20],
)
def test_anything_else_is_a_fault_that_does_not_show_it(text: str) -> None:
    with pytest.raises(Unspeakable) as caught:
        entries(text)
    with pytest.raises(FlagError) as told:
        Loader({}).command([*BASE, f"--credential={text}"])

    assert "hunter2" not in f"{caught.value} {told.value}"
    assert str(told.value).startswith('invalid argument for "--credential" flag: ')


def test_uses_of_the_flag_come_after_the_variable() -> None:
    loader = Loader({"GITSYNC_CREDENTIAL": f"[{ONE}]"})

    command = loader.command([*BASE, f"--credential={OTHER}", f"--credential={ONE}"])

    assert [e.url for use in command.settings.credential for e in use.entries] == [
        "https://a",
        "https://b",
        "https://a",
    ]
    assert [e.url for use in loader.command(BASE).settings.credential for e in use.entries] == ["https://a"]


@pytest.mark.parametrize("text", ["", "{", "7", '{"unknown": "x"}'])
def test_a_malformed_variable_is_ignored(text: str) -> None:
    command = Loader({"GITSYNC_CREDENTIAL": text}).command([*BASE, f"--credential={OTHER}"])

    assert [e.url for use in command.settings.credential for e in use.entries] == ["https://b"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", "must have a url"),
        ('{"url": "x"}', "must have a username"),
        ('{"url": "x", "username": "u"}', "must have a password or a password-file"),
        ('{"url": "x", "username": "u", "password": "p", "password-file": "f"}', "only one of password and"),
        (f'[{ONE}, {{"url": "x"}}]', "must have a username"),
        (f"[{ONE}, {OTHER}]", None),
    ],
)
def test_each_must_be_complete(text: str, reason: str | None) -> None:
    for fault in (
        first_fault(Loader({}).command([*BASE, f"--credential={text}"])),
        first_fault(Loader({"GITSYNC_CREDENTIAL": text}).command(BASE)),
    ):
        assert (fault is None) if reason is None else (fault is not None and reason in fault)


def test_a_password_in_it_is_shown_nowhere() -> None:
    secret = '[{"url": "https://x:hunter2@a/", "username": "u", "password": "hunter2"}]'
    loader = Loader({"GITSYNC_CREDENTIAL": secret})
    command = loader.command([*BASE, "-v6", f"--credential={secret}"])

    (line,) = [line for line in flag_lines(command) if "REDACTED" in line][:1]
    assert '"username":"u"' in line.replace(" ", "")
    for text in (
        *flag_lines(command),
        loader.usage("git-sync"),
        loader.manual(),
        repr(command.settings.credential),
    ):
        assert "hunter2" not in text
