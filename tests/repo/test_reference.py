"""Every README carries the tables that the code would print today."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from podmates_common.settings import SERVICE_LINK, options
from tools.reference import PAGES, SERVICES, render

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", SERVICES)
def test_the_readme_holds_the_current_tables(folder: str) -> None:
    text = (ROOT / folder / "README.md").read_text()

    assert render(text, SERVICES[folder]) == text, "run `make docs`"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_the_reference_is_current(page: str) -> None:
    assert (ROOT / page).read_text() == PAGES[page](), "run `make docs`"


@pytest.mark.parametrize("package", SERVICES.values())
def test_no_setting_has_a_name_that_kubernetes_may_inject(package: str) -> None:
    module = importlib.import_module(f"{package}.settings")
    names = [name for row in options(module.Settings, module.PREFIX) for name in row.variables]

    assert [n for n in names if SERVICE_LINK.match(n.removeprefix(module.PREFIX + "_"))] == []
