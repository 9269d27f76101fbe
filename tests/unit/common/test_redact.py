"""A secret shows itself to nobody, and a rotated one is used at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podmates_common.redact import Redactor, Secret


def test_a_secret_prints_as_stars_in_every_form() -> None:
    secret = Secret("hunter2")

    assert {str(secret), repr(secret), f"{secret}", f"{secret!r}"} == {"***"}
    assert secret.reveal() == "hunter2"
    assert not Secret("")


def test_a_rotated_file_is_read_again_and_a_missing_one_keeps_the_last_value(tmp_path: Path) -> None:
    link, data = tmp_path / "password", tmp_path / "first"
    data.write_text("first\n")
    link.symlink_to(data)
    secret = Secret.from_file(link)
    redactor = Redactor()
    redactor.add(secret)
    assert secret.reveal() == "first"

    (tmp_path / "second").write_text("second")
    (tmp_path / "swap").symlink_to(tmp_path / "second")
    os.replace(tmp_path / "swap", link)
    assert secret.reveal() == "second"
    assert redactor.clean("is second") == "is ***"

    link.unlink()
    assert secret.reveal() == "second"


def test_a_file_that_cannot_be_read_at_first_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Secret.from_file(tmp_path / "none")


URLS = {
    "user and password": ("git clone https://me:pw@host/r", "git clone https://***@host/r"),
    "token": ("https://tok@host/r", "https://***@host/r"),
    "none": ("https://host/r@v1", "https://host/r@v1"),
    "two": ("a://x@h b://y@i", "a://***@h b://***@i"),
}


@pytest.mark.parametrize(("text", "clean"), URLS.values(), ids=URLS.keys())
def test_credentials_in_a_url_are_masked(text: str, clean: str) -> None:
    assert Redactor().clean(text) == clean


def test_what_was_added_is_masked_until_it_is_forgotten() -> None:
    redactor, one, same = Redactor(), Secret("first"), Secret("first")
    redactor.add(one)
    redactor.forget(same)
    assert redactor.clean("first") == "***"
    redactor.forget(one)
    assert redactor.clean("first") == "first"


def test_a_secret_of_a_few_letters_does_not_mangle_every_text() -> None:
    redactor = Redactor()
    for secret in ("e", "x", "abc", "abcd"):
        redactor.add(secret)
    assert redactor.clean("exact: abc abcd") == "exact: abc ***"
    assert redactor.clean("https://e:x@host/") == "https://***@host/"
