"""The written description of the API: whether it tells of every route, and whether the server keeps to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from modelsearch_core.collection.filters import FILTERS
from modelsearch_core.model_files import Kind
from modelsearch_core.panel import ROUTES
from modelsearch_core.panel.description import description
from tests.indexing.folders import make_folder
from tests.server.running import running
from tests.server.test_server import Client

pytest.importorskip("aiohttp", reason="the server needs aiohttp")

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
DOCUMENT = json.loads(json.dumps(description()))


def test_every_route_is_described_and_nothing_else():
    described = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert described == {(route.method, "/" + re.sub(r":path}", "}", route.path)) for route in ROUTES}


def test_every_filter_is_described_with_every_kind():
    of_list = {each["name"]: each["schema"] for each in DOCUMENT["paths"]["/models"]["get"]["parameters"]}
    of_search = DOCUMENT["components"]["schemas"]["Search"]["properties"]
    assert FILTERS.keys() <= of_list.keys() & of_search.keys()
    assert of_list["kind"]["enum"] == of_search["kind"]["anyOf"][0]["enum"] == [kind.value for kind in Kind]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("described")
    make_folder(folder / "models", ["base checkpoint", "red", "green"])
    with running("tests.server.colour_server", folder) as address:
        Client(address).indexed()
        yield address


OPERATIONS = [found.ok() for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()]
EXAMPLES = settings(
    max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate], derandomize=True
)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_the_server_keeps_to_its_description(address: str, operation: Any, mode: GenerationMode):
    """No 5xx, no status or content that is not described; requests are made up of the description, and against it."""

    @EXAMPLES
    @given(operation.as_strategy(generation_mode=mode))
    def asked(case: schemathesis.Case) -> None:
        case.call_and_validate(base_url=f"{address}modelsearch", checks=CHECKS)

    try:
        asked()
    except Unsatisfiable:
        pytest.skip("nothing that it is asked with can be wrong")


def test_the_description_is_served_as_it_is_written(address: str):
    assert Client(address)("GET", "/modelsearch/openapi.json") == (200, DOCUMENT)


def test_the_description_comes_with_the_package():
    package_data = (Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8")
    assert 'modelsearch_core = ["**/*.json"' in package_data
