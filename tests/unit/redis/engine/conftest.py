"""Every test here runs before the compiled engine and before its twin in Python."""

from __future__ import annotations

import pytest

from tests.support.shared_path import Form


@pytest.fixture(params=["compiled", "twin"], autouse=True)
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Form, "twin", request.param == "twin")
