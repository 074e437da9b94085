"""Benchmark: column lineage of generated dbt projects, time and memory, compared with other tools.

    make bench BENCH=columns
    python tests/bench/columns.py --datahub     # DataHub's dbt source as well, on 100 models: minutes

A project is a manifest and a catalog as dbt writes them, on disk: 30 % staging models, 40 % joins with CASE
and windows, 30 % unions with aggregates, 20 columns each. Compared with `sqlglot.lineage` called for each
column, on 300 models, and with dbt-colibri, in its own environment (created on the first call), on 1,000
models. Each measurement is a new process, including interpreter start and reading, and is the best of three
(sqlglot, which takes minutes, runs once). The figure is processor time on one core.

The bars: at least 60 and 3 times as fast, 1,000 models from the cache in less than 1 s once Python runs,
under 512 MiB with 3,000 models, at most 32 MiB more than reading them, and 400 columns in at most 5 times the
time of 100. Exits with 1 where one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from operator import itemgetter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / ".bench"
COLUMNS = 20
ROUNDS = 3
SQLGLOT_BAR, COLIBRI_BAR, WARM_BAR, MEMORY_BAR, ADDED_BAR, WIDE_BAR = 60.0, 3.0, 1.0, 512, 32, 5.0


# ---- the project ---------------------------------------------------------------------------------


def project(size: int, columns: int = COLUMNS) -> list[dict]:
    """Return models in the order of their DAG: name, SQL, parents."""
    chance = random.Random(size)
    models: list[dict] = []
    for number in range(size):
        share = number / size
        make = staging if share < 0.3 else joined if share < 0.7 else aggregated
        parents = [] if make is staging else chance.sample([m["name"] for m in models], 2)
        sql = make([f"c{i}" for i in range(columns)], *(parents or [f"src_{number}"]))
        models.append({"name": f"m_{number}", "sql": sql, "parents": parents})
    return models


def staging(columns: list[str], source: str) -> str:
    forms = ("{0} as {0}", "cast({0} as double) as {0}", "coalesce({0}, 0) as {0}", "trim(upper({0})) as {0}")
    listed = ",\n    ".join(forms[i % 4].format(c) for i, c in enumerate(columns))
    return (
        f'with source as (\n  select * from "db"."raw"."{source}"\n),\nrenamed as (\n'
        f"  select\n    {listed}\n  from source\n)\nselect * from renamed"
    )


def joined(columns: list[str], left: str, right: str) -> str:
    forms = (
        "a.{0}",
        "case when a.{0} > b.{0} then a.{0} else b.{0} end as {0}",
        "sum(a.{0}) over (partition by a.c0 order by b.c1) as {0}",
        "b.{0} as {0}",
    )
    listed = ",\n  ".join(forms[i % 4].format(c) for i, c in enumerate(columns))
    return (
        f'with a as (select * from "db"."main"."{left}"),\nb as (select * from "db"."main"."{right}")\n'
        f"select\n  {listed}\nfrom a\nleft join b on a.c0 = b.c0\nwhere a.c1 is not null"
    )


def aggregated(columns: list[str], left: str, right: str) -> str:
    listed = columns[:3] + [f"{'sum' if i % 2 else 'max'}({c}) as {c}" for i, c in enumerate(columns[3:])]
    return (
        f'with u as (\n  select * from "db"."main"."{left}"\n'
        f'  union all\n  select * from "db"."main"."{right}"\n)\n'
        f"select\n  {', '.join(listed)}\nfrom u\ngroup by 1, 2, 3"
    )


def write(folder: Path, size: int, columns: int = COLUMNS) -> None:
    """Write manifest.json and catalog.json."""
    nodes, sources, tables, roots = {}, {}, {}, {}
    models = project(size, columns)
    listed = {f"c{i}": {"name": f"c{i}", "type": "DOUBLE", "index": i} for i in range(columns)}
    for number, model in enumerate(models):
        name, id_ = model["name"], f"model.bench.{model['name']}"
        above = [f"model.bench.{parent}" for parent in model["parents"]]
        if not above:
            source = f"source.bench.raw.src_{number}"
            above = [source]
            sources[source] = node(source, f"src_{number}", "raw", "source", [])
            roots[source] = catalogued(source, f"src_{number}", "raw", listed)
        nodes[id_] = {**node(id_, name, "main", "model", above), "compiled_code": model["sql"]}
        tables[id_] = catalogued(id_, name, "main", listed)
    version = "https://schemas.getdbt.com/dbt/{}.json"
    metadata = {"adapter_type": "duckdb", "project_name": "bench", "dbt_version": "1.11.0"}
    parents = {id_: one["depends_on"]["nodes"] for id_, one in nodes.items()}
    children: dict[str, list[str]] = {id_: [] for id_ in (*nodes, *sources)}
    for id_, above in parents.items():
        for parent in above:
            children[parent].append(id_)
    manifest = {
        "metadata": {**metadata, "dbt_schema_version": version.format("manifest/v12")},
        "nodes": nodes,
        "sources": sources,
        "parent_map": {**parents, **{source: [] for source in sources}},
        "child_map": children,
        **{key: {} for key in ("exposures", "metrics", "macros", "docs", "groups", "selectors", "disabled")},
    }
    catalog = {
        "metadata": {"dbt_schema_version": version.format("catalog/v1")},
        "nodes": tables,
        "sources": roots,
        "errors": None,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "catalog.json").write_text(json.dumps(catalog))


def node(id_: str, name: str, schema: str, kind: str, above: list[str]) -> dict:
    return {
        "unique_id": id_,
        "name": name,
        "alias": name,
        "identifier": name,
        "database": "db",
        "schema": schema,
        "source_name": "raw",
        "resource_type": kind,
        "package_name": "bench",
        "path": f"{name}.sql",
        "original_file_path": f"models/{name}.sql",
        "fqn": ["bench", name],
        "relation_name": f'"db"."{schema}"."{name}"',
        "depends_on": {"nodes": above, "macros": []},
        "config": {"materialized": "table", "enabled": True},
        "columns": {},
        "tags": [],
        "meta": {},
        "description": "",
        "raw_code": "",
        "language": "sql",
        "checksum": {"name": "sha256", "checksum": name},
        "refs": [],
        "sources": [],
    }


def catalogued(id_: str, name: str, schema: str, columns: dict) -> dict:
    return {
        "unique_id": id_,
        "metadata": {"type": "BASE TABLE", "database": "db", "schema": schema, "name": name},
        "columns": columns,
        "stats": {},
    }


# ---- what is measured, each in a process of its own ----------------------------------------------


def ours(folder: Path) -> dict:
    from airflow_lineage_provider.sql.project import Model, project_lineage

    started = time.process_time()
    manifest = json.loads((folder / "manifest.json").read_text())
    catalog = json.loads((folder / "catalog.json").read_text())
    models = [
        Model(id_, one["compiled_code"], one["relation_name"], tuple(one["depends_on"]["nodes"]))
        for id_, one in manifest["nodes"].items()
    ]
    schema = {
        manifest["sources"][id_]["relation_name"]: list(one["columns"])
        for id_, one in catalog["sources"].items()
    }
    del manifest, catalog
    read = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    edges = 0
    found = project_lineage(models, dialect="duckdb", schema=schema, cache=folder / "cache.db")
    for _, lineage in found:
        assert not lineage.problems, lineage.problems
        edges += sum(len(column.sources) for column in lineage.columns)
    added = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - read
    return {"edges": edges, "inner": time.process_time() - started, "added": added / 1024}


def naive(folder: Path) -> dict:
    """Call sqlglot.lineage for each column of each model."""
    from sqlglot.lineage import lineage

    manifest = json.loads((folder / "manifest.json").read_text())
    catalog = json.loads((folder / "catalog.json").read_text())
    schema: dict = {"db": {"raw": {}, "main": {}}}
    for one in (*catalog["nodes"].values(), *catalog["sources"].values()):
        columns = {name: column["type"] for name, column in one["columns"].items()}
        schema["db"][one["metadata"]["schema"]][one["metadata"]["name"]] = columns
    edges = 0
    for number, (id_, one) in enumerate(manifest["nodes"].items()):
        for column in catalog["nodes"][id_]["columns"]:
            tree = lineage(column, one["compiled_code"], schema=schema, dialect="duckdb")
            edges += sum(not below.downstream for below in tree.walk())
        if number % 50 == 0:
            print(f"  sqlglot: model {number} of {len(manifest['nodes'])}", file=sys.stderr, flush=True)
    return {"edges": edges}


def best(what: str, folder: Path, *, keep_cache: bool = False) -> dict:
    rounds = []
    for _ in range(ROUNDS):
        if not keep_cache:
            (folder / "cache.db").unlink(missing_ok=True)
        rounds.append(measure(what, folder))
    return min(rounds, key=itemgetter("seconds"))


def measure(what: str, folder: Path) -> dict:
    """Run one measurement in a fresh process; return its answer, wall seconds and peak MiB."""
    command = [sys.executable, "-P", __file__, "--measure", what, str(folder)]
    return timed(command, f"{what} on {folder.name}")


def timed(command: list[str], label: str, **options) -> dict:
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{label} failed")
    last = output.strip().splitlines()[-1] if output.strip() else ""
    return {
        **(json.loads(last) if last.startswith("{") else {}),
        "wall": time.perf_counter() - started,
        "seconds": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss / 1024,
    }


def environment(name: str, *packages: str) -> Path:
    """Return the bin folder of the environment of another tool, created on the first call."""
    home = ENVIRONMENTS / name
    if not (home / "installed").exists():
        print(f"  installing {', '.join(packages)} in {home.relative_to(ROOT)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        install = [home / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *packages], check=True)
        subprocess.run([home / "bin/python", "-m", "compileall", "-q", home / "lib"], check=False)
        (home / "installed").touch()
    return home / "bin"


def colibri(folder: Path) -> dict:
    command = [environment("colibri", "dbt-colibri") / "colibri", "generate", "--disable-telemetry"]
    files = ["--manifest", folder / "manifest.json", "--catalog", folder / "catalog.json"]
    options = {"stderr": subprocess.DEVNULL, "env": {**os.environ, "DO_NOT_TRACK": "1"}}
    return timed([*command, *files, "--output-dir", folder / "dist"], "dbt-colibri", **options)


def datahub(folder: Path) -> dict:
    recipe = {
        "source": {
            "type": "dbt",
            "config": {
                "manifest_path": str(folder / "manifest.json"),
                "catalog_path": str(folder / "catalog.json"),
                "target_platform": "duckdb",
                "include_column_lineage": True,
                "write_semantics": "OVERRIDE",
            },
        },
        "sink": {"type": "file", "config": {"filename": str(folder / "datahub.json")}},
    }
    (folder / "recipe.json").write_text(json.dumps(recipe))
    command = environment("datahub", "acryl-datahub[dbt]") / "datahub"
    options = {"stderr": subprocess.DEVNULL, "env": {**os.environ, "DATAHUB_TELEMETRY_ENABLED": "false"}}
    return timed([command, "ingest", "-c", folder / "recipe.json"], "DataHub", **options)


# ---- the comparison ------------------------------------------------------------------------------


def compare(folder: Path, *, with_datahub: bool) -> list[tuple[str, float, float, bool]]:
    """Measure everything; return rows of (name, figure, bar, passed)."""
    sizes = {100: COLUMNS, 300: COLUMNS, 1000: COLUMNS, 3000: COLUMNS}
    for size, columns in sizes.items():
        (folder / str(size)).mkdir()
        write(folder / str(size), size, columns)
    found = {}
    for size in sizes:
        found[size] = best("ours", folder / str(size))
        print(line(f"ours, {size} models", found[size]), flush=True)
    warm = best("ours", folder / "1000", keep_cache=True)
    print(line("ours, 1000 models from the cache", warm), flush=True)
    wide = [wide_model(folder, columns) for columns in (100, 400)]
    peer = min((colibri(folder / "1000") for _ in range(ROUNDS)), key=itemgetter("seconds"))
    print(line("dbt-colibri, 1000 models", peer), flush=True)
    if with_datahub:
        other = datahub(folder / "100")
        print(line("DataHub's dbt source, 100 models", other))
        print(f"  DataHub / ours, 100 models: {other['seconds'] / found[100]['seconds']:.1f} times")
    reference = measure("naive", folder / "300")
    print(line("sqlglot.lineage a column, 300 models", reference), flush=True)
    peak = max(one["peak"] for one in found.values())
    return [
        least(
            "times as fast as sqlglot.lineage a column",
            reference["seconds"] / found[300]["seconds"],
            SQLGLOT_BAR,
        ),
        least("times as fast as dbt-colibri", peer["seconds"] / found[1000]["seconds"], COLIBRI_BAR),
        most("s for 1000 models from the cache", warm["inner"], WARM_BAR),
        most("MiB at the peak", peak, MEMORY_BAR),
        most("MiB that lineage adds to reading 3000 models", found[3000]["added"], ADDED_BAR),
        most("times the time for 4 times the columns", wide[1] / wide[0], WIDE_BAR),
    ]


def wide_model(folder: Path, columns: int) -> float:
    """Return the seconds for thirty models of that many columns, without interpreter start."""
    home = folder / f"wide{columns}"
    home.mkdir()
    write(home, 30, columns)
    found = best("ours", home)
    print(line(f"ours, 30 models of {columns} columns", found), flush=True)
    return found["inner"]


def line(what: str, found: dict) -> str:
    edges = f"  {found['edges']} edges" if "edges" in found else ""
    return f"{what:40} {found['seconds']:7.2f} s ({found['wall']:.2f} s wall) {found['peak']:5.0f} MiB{edges}"


def least(what: str, figure: float, bar: float) -> tuple[str, float, float, bool]:
    return what, figure, bar, figure >= bar


def most(what: str, figure: float, bar: float) -> tuple[str, float, float, bool]:
    return what, figure, bar, figure <= bar


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--datahub", action="store_true", help="measure DataHub's dbt source as well")
    arguments.add_argument("--measure", nargs=2, metavar=("WHAT", "FOLDER"), help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.measure:
        what, folder = chosen.measure
        answer = {"ours": ours, "naive": naive}[what](Path(folder))
        print(json.dumps(answer))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        results = compare(Path(folder), with_datahub=chosen.datahub)
    for what, figure, bar, held in results:
        print(f"{'held  ' if held else 'MISSED'} {figure:8.2f} {what} (bar {bar:g})")
    missed = sum(not held for *_, held in results)
    print(f"columns: {len(results) - missed} of {len(results)} bars held")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
