"""What a signature proves, by real git and real keys; and that nothing of a repository can talk it round."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from podmates_gitsync.git.commands import GitError
from podmates_gitsync.git.signatures import Signatures
from tests.support.signing import Key, commit, forged, tag
from tests.support.signing_bench import Bench, benches

ARMOR = "-----BEGIN {}-----\n \n iQEzBAABCAAdFiEE\n -----END {}-----"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Key, Key]:
    folder = tmp_path_factory.mktemp("keys")
    return Key(folder, "good"), Key(folder, "other")


@pytest.fixture
def bench(tmp_path: Path, keys: tuple[Key, Key]) -> Iterator[Bench]:
    yield from benches(tmp_path, *keys)


def test_a_commit_signed_by_an_allowed_key_is_good(bench: Bench) -> None:
    commit(bench.upstream, "one", bench.good)

    assert bench.fault() == ""


def _unsigned(bench: Bench) -> None:
    commit(bench.upstream, "one")


def _unknown_key(bench: Bench) -> None:
    commit(bench.upstream, "one", bench.other)


def _expired(bench: Bench) -> None:
    bench.signers.write_text(bench.good.allowed('valid-before="20200101"'))
    commit(bench.upstream, "one", bench.good)


def _not_yet(bench: Bench) -> None:
    bench.signers.write_text(bench.good.allowed('valid-after="20990101"'))
    commit(bench.upstream, "one", bench.good)


def _taken_off_the_list(bench: Bench) -> None:
    commit(bench.upstream, "one", bench.good)
    bench.signers.write_text(bench.other.allowed())


def _empty_list(bench: Bench) -> None:
    commit(bench.upstream, "one", bench.good)
    bench.signers.write_text("")


def _other_purpose(bench: Bench) -> None:
    bench.signers.write_text(bench.good.allowed('namespaces="file"'))
    commit(bench.upstream, "one", bench.good)


def _another_tree(bench: Bench) -> None:
    commit(bench.upstream, "one", bench.good)
    tree = bench.upstream.git("rev-parse", "HEAD^{tree}")
    (bench.upstream.work / "a").write_text("evil")
    bench.upstream.git("add", "--all")
    forged(bench.upstream, (tree, bench.upstream.git("write-tree")))


def _another_message(bench: Bench) -> None:
    commit(bench.upstream, "one", bench.good)
    forged(bench.upstream, ("\n\none", "\n\nevil"))


def _another_parent(bench: Bench) -> None:
    first = commit(bench.upstream, "one", bench.good)
    second = commit(bench.upstream, "two")
    commit(bench.upstream, "three", bench.good)
    forged(bench.upstream, (f"parent {second}", f"parent {first}"))


def _only_the_parent(bench: Bench) -> None:
    commit(bench.upstream, "one", bench.good)
    commit(bench.upstream, "two")


BAD: dict[str, Callable[[Bench], None]] = {
    "not signed": _unsigned,
    "by an unknown key": _unknown_key,
    "by a key that has expired": _expired,
    "by a key that is not valid yet": _not_yet,
    "by a key that was taken off the list": _taken_off_the_list,
    "an empty list": _empty_list,
    "by a key for another purpose": _other_purpose,
    "the files are others": _another_tree,
    "the message is another": _another_message,
    "the parent is another": _another_parent,
    "only the parent is signed": _only_the_parent,
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD.keys())
def test_every_other_commit_is_not(bench: Bench, make: Callable[[Bench], None]) -> None:
    make(bench)

    assert f"commit {bench.upstream.head()} has no good signature" in bench.fault()


@pytest.mark.parametrize("kind", ["PGP SIGNATURE", "PGP MESSAGE", "SIGNED MESSAGE"])
def test_a_signature_of_another_format_is_not_given_to_a_program_that_may_know_it(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The programs on the PATH say "good" to everything, and write down that they were asked."""
    commit(bench.upstream, "one")
    armor = "gpgsig " + ARMOR.format(kind, kind)
    forged(bench.upstream, ("\n\none", f"\n{armor}\n\none"))
    asked = tmp_path / "asked"
    programs = _liars(tmp_path / "bin", asked)

    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    assert "has no good signature" in bench.fault()
    assert not asked.exists()


