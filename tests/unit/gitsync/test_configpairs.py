"""``--git-config`` is read as git-sync reads it, and its keys are judged as git judges them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from podmates_gitsync.git.configpairs import ConfigPairError, merged, parse, place, shown, shown_text

READ: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "nothing": ("", []),
    "one": ("a.b:c", [("a.b", "c")]),
    "two": ("a.b:c,d.e:f", [("a.b", "c"), ("d.e", "f")]),
    "comma at the end": ("a.b:c,", [("a.b", "c")]),
    "key with spaces and backslash, literal": (r"a b.c\n d:e", [(r"a b.c\n d", "e")]),
    "key with a comma": ("a.b:c,d,e.f:g", [("a.b", "c"), ("d,e.f", "g")]),
    "colon in a bare value": ("a.b:c:d", [("a.b", "c:d")]),
    "spaces of a value are kept": ("a.b: c d ", [("a.b", " c d ")]),
    "quote in a bare value": ('a.b:c"d', [("a.b", 'c"d')]),
    "quoted key with a colon": ('"http.https://h:1/.proxy":x', [("http.https://h:1/.proxy", "x")]),
    "escapes in a quoted key": (r'"a.\"\\\,b\tc\n.d":x', [('a."\\,b\tc\n.d', "x")]),
    "quoted value with a comma": ('a.b:"c,d",e.f:g', [("a.b", "c,d"), ("e.f", "g")]),
    "empty quoted value": ('a.b:""', [("a.b", "")]),
    "comma after a quoted value": ('a.b:"c",', [("a.b", "c")]),
    "escapes in a bare value": (r"a.b:x\n\t\"\,\\y", [("a.b", 'x\n\t",\\y')]),
    "escapes in a quoted value": (r'a.b:"\n\t\"\,\\"', [("a.b", '\n\t",\\')]),
    "a bare value's first character is literal": (r"a.b:\n", [("a.b", r"\n")]),
    "even a comma": ("k:,x:y", [("k", ",x:y")]),
    "a bare key's first character is literal": (":a.b:c", [(":a.b", "c")]),
    "a repeated key": ("a.b:c,a.b:d", [("a.b", "c"), ("a.b", "d")]),
}
REFUSED = {
    "unknown escape": (r"a.b:cx\x", "unknown escape at character 7"),
    "escape cut off": ("a.b:cx\\", "unknown escape"),
    "unknown escape in quotes": (r'a.b:"\x"', "unknown escape"),
    "unclosed value": ('a.b:"c', "quote at character 5 is not closed"),
    "unclosed key": ('"a.b:c', "quote at character 1 is not closed"),
    "text after a quoted value": ('a.b:"c"d', "text after the closing quote"),
    "text after a quoted key": ('"a.b" :c', "no colon after the quoted key"),
    "key without value": ("a.b", "key without a value"),
    "second key without value": ("a.b:c,d", "key without a value at character 7"),
    "empty value at the end": ("a.b:", "key without a value before character 5"),
    "second value empty at the end": ("a.b:c,d.e:", "key without a value before character 11"),
}


@pytest.mark.parametrize(("text", "pairs"), READ.values(), ids=READ.keys())
def test_pairs_are_read(text: str, pairs: list[tuple[str, str]]) -> None:
    assert parse(text) == pairs


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_of_the_grammar_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ConfigPairError, match=reason):
        parse(text)


def test_no_fault_shows_a_value() -> None:
    for text in ('http.extraHeader:"hunter2', r"http.extraHeader:hunter2\x", 'a.b:"hunter2"hunter2'):
        with pytest.raises(ConfigPairError) as caught:
            parse(text)
        assert "hunter2" not in str(caught.value)
    with pytest.raises(ConfigPairError) as caught:
        merged(parse("http.extraHeader:X: a,hunter2:b"))
    assert "hunter2" not in str(caught.value)


KEYS = [
    *("a.b", "A.B", "a-1.b-2", "a.Sub.b", 'a.Sub b\\"#;.c', "http.https://h/x.proxy", "a..b", "1.b"),
    *("a", "a.", ".b", "a b.c", "a_b.c", "a.b c", "a.1", "a.-", "a.b_c", "a.s\nt.b", "a\n.b", "", ".", "ä.b"),
]


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_git_judges_keys_like_this(tmp_path: Path, key: str) -> None:
    words = ["git", "config", "--file", str(tmp_path / "config"), "--replace-all", key, "x"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)

    if done.returncode == 0:
        section, subsection, name = place(key)
        full = ".".join([section, *([] if subsection is None else [subsection]), name])
        listed = subprocess.run(
            ["git", "config", "--file", str(tmp_path / "config"), "--list", "-z"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert listed.stdout == f"{full}\nx\0"
    else:
        with pytest.raises(ConfigPairError) as caught:
            place(key)
        assert str(caught.value) in done.stderr


def test_a_repeated_key_replaces_whatever_its_case() -> None:
    values = merged([("Safe.Directory", "*"), ("a.S.k", "1"), ("safe.directory", "/git"), ("a.s.k", "2")])

    assert values == {place("safe.directory"): "/git", place("a.S.k"): "1", place("a.s.k"): "2"}


@pytest.mark.parametrize(
    "key",
    [
        "http.extraHeader",
        "http.https://h/.extraheader",
        "x.password",
        "sendemail.smtpPass",
        "a.TOKEN",
        "a.cookie",
    ],
)
def test_values_that_may_be_secrets_are_not_shown(key: str) -> None:
    assert shown(key, "hunter2") == "REDACTED"


def test_other_values_are_shown() -> None:
    assert shown("http.cookieFile", "/etc/x") == "/etc/x"
    assert shown("credential.helper", "cache --timeout 3600") == "cache --timeout 3600"
    assert shown("credential.https://h.helper", "!echo password=x") == "REDACTED"


def test_a_flag_is_shown_with_its_secrets_masked() -> None:
    assert (
        shown_text("user.name:A B,http.extraHeader:X: hunter2") == "user.name:A B,http.extraHeader:REDACTED"
    )
    assert shown_text('http.extraHeader:"hunter2') == "REDACTED"
