"""docs/api.md names what there is."""

from __future__ import annotations

from dataclasses import fields

import pytest

from modelsearch_core.panel import ROUTES, Progress, State
from modelsearch_core.search import Match
from tests.webui.host import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_there(route):
    assert f"`{route.method} {route.path}`" in PAGE


@pytest.mark.parametrize("name", [field.name for field in (*fields(Match), *fields(Progress))])
def test_every_field_of_an_answer_is_there(name: str):
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("state", State)
def test_every_state_is_there(state: State):
    assert f"`{state.value}`" in PAGE