def _liars(folder: Path, asked: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name in ("gpg", "gpg2", "gpgsm"):
        path = folder / name
        path.write_text(
            f"#!/bin/sh\necho $0 >> {asked}\n"
            "echo '[GNUPG:] GOODSIG 0123456789ABCDEF Somebody'\n"
            "echo '[GNUPG:] TRUST_ULTIMATE 0 pgp'\n"
        )
        path.chmod(0o755)
    return folder


def test_no_configuration_that_a_repository_or_a_hook_wrote_makes_it_good(
    bench: Bench, tmp_path: Path
) -> None:
    commit(bench.upstream, "one", bench.other)
    bench.fault()
    liar = tmp_path / "liar"
    liar.write_text(
        "#!/bin/sh\n"
        'case "$*" in *find-principals*) echo dev@example.com;; '
        "*) echo 'Good \"git\" signature for dev@example.com with ED25519 key SHA256:abc';; esac\n"
    )
    liar.chmod(0o755)
    theirs = bench.root / "allowed"
    theirs.write_text(bench.other.allowed())
    with (bench.root / ".git" / "config").open("a") as file:
        file.write(
            f'[gpg]\n\tprogram = {liar}\n\tminTrustLevel = never\n[gpg "ssh"]\n\tprogram = {liar}\n'
            f'\tallowedSignersFile = {theirs}\n[gpg "openpgp"]\n\tprogram = {liar}\n'
        )

    assert "has no good signature" in bench.fault()


def test_allowed_signers_in_the_repository_are_not_those_that_count(bench: Bench) -> None:
    (bench.upstream.work / "allowed").write_text(bench.other.allowed())
    commit(bench.upstream, "one", bench.other)

    assert "has no good signature" in bench.fault()


def _signed_tag(bench: Bench) -> None:
    commit(bench.upstream, "one")
    tag(bench.upstream, "v1", bench.good)


def _both_signed(bench: Bench) -> None:
    commit(bench.upstream, "one", bench.good)
    tag(bench.upstream, "v1", bench.good)


def _signed_commit_only(bench: Bench) -> None:
    commit(bench.upstream, "one", bench.good)
    tag(bench.upstream, "v1")


def _tag_of_a_stranger(bench: Bench) -> None:
    commit(bench.upstream, "one", bench.good)
    tag(bench.upstream, "v1", bench.other)


def _lightweight(bench: Bench) -> None:
    commit(bench.upstream, "one", bench.good)
    bench.upstream.git("tag", "v1")
    bench.upstream.push("refs/tags/v1")


def _another_name(bench: Bench) -> None:
    commit(bench.upstream, "one", bench.good)
    tag(bench.upstream, "v0", bench.good)
    bench.upstream.git("update-ref", "refs/tags/v1", "refs/tags/v0")
    bench.upstream.push("refs/tags/v1")


TAGS: dict[str, tuple[Callable[[Bench], None], str, str, str]] = {
    "tag wanted and signed": (_signed_tag, "v1", "tag", ""),
    "by its full name": (_signed_tag, "refs/tags/v1", "tag", ""),
    "commit of a signed tag is not signed": (_signed_tag, "v1", "commit", "commit .* has no good signature"),
    "both wanted, tag signed": (_signed_tag, "v1", "both", "commit .* has no good signature"),
    "both wanted and signed": (_both_signed, "v1", "both", ""),
    "tag wanted, commit signed": (_signed_commit_only, "v1", "tag", "tag .* has no good signature"),
    "commit wanted and signed": (_signed_commit_only, "v1", "commit", ""),
    "both wanted, commit signed": (_signed_commit_only, "v1", "both", "tag .* has no good signature"),
    "a tag by a stranger": (_tag_of_a_stranger, "v1", "tag", "tag .* has no good signature"),
    "no annotated tag": (_lightweight, "v1", "tag", "v1 is no annotated tag"),
    "a branch": (_both_signed, "main", "tag", "main is no annotated tag"),
    "an old tag under a new name": (_another_name, "v1", "tag", "v1 names the tag 'v0'"),
}


@pytest.mark.parametrize(("make", "ref", "objects", "fault"), TAGS.values(), ids=TAGS.keys())
def test_what_must_be_signed_is_a_setting(
    bench: Bench, make: Callable[[Bench], None], ref: str, objects: str, fault: str
) -> None:
    make(bench)
    found = bench.fault(ref, objects)

    assert _matches(found, fault), found


def _matches(found: str, fault: str) -> bool:
    return re.search(fault, found) is not None if fault else found == ""


def test_trouble_of_git_is_no_fault_of_the_commit(bench: Bench) -> None:
    commit(bench.upstream, "one", bench.good)
    bench.fault()
    signatures = Signatures(bench.git, bench.root, objects="commit", signers=bench.signers)
    with pytest.raises(GitError, match="deadline"):
        signatures.fault(bench.upstream.head(), bench.upstream.head(), "main", time.monotonic() - 1)
    bench.signers.unlink()
    with pytest.raises(FileNotFoundError):
        signatures.fault(bench.upstream.head(), bench.upstream.head(), "main", time.monotonic() + 60)


def test_no_temporary_directory_is_needed_but_root(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(bench.upstream, "one", bench.good)
    (tmp_path / "closed").write_text("no directory")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "closed"))

    assert bench.fault() == ""
