"""A configuration is taken up when a file changes or somebody asks; a wrong one changes and stops nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from podmates_common.watching import Watched
from podmates_metrics import reloading
from podmates_metrics.reloading import Reloading, Taken
from podmates_metrics.tree import Fault


class Files:
    """A configuration that is its file's text; the text ``bad`` is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.taken: list[str] = []

    def watching(self) -> dict[str, Watched]:
        return {str(self.path): Watched(str(self.path))}

    async def take(self) -> Taken:
        watching, text = self.watching(), self.path.read_text()
        if text == "bad":
            raise Fault("it is bad")
        self.taken.append(text)
        return Taken(watching, {})


def running(path: Path, body: Callable[[Files, Reloading], Awaitable[None]], *, look: bool = True) -> None:
    """Run *body* beside a `Reloading` that runs."""

    async def run() -> None:
        path.write_text("first")
        files = Files(path)
        made = Reloading(files.watching(), files.take, look=lambda _: look)
        task = asyncio.create_task(made.run())
        try:
            async with asyncio.timeout(60):
                await body(files, made)
        finally:
            task.cancel()

    asyncio.run(run())


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloading, "LOOK", 0.005)


def test_a_file_that_changes_is_taken_up(tmp_path: Path) -> None:
    async def body(files: Files, made: Reloading) -> None:
        files.path.write_text("second one")
        await _until(lambda: files.taken == ["second one"])

        assert made.outcomes == {"success": 1}

    running(tmp_path / "file", body)


def test_a_wrong_file_is_told_once_and_the_next_good_one_is_taken_up(tmp_path: Path) -> None:
    async def body(files: Files, made: Reloading) -> None:
        files.path.write_text("bad")
        await _until(lambda: made.outcomes == {"failure": 1})
        assert made.totals()["podmates_config_last_reload_successful"] == {(): 0.0}
        assert files.taken == []

        files.path.write_text("good again")
        await _until(lambda: files.taken == ["good again"])
        assert made.totals()["podmates_config_last_reload_successful"] == {(): 1.0}
        assert made.outcomes == {"failure": 1, "success": 1}

    running(tmp_path / "file", body)


def test_what_was_taken_up_on_request_is_not_taken_up_again_because_its_file_changed(tmp_path: Path) -> None:
    async def body(files: Files, made: Reloading) -> None:
        for text, problem in (("on request", ""), ("bad", "it is bad")):
            files.path.write_text(text)
            assert await made.reload() == problem
            looked: list[bool] = []
            looks = [file.changed for file in made._watching.values()]
            looked += [look() for look in looks for _ in range(3)]
            assert looked == [False] * 3

    running(tmp_path / "file", body, look=False)


def test_without_looking_only_requests_count(tmp_path: Path) -> None:
    async def body(files: Files, made: Reloading) -> None:
        files.path.write_text("second one")
        made.ask()
        await _until(lambda: files.taken == ["second one"])
        files.path.write_text("the third one")
        made.ask()
        await _until(lambda: len(files.taken) == 2)

        assert made.outcomes == {"success": 2}

    running(tmp_path / "file", body, look=False)


def test_requests_at_the_same_time_are_served_one_after_the_other(tmp_path: Path) -> None:
    async def body(files: Files, made: Reloading) -> None:
        assert list(await asyncio.gather(made.reload(), made.reload())) == ["", ""]
        assert files.taken == ["first", "first"]

    running(tmp_path / "file", body)


def test_without_a_file_there_is_nothing_to_read_and_nothing_to_tell() -> None:
    async def body() -> None:
        async def never() -> Taken:
            raise AssertionError

        made = Reloading({}, never, look=lambda _: True)

        assert await made.reload() == "there is no configuration file"
        assert (made.outcomes, made.totals()) == ({}, {})

    asyncio.run(body())
