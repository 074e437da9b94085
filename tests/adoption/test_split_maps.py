"""A map that is split over files says and does the same as one file."""

import pytest
import yaml

from airflow_lineage_provider.adoption.first_map import first_map
from airflow_lineage_provider.adoption.seen import seen_in_manifest
from airflow_lineage_provider.adoption.update import update
from airflow_lineage_provider.lineage_map import MapSource, load_map, load_source, parse_source
from airflow_lineage_provider.lineage_map.yaml_text import parse_yaml
from airflow_lineage_provider.readers import read_evidence
from tests.adoption.projects import random_project


def split(text, folder):
    """Write a map with each layer's tables in two files; return its path."""
    data, _ = parse_yaml(text, "m.yaml")
    parts = {}
    for layer, content in data.pop("layers").items():
        names = list(content["tables"])
        for number, some in enumerate((names[::2], names[1::2])):
            tables = {name: content["tables"][name] for name in some}
            if tables:
                parts[f"{len(parts):02}-{number}.yaml"] = {"layers": {layer: {"tables": tables}}}
    rest = {"sources": data.pop("sources", {}), "policy": data.pop("policy", {})}
    parts["rest.yaml"] = {key: value for key, value in rest.items() if value}
    (folder / "parts").mkdir()
    for name, part in parts.items():
        (folder / "parts" / name).write_text(yaml.safe_dump(part, sort_keys=False, allow_unicode=True))
    path = folder / "m.yaml"
    path.write_text(
        yaml.safe_dump({**data, "include": ["parts/*.yaml"]}, sort_keys=False, allow_unicode=True)
    )
    return path


def as_data(documented):
    """What a map says, whatever the order of its tables and of what each is made from."""
    data = documented.content.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for layer in data.get("layers", {}).values():
        for table in layer["tables"].values():
            table.get("from", []).sort()
    return data


@pytest.mark.parametrize("seed", range(12))
def test_a_split_map_says_the_same_and_is_updated_to_the_same(seed, tmp_path):
    manifest = random_project(seed)
    text = first_map(seen_in_manifest(manifest, columns=False)).text
    path = split(text, tmp_path)
    whole = MapSource("m.yaml", text)
    assert as_data(load_map(path)) == as_data(parse_source(whole))
    for key in list(manifest.nodes)[::3]:  # every third node loses its parents
        manifest.nodes[key].depends_on.nodes = []

    def read(documented):
        return read_evidence("manifest", manifest, documented)

    one, many = update(whole, read), update(load_source(path), read)
    assert not one.left
    assert not many.left
    assert as_data(parse_source(many.source)) == as_data(parse_source(one.source))
