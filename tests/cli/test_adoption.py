"""`init`, `update` and `accept` on the command line."""

import json

from tests.support.command_line import call


def test_a_first_map_is_written_updated_and_accepts_a_finding(tmp_path):
    manifest, lineage_map = tmp_path / "manifest.json", tmp_path / "m.yaml"
    lines = {
        "a": {"resource_type": "model", "alias": "stg_a", "original_file_path": "models/staging/a.sql"},
        "b": {"resource_type": "model", "alias": "stg_b", "original_file_path": "models/staging/b.sql"},
        "c": {"resource_type": "model", "alias": "c", "original_file_path": "models/marts/c.sql"},
        "d": {"resource_type": "model", "alias": "d", "original_file_path": "models/marts/d.sql"},
    }
    parents = {"c": ["model.p.a"], "d": ["model.p.b", "model.p.c"]}

    def write(parents):
        nodes = {
            f"model.p.{name}": {
                **one,
                "unique_id": f"model.p.{name}",
                "name": name,
                "database": "db",
                "schema": "s",
                "depends_on": {"nodes": parents.get(name, [])},
            }
            for name, one in lines.items()
        }
        manifest.write_text(json.dumps({"nodes": nodes, "metadata": {"adapter_type": "duckdb"}}))

    write(parents)
    made = call("init", "--manifest", manifest)
    assert made.exit_code == 0
    assert "layers by folder: staging (2), marts (2)" in made.stderr
    lineage_map.write_text(made.stdout)
    assert call("lint", lineage_map).exit_code == 0
    assert call("check", lineage_map, manifest).exit_code == 0
    write({**parents, "c": ["model.p.a", "model.p.b"]})
    shown = call("update", lineage_map, "--manifest", manifest)
    assert shown.exit_code == 1
    assert "+      c: {from: [staging.stg_a, staging.stg_b]}" in shown.stdout
    assert lineage_map.read_text() == made.stdout, "without --accept nothing is written"
    assert call("update", lineage_map, "--manifest", manifest, "--accept").exit_code == 0
    assert call("check", lineage_map, manifest).exit_code == 0
    said = call("accept", lineage_map, "edge-missing", "marts.*", "--until", "2099-12-31", "--reason", "a: b")
    assert said.exit_code == 0
    assert (
        "+accepted: [{finding: edge-missing, subject: marts.*, reason: 'a: b', until: '2099-12-31'}]"
        in said.stdout
    )
    assert call("accept", lineage_map, "x", "y", "--until", "2099-12-31", "--reason", "z").exit_code == 2
    assert call("update", lineage_map).exit_code == 2
