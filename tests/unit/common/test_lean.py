"""A service pays for those parts of large packages that it uses, and finds all others when it asks."""

from __future__ import annotations

import py_compile
import sys
from pathlib import Path

import pytest

from tests.support.processes import Finished, run

CLIENT = ("aiohttp.client", "aiohttp.connector", "prometheus_client.exposition")
SERVING = (
    "podmates_common.admin",
    "podmates_common.crowd",
    "podmates_gitsync.reports.exposition",
    "podmates_gitsync.service.web",
    "podmates_metrics.app",
    "podmates_redis.app",
    "podmates_redis.metrics",
    "podmates_redis.operating.pages",
)
LEAN = "import sys; from podmates_common.lean import lean; lean()\n"


def python(program: str) -> Finished:
    """Return what a Python of its own made of *program*: what is imported here is imported for good."""
    return run([sys.executable, "-c", LEAN + program])


@pytest.mark.parametrize("module", SERVING)
def test_who_serves_imports_no_client(module: str) -> None:
    done = python(f"import {module}\nprint([name for name in {CLIENT} if name in sys.modules])")

    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize("package", ["aiohttp", "prometheus_client"])
def test_all_names_of_a_package_are_there_when_asked_for(package: str) -> None:
    whole = run([sys.executable, "-c", f"import {package}; print(dir({package}))"]).stdout
    done = python(f"import {package}\nprint([name for name in {whole} if not hasattr({package}, name)])")

    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize(
    "asking",
    [
        "import aiohttp; aiohttp.ClientSession",
        "from aiohttp import ClientSession",
        "from aiohttp import web, ClientSession; web.Request",
        "import aiohttp.web; import aiohttp; aiohttp.ClientTimeout; aiohttp.web.Request",
        "from aiohttp.client import ClientSession",
        "from prometheus_client import CollectorRegistry, generate_latest",
    ],
)
def test_a_name_is_there_however_it_is_asked_for(asking: str) -> None:
    assert python(asking).stderr == ""


def test_a_module_that_a_package_does_not_have_is_an_error_as_ever() -> None:
    assert "ModuleNotFoundError: No module named 'aiohttp.nothing'" in python("import aiohttp.nothing").stderr
    assert "AttributeError: module aiohttp has no" in python("import aiohttp; aiohttp.no").stderr


def test_the_version_is_known_without_the_rest() -> None:
    plain = run([sys.executable, "-c", "import aiohttp; print(aiohttp.__version__)"]).stdout
    done = python("import aiohttp; print(aiohttp.__version__, 'aiohttp.client' in sys.modules)")

    assert done.stdout == f"{plain.strip()} False\n"


def test_a_package_that_makes_its_version_is_imported_as_ever(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "__init__.py").write_text('__version__ = ".".join(["1", "2"])\n')
    (folder / "part.py").write_text("from . import __version__\n")
    path = f"sys.path.insert(0, {str(tmp_path)!r}); lean('made')\n"
    done = python(f"{path}import made.part; print(made.part.__version__)")

    assert done.stdout == "1.2\n", done.stderr


@pytest.mark.parametrize("version", ['"1.2"', '".".join(["1", "2"])'])
def test_a_package_of_which_only_the_compiled_form_is_there_has_its_version(
    tmp_path: Path, version: str
) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "__init__.py").write_text(f"one = 1\n__version__ = {version}\ntwo = 'x'\n")
    (folder / "part.py").write_text("from . import __version__\n")
    for source in folder.iterdir():
        py_compile.compile(str(source), cfile=str(source.with_suffix(".pyc")))
        source.unlink()
    done = python(
        f"sys.path.insert(0, {str(tmp_path)!r}); lean('made')\n"
        "import made, made.part; print(made.part.__version__, made.two)"
    )

    assert done.stdout == "1.2 x\n", done.stderr


def test_threads_that_ask_at_once_all_get_what_they_ask_for(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    waiting = "import sys\nsys.begun.set()\nsys.over.wait(0.5)\nruns = sys.runs = sys.runs + 1\n"
    (folder / "__init__.py").write_text(f'__version__ = "1"\n{waiting}')
    done = python(
        f"sys.path.insert(0, {str(tmp_path)!r}); lean('made')\n"
        "import threading, made; from tests.support.together import together\n"
        "sys.begun, sys.over, sys.runs = threading.Event(), threading.Event(), 0\n"
        "def first(): made.runs\n"
        "def second():\n"
        "    sys.begun.wait(10)\n"
        "    try: made.runs\n"
        "    finally: sys.over.set()\n"
        "together(first, second, second); print(made.runs, made.__version__)"
    )

    assert done.stdout == "1 1\n", done.stderr


def test_a_package_that_cannot_be_run_says_so_to_whoever_asks(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "__init__.py").write_text('__version__ = "1"\nraise OSError("broken")\n')
    done = python(
        f"sys.path.insert(0, {str(tmp_path)!r}); lean('made'); import made\n"
        "for _ in range(2):\n"
        "    try: made.one\n"
        "    except OSError as error: print(error)\n"
    )

    assert done.stdout == "broken\n" * 2, done.stderr


def test_what_is_imported_already_or_not_there_is_left_alone() -> None:
    done = python("import json; was = json\nlean('json', 'no_such_package')\nimport json; print(json is was)")

    assert done.stdout == "True\n", done.stderr
