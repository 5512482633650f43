"""The routes in OpenAPI's words: `openapi.json` beside this, with the filters and the evidence that there are."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from ..collection import EVIDENCE_ORDER, FILTERS, Filter

WRITTEN = Path(__file__).with_name("openapi.json")


@cache
def description() -> dict[str, Any]:
    told = json.loads(WRITTEN.read_text("utf-8"))
    of_list, of_search = told["paths"]["/models"]["get"], told["components"]["schemas"]["Search"]
    of_list["parameters"][:0] = [
        {"name": name, "in": "query", "description": of.help, "schema": _text(of)} for name, of in FILTERS.items()
    ]
    of_search["properties"].update(
        {name: {"description": of.help, "anyOf": [_text(of), {"type": "null"}]} for name, of in FILTERS.items()}
    )
    told["components"]["schemas"]["Evidence"] = {
        "type": "string",
        "enum": [each.value for each in EVIDENCE_ORDER],
        "description": "What a model is judged by: "
        + "; ".join(f"`{each.value}`, {each.told}" for each in EVIDENCE_ORDER),
    }
    return told


def _text(of: Filter) -> dict[str, Any]:
    return {"type": "string", "enum": list(of.choices)} if of.choices else {"type": "string"}
