"""Write the reference pages from the code: `python docs/generate.py [FOLDER]`. A test holds the pages to it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click
import yaml
from pydantic import BaseModel

from airflow_lineage_provider.cli import main
from airflow_lineage_provider.graph import Code
from airflow_lineage_provider.graph.findings import DEFAULT_SEVERITIES, Severity
from airflow_lineage_provider.lineage_map.model import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
LONGEST = 90
MADE = "<!-- Made by docs/generate.py: change the code, then run it. -->\n"

# Of each code: what it means, and what to do.
FINDINGS: dict[str, list[tuple[Code, str, str]]] = {
    "A run, a dbt project or a catalog against the map": [
        (
            Code.DATASET_MISSING,
            "A documented dataset was not produced.",
            "Look at the job that makes it; or remove it from the map.",
        ),
        (
            Code.DATASET_UNEXPECTED,
            "A dataset is not documented.",
            "Document it, or bind its name to a documented one.",
        ),
        (
            Code.EDGE_MISSING,
            "A table was made without reading what the map says.",
            "Correct the model's `ref`, or the table's `from`.",
        ),
        (
            Code.EDGE_UNEXPECTED,
            "A table reads what the map does not say.",
            "Document it in `from`, or remove the `ref`.",
        ),
        (
            Code.SATISFIED_THROUGH,
            "A documented edge passes through tables that the map leaves out.",
            "Nothing; or document the tables between.",
        ),
        (Code.NOT_SELECTED, "A documented edge was not in the run's scope.", "Nothing."),
        (Code.COLUMN_MISSING, "A documented column is not there.", "Restore it, or remove it from the map."),
        (Code.COLUMN_UNEXPECTED, "A table that documents its columns has one more.", "Document it."),
        (
            Code.TYPE_CHANGED,
            "A column has another type than documented.",
            "Cast it in the model, or correct `type`.",
        ),
        (
            Code.COLUMN_EDGE_MISSING,
            "A column is not made from what the map says.",
            "Correct the SQL, or the column's `from`.",
        ),
        (
            Code.COLUMN_EDGE_UNEXPECTED,
            "A column is made from what the map does not say.",
            "Correct the SQL, or the column's `from`.",
        ),
        (
            Code.TRANSFORMATION_CHANGED,
            "A column is derived in another way: a copy became an aggregation.",
            "Correct the SQL, or `subtype`.",
        ),
        (Code.EXPRESSION_CHANGED, "A column has another expression.", "Correct the SQL, or `expression`."),
        (
            Code.PROPERTY_CHANGED,
            "A window, an aggregation, an entity, an owner, a version or an approval differs.",
            "Correct the system, or the map.",
        ),
        (
            Code.INCOMPLETE,
            "Some evidence could not be read as a whole, for the reason that it names.",
            "Read the reason; the comparison does not say that all is well.",
        ),
    ],
    "Quality checks": [
        (
            Code.CHECK_MISSING,
            "A documented check is in no suite and no dbt test.",
            "Restore it, or remove it from `checks`.",
        ),
        (Code.CHECK_NOT_RUN, "A documented check did not run here.", "Nothing, or run it."),
    ],
    "Source systems and consumers": [
        (
            Code.SLA_MISSED,
            "Data is later than the documented service level.",
            "Look at the replication, the connector or the load.",
        ),
        (
            Code.RETENTION_EXCEEDED,
            "The oldest row is older than the documented retention.",
            "Look at the retention job.",
        ),
        (
            Code.FORMAT_DIFFERS,
            "A topic or file has another format than documented.",
            "Correct the producer, or `format`.",
        ),
        (
            Code.PRODUCER_DIFFERS,
            "Other jobs write a topic than the documented producer.",
            "Correct `producer`, or stop the job.",
        ),
        (
            Code.CONSUMER_DIFFERS,
            "Other jobs read a topic than the documented consumer.",
            "Correct `consumer`, or look for the connector that is missing.",
        ),
        (Code.FIELD_ADDED, "A new version of a topic's schema has a field more.", "Nothing, or document it."),
        (
            Code.FIELD_REMOVED,
            "A new version of a topic's schema lacks a field.",
            "Tell the consumers that it names.",
        ),
        (Code.FIELD_RETYPED, "A field of a topic has another type.", "Tell the consumers that it names."),
        (
            Code.REFRESH_LATE,
            "A dashboard was not refreshed at its documented time.",
            "Look at the extract refresh.",
        ),
        (
            Code.SAVED_ANSWER_OLD,
            "A saved answer is older than the map allows.",
            "Fetch it again: `airflow-lineage fetch`.",
        ),
        (
            Code.ANSWER_INCOMPLETE,
            "A system did not show everything.",
            "Grant the missing permission, or accept that part is unknown.",
        ),
    ],
    "Several kinds of evidence": [
        (
            Code.SEVERAL_NAMES,
            "The catalog knows one dataset by several names.",
            "Give its ingestion the platform instance and environment of the others.",
        ),
        (
            Code.STALE,
            "The catalog has an edge that was last seen long ago.",
            "Run the ingestion with stateful removal.",
        ),
        (
            Code.NO_COLUMN_LINEAGE,
            "One side has no column lineage for a table.",
            "Turn it on in the ingestion.",
        ),
    ],
    "What the warehouse ran": [
        (
            Code.ADHOC_WRITE,
            "A statement outside of the documented jobs wrote into a documented table.",
            "Ask its user; make a job of it.",
        ),
        (
            Code.UNDOCUMENTED_COPY,
            "A statement copied documented data to a place that the map does not have.",
            "Document the copy, or remove it.",
        ),
        (
            Code.NOT_QUERIED,
            "Nobody's query shows a documented edge.",
            "Look further back in the log; or remove the edge.",
        ),
    ],
    "A migration": [
        (
            Code.CONSUMER_AFFECTED,
            "The migration breaks a consumer.",
            "Agree with its owners, then `accept` the finding.",
        ),
        (Code.MIGRATION_UNREAD, "A statement of the migration is not understood.", "Review it by hand."),
    ],
    "A map on its own": [
        (Code.NO_ENVIRONMENTS, "The map has no bindings.", "Add `environments`."),
        (Code.NO_BINDINGS, "No binding fits a table.", "Correct the binding's `dataset`."),
        (Code.AMBIGUOUS_BINDING, "Two datasets are bound to one name.", "Make the bindings more special."),
        (Code.UNKNOWN_DATASET, "A name is used and not documented.", "Correct its spelling, or document it."),
        (
            Code.UNKNOWN_COLUMN,
            "A column is used that its table does not list.",
            "Correct its spelling, or list it.",
        ),
        (
            Code.AMBIGUOUS_COLUMN,
            "A column keeps a name that several inputs have, or none.",
            "Say which with `from`.",
        ),
        (Code.CYCLE, "Datasets are made from each other.", "Remove an edge."),
        (
            Code.READS_UPWARD,
            "A table reads from a later layer.",
            "Move it, or order the layers as data flows.",
        ),
        (Code.NOT_LISTED, "A dataset is used, and its layer does not list it.", "List it."),
        (Code.NOT_FED, "Nothing feeds a table.", "Say `from` what."),
        (Code.NOT_READ, "Nothing reads a table before the last layer.", "Remove it, or document its reader."),
        (Code.SKIPS_TABLE, "An edge summarises a longer documented path.", "Remove it."),
        (
            Code.SCENARIO_DIFFERS,
            "A scenario names other consumers than the map leads to.",
            "Correct `reaches`.",
        ),
        (
            Code.CHANGED_SINCE_APPROVAL,
            "The map was changed after its approval.",
            "Have it approved again: `airflow-lineage approve`.",
        ),
    ],
}


def findings_page() -> str:
    """Return the page of finding codes."""
    lines = [
        MADE,
        "# Findings",
        "",
        "A finding has a code, a subject, a message with both sides, and the lines and runs where they stand. The",
        "map's `policy` sets the severity of a code; `accepted` accepts one finding until a day:",
        "",
        "```yaml",
        "policy:",
        "  type-changed: warning",
        "accepted:",
        "  - finding: column-missing",
        "    subject: gold.orders.note",
        "    reason: leaves with version 2",
        "    until: 2026-12-31",
        "```",
        "",
        "An error fails a task or a command (exit status 1), a warning and a note are printed, `ignore` drops it.",
    ]
    for title, entries in FINDINGS.items():
        lines += ["", f"## {title}", "", "| code | default | meaning | what to do |", "|---|---|---|---|"]
        for code, meaning, cure in entries:
            severity = DEFAULT_SEVERITIES.get(code, Severity.ERROR)
            lines.append(f"| `{code}` | {severity} | {meaning} | {cure} |")
    return "\n".join(lines) + "\n"


def map_page() -> str:
    """Return the page of the map's keys."""
    lines = [
        MADE,
        "# Keys of the map",
        "",
        "An editor that knows YAML schemas completes these keys with",
        "`airflow_lineage_provider/lineage_map/lineage-map.schema.json`. The examples are from",
        "[two maps](example-map.md); `...` stands for more.",
    ]
    examples = key_examples()
    for name, model in _models(Map, "the map"):
        summary = " ".join((model.__doc__ or "").split())
        lines += ["", f"## {name}", "", summary, "", "| key | value | | example |", "|---|---|---|---|"]
        for key, field in model.model_fields.items():
            word = field.alias or key
            text = " ".join((field.description or "").split()).replace("|", "\\|")
            example = _example(word, examples[model, word]) if (model, word) in examples else ""
            lines.append(f"| `{word}` | {_kind(field.annotation)} | {text} | {example} |")
    return "\n".join(lines) + "\n"


