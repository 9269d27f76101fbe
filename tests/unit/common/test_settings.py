"""A setting is declared once; every source can give it, and every fault is named at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from podmates_common.errors import ConfigError
from podmates_common.flags import Flags
from podmates_common.parse import Address, address, boolean, duration, integer, listing, text
from podmates_common.redact import MASK, Secret
from podmates_common.reference import effective, markdown, usage
from podmates_common.settings import Loaded, load, options, resolve, setting

PREFIX = "PODMATES_THING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    server: Address = setting(None, address, "where the server is")
    period: float = setting("10s", duration, "time between two looks")
    tries: int = setting("3", integer(minimum=1), "how often")
    listen: tuple[Address, ...] = setting("localhost:1", address, "where to listen", repeatable=True)
    zones: tuple[str, ...] = setting("", listing(text), "which zones")
    fast: bool = setting("false", boolean, "be quick", switch=True)
    mode: str = setting("a", text, "old name", flag="odd.mode", variables=("OLD_MODE", "OLDER_MODE"))
    password: Secret = setting("", text, "for the server", secret=True)
    config: str = setting("", text, "TOML file")


def read(*argv: str, **environ: str) -> Loaded[Settings]:
    return load(Settings, PREFIX, argv, environ)


def faults(*argv: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(*argv, **environ)
    return caught.value.problems


def test_defaults_are_parsed_like_any_other_source() -> None:
    settings = read("--server", "a:1").settings

    assert (settings.period, settings.tries, settings.zones, settings.fast) == (10.0, 3, (), False)
    assert settings.listen == (Address("localhost", 1),)


def test_a_flag_wins_over_a_variable_over_the_file_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('server = "file:1"\ntries = 7\nperiod = "1m"\nzones = ["x", "y"]\nfast = true\n')
    loaded = read(
        "--config", str(file), "--server=flag:1", PODMATES_THING_SERVER="var:1", PODMATES_THING_TRIES="5"
    )

    settings = loaded.settings
    assert (settings.server.host, settings.tries, settings.period) == ("flag", 5, 60.0)
    assert (settings.zones, settings.fast) == (("x", "y"), True)
    places = [loaded.origins[name] for name in ("server", "tries", "period", "mode")]
    assert places == ["--server", "PODMATES_THING_TRIES", "file key period", "default"]


def test_a_repeatable_flag_collects_and_a_variable_separates_by_commas() -> None:
    assert read("--server=a:1", "--listen=x:1", "--listen", "y:2").settings.listen == (("x", 1), ("y", 2))
    assert read("--server=a:1", PODMATES_THING_LISTEN="x:1, y:2").settings.listen == (("x", 1), ("y", 2))


def test_a_switch_needs_no_value_and_takes_one_behind_equals() -> None:
    assert read("--server=a:1", "--fast").settings.fast is True
    assert read("--server=a:1", "--fast=false").settings.fast is False


def test_the_name_of_a_replaced_system_is_kept() -> None:
    assert read("--server=a:1", "--odd.mode=b").settings.mode == "b"
    assert read("--server=a:1", OLDER_MODE="c").settings.mode == "c"


def test_every_fault_is_named_at_once_with_its_place() -> None:
    found = faults(
        "--tries=0", "--nope", "--period", "10", PODMATES_THING_LISTEN="x", PODMATES_THING_TYPO="1"
    )

    assert found == [
        "--nope: unknown flag",
        "PODMATES_THING_TYPO: unknown setting",
        "--server: required: where the server is",
        "--period: '10': want a number and a unit, such as 30s or 250ms",
        "--tries: '0': want at least 1",
        "PODMATES_THING_LISTEN: 'x': want host:port, such as localhost:6379, [::1]:6379 or :6379",
    ]


def test_a_flag_without_its_value_is_one_fault() -> None:
    assert faults("--server") == ["--server: wants a value"]


COMMAND_LINES = {
    "value missing at the end": (["--server"], "--server: wants a value"),
    "value missing before a flag": (["--server", "--fast"], "--server: wants a value"),
    "given twice": (["--server=a:1", "--server=b:1"], "--server: given more than once"),
    "a word": (["--server=a:1", "word"], "'word': unexpected argument"),
    "after the dashes": (["--server=a:1", "--", "--fast"], "'--fast': unexpected argument"),
    "a secret": (["--server=a:1", "--password=x"], "--password: unknown flag"),
    "an abbreviation": (["--serv=a:1", "--server=a:1"], "--serv: unknown flag"),
}


@pytest.mark.parametrize(("argv", "fault"), COMMAND_LINES.values(), ids=COMMAND_LINES.keys())
def test_a_wrong_command_line_is_refused(argv: list[str], fault: str) -> None:
    assert fault in faults(*argv)


FILES = {
    "unknown key": ("serverr = 1", "file key serverr: unknown setting"),
    "a secret": ('password = "hunter2"', "file key password: a secret does not belong into this file"),
    "a table": ("[tries]\nx = 1", "file key tries: want a value, not a table"),
    "wrong value": ("tries = 0", "file key tries: '0': want at least 1"),
}


@pytest.mark.parametrize(("content", "fault"), FILES.values(), ids=FILES.keys())
def test_a_wrong_file_is_refused(content: str, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(content)

    assert fault in faults("--server=a:1", f"--config={file}")


def test_a_file_that_is_not_there_or_not_toml_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_bytes(b"\xff = ")

    assert faults("--server=a:1", "--config=/nowhere/c") == [
        "--config: '/nowhere/c': No such file or directory"
    ]
    assert str(broken) in faults("--server=a:1", f"--config={broken}")[0]


def test_a_file_that_never_ends_is_refused() -> None:
    assert faults("--server=a:1", "--config=/dev/zero") == ["--config: '/dev/zero': not a regular file"]


def test_what_kubernetes_injects_is_not_a_setting() -> None:
    injected = {
        "PODMATES_THING_SERVICE_HOST": "10.0.0.1",
        "PODMATES_THING_PORT": "tcp://10.0.0.1:80",
        "PODMATES_THING_PORT_80_TCP_ADDR": "10.0.0.1",
        "PODMATES_THING_HEADLESS_SERVICE_PORT_REDIS": "6379",
    }

    assert read("--server=a:1", **injected).settings.server.host == "a"


def test_a_secret_comes_from_a_variable_or_a_file_and_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("hunter2\n")
    for source in ({"PODMATES_THING_PASSWORD": "hunter2"}, {"PODMATES_THING_PASSWORD_FILE": str(file)}):
        loaded = read("--server=a:1", **source)

        assert loaded.settings.password.reveal() == "hunter2"
        assert "hunter2" not in repr(loaded) + effective(loaded)
        assert f"password = {MASK}" in effective(loaded)


def test_a_fault_in_a_secret_does_not_show_it() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Pin:
        pin: Secret = setting("0", integer(), "digits", secret=True)

    with pytest.raises(ConfigError) as caught:
        load(Pin, PREFIX, [], {"PODMATES_THING_PIN": "hunter2"})
    assert caught.value.problems == ["PODMATES_THING_PIN: (secret): want a whole number"]


def test_help_and_table_name_every_setting_in_every_place() -> None:
    rows = options(Settings, PREFIX)
    for page in (usage(rows, "podmates-thing", "Does things."), markdown(rows)):
        for row in rows:
            assert (row.flag or row.variables[0] + "_FILE") in page
            assert row.variables[0] in page
            assert row.help in page


def test_another_grammar_brings_its_flags_to_the_same_declarations() -> None:
    loaded = resolve(Settings, PREFIX, Flags({"server": ["a:1"], "listen": ["x:1", "y:2"]}, []), {})

    assert loaded.settings.listen == (("x", 1), ("y", 2))
