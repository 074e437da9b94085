"""dbt manifests, small enough to change one thing in a test."""

import random

import msgspec

from airflow_lineage_provider.readers.manifest_file import Manifest


def node(name, parents=(), *, kind="model", schema="analytics", folder="", sql="select 1 as id", **more):
    """A node of a manifest."""
    return {
        "unique_id": f"{kind}.p.{name}",
        "name": name,
        "resource_type": kind,
        "database": "db",
        "schema": schema,
        "original_file_path": f"models/{folder}/{name}.sql".replace("//", "/"),
        "depends_on": {"nodes": list(parents)},
        "compiled_code": sql,
        **more,
    }


def source(name, of="raw", **more):
    """A dbt source."""
    return node(name, kind="source", schema=of, source_name=of, **more)


def project(*nodes, sources=(), exposures=(), adapter="duckdb"):
    """A manifest of these nodes."""
    return msgspec.convert(
        {
            "nodes": {one["unique_id"]: one for one in nodes},
            "sources": {one["unique_id"]: one for one in sources},
            "exposures": {f"exposure.p.{one['name']}": one for one in exposures},
            "metadata": {"adapter_type": adapter, "project_name": "shop"},
        },
        Manifest,
    )


def random_project(seed):
    """A project of up to 40 nodes: several layers in a schema, odd names, ephemerals, seeds, snapshots."""
    chance = random.Random(seed)
    kinds, made = ["model", "model", "model", "seed", "snapshot"], []
    for number in range(chance.randint(2, 40)):
        kind = chance.choice(kinds)
        parents = chance.sample(made, min(len(made), chance.randint(0, 3))) if kind != "seed" else []
        alias = chance.choice([None, f"same{number}", f"Ünï cödé {number}"])
        materialized = chance.choice(["table", "view", "ephemeral"]) if kind == "model" else "table"
        one = node(
            f"{chance.choice(['stg', 'int', 'Fct', 'x.y'])}_{number}",
            [parent["unique_id"] for parent in parents] or ["source.p.s"] * (kind != "seed"),
            kind=kind,
            schema=chance.choice(["raw", "main", "s.t"]),
            folder=chance.choice(["", "staging", "marts/core"]),
            alias=alias,
            config={"materialized": materialized},
            sql=None,
        )
        made.append(one)
    last = node("last", [made[-1]["unique_id"]], folder="marts/core", schema="main")
    return project(*made, last, sources=[source("s")])