def _models(model: type[BaseModel], name: str, seen: set[type] | None = None) -> Iterator[tuple[str, Any]]:
    """Yield each class of the map once, under the key that it is found at."""
    seen = set() if seen is None else seen
    if model in seen:
        return
    seen.add(model)
    yield name, model
    for key, field in model.model_fields.items():
        for inner in _inner(field.annotation):
            yield from _models(inner, f"`{field.alias or key}`", seen)


EXAMPLES = ("dags/customer_analytics_pipeline.yaml", "docs/snippets/map/rarer_keys.yaml")


def key_examples() -> dict[tuple[type[BaseModel], str], Any]:
    """Return a value of each key of each class of the map, as the example maps have it first."""
    found: dict[tuple[type[BaseModel], str], Any] = {}
    for file in EXAMPLES:
        _collect(Map, yaml.safe_load((HERE.parent / file).read_text(encoding="utf-8")), found)
    return found


def _collect(model: type[BaseModel], value: Any, found: dict[tuple[type[BaseModel], str], Any]) -> None:
    """Add the keys of a mapping that is, or whose values or items are, what `model` describes."""
    several = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    words = {field.alias or key: field for key, field in model.model_fields.items()}
    if not isinstance(value, dict) or not words.keys() & value.keys():
        for one in several:
            if isinstance(one, dict):
                _collect(model, one, found)
        return
    for word, field in words.items():
        if word in value and value[word] is not None:
            found.setdefault((model, word), value[word])
            for inner in _inner(field.annotation):
                _collect(inner, value[word], found)


