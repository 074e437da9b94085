"""The JSON Schema of the map, which editors use."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from airflow_lineage_provider.lineage_map.schema import PUBLISHED, json_schema

MAP = Path(__file__).parents[2] / "dags" / "customer_analytics_pipeline.yaml"


def test_the_published_schema_is_that_of_the_model():
    assert json.loads(PUBLISHED.read_text()) == json.loads(json.dumps(json_schema())), (
        "write it again: python -m airflow_lineage_provider.lineage_map.schema"
    )


class Editor(yaml.SafeLoader):
    """YAML 1.2, which editors read, has no dates."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the base class's way
        first: [(tag, pattern) for tag, pattern in known if not tag.endswith("timestamp")]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def test_the_pipelines_map_is_valid_in_an_editor():
    jsonschema.validate(yaml.load(MAP.read_text(), Editor), json_schema())


@pytest.mark.parametrize(
    "wrong",
    ["document: {titel: x}", "document: {}\nlayers: gold", "document: {}\npolicy: {edge-missing: fatal}"],
)
def test_a_wrong_map_is_invalid_in_an_editor(wrong):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(wrong), json_schema())


@pytest.mark.parametrize(
    "columns", ["[a, b]", "{a: }", "{a: other}", "{a: {from: [x.y, x.z], expression: y + z}}"]
)
def test_an_editor_accepts_shorthand(columns):
    text = (
        f"document: {{version: 1.0}}\nlayers: {{gold: {{tables: {{t: {{from: s.t, columns: {columns}}}}}}}}}"
    )
    jsonschema.validate(yaml.safe_load(text), json_schema())


def test_every_key_has_a_description_for_editors():
    schema = json_schema()
    kinds = {"Map": schema, **schema["$defs"]}
    keys = [
        (kind, key, value)
        for kind, part in kinds.items()
        for option in part.get("anyOf", [part])
        for key, value in option.get("properties", {}).items()
    ]
    assert len(keys) > 100
    assert [(kind, key) for kind, key, value in keys if "description" not in value] == []
