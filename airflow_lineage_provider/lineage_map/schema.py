"""The JSON Schema of a map, for editors. `python -m` this module writes the published file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from airflow_lineage_provider.lineage_map.model import Map

PUBLISHED = Path(__file__).with_name("lineage-map.schema.json")


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a map; where it wants text, a number or a boolean is accepted too."""
    schema = Map.model_json_schema(by_alias=True)
    _loosen(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _loosen(value: Any) -> None:
    if isinstance(value, dict):
        if value.get("type") == "string" and "enum" not in value and "format" not in value:
            value["type"] = ["string", "number", "boolean"]
        for part in value.values():
            _loosen(part)
    elif isinstance(value, list):
        for part in value:
            _loosen(part)


if __name__ == "__main__":
    PUBLISHED.write_text(json.dumps(json_schema(), indent=1) + "\n", encoding="utf-8")