def _example(word: str, value: Any) -> str:
    """Return a key with its value in one line of YAML, the first part of a long one."""
    for short in (value, _first(value), _first(_first(value, 1), 1)):
        text = yaml.safe_dump(
            {word: short}, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True
        )
        line = text.strip()[1:-1].replace("'...'", "...").replace("...: ...", "...").replace("|", "\\|")
        if len(line) <= LONGEST:
            break
    return f"``{line}``" if "`" in line else f"`{line}`"


def _first(value: Any, depth: int = 0) -> Any:
    """Return the first item of a list or a mapping; below `depth`, `...` for what has items itself."""
    if isinstance(value, dict) and value:
        key, one = next(iter(value.items()))
        more = {"...": "..."} if len(value) > 1 else {}
        return {key: "..." if isinstance(one, dict | list) and not depth else _first(one, depth - 1), **more}
    if isinstance(value, list) and value:
        return [_first(value[0], max(depth, 1) - 1), *(["..."] if len(value) > 1 else [])]
    return value


def _inner(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _inner(argument)


def _kind(annotation: Any) -> str:
    text = str(annotation)
    if next(_inner(annotation), None):
        if "dict[" in text:
            return "mapping by name"
        return "list" if "tuple[" in text else "mapping"
    if "dict[" in text:
        return "mapping"
    if "tuple[" in text:
        return "names"
    if annotation is bool:
        return "true or false"
    return "date" if "date" in text else "text"


def cli_page() -> str:
    """Return the page of the commands, with their help."""
    lines = [
        MADE,
        "# The command line",
        "",
        "Exit status: 0 no drift, 1 drift or something to do, 2 bad input.",
    ]
    group = click.Context(main, info_name="airflow-lineage", **main.context_settings)
    for name, command in sorted(main.commands.items()):
        context = click.Context(
            command, info_name=name, parent=group, max_content_width=100, terminal_width=100
        )
        lines += ["", f"## {name}", "", "```text", command.get_help(context).rstrip(), "```"]
    return "\n".join(lines) + "\n"


PAGES = {
    "reference/findings.md": findings_page,
    "reference/map-keys.md": map_page,
    "reference/command-line.md": cli_page,
}

if __name__ == "__main__":
    import reference_pages

    folder = Path(sys.argv[1]) if sys.argv[1:] else HERE
    for file, page in (PAGES | reference_pages.PAGES).items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(), encoding="utf-8")
