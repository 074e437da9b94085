"""Chains of transforms, one for each table of one Debezium connector: predicates keep them apart."""

from __future__ import annotations

KAFKA = "org.apache.kafka.connect.transforms."
DEBEZIUM = "io.debezium.transforms."
SCHEMA = "cases"
UNWRAP = (f"{DEBEZIUM}ExtractNewRecordState", {})
COLUMNS = "id bigint primary key, amount numeric(10, 2), status text, moment bigint"
ROW = "(1, 9.50, 'paid', 1700000000000)"
OUTBOX = "id uuid primary key, aggregatetype text, aggregateid text, type text, payload text, region text"
OUTBOX_ROW = "('6f6e3f1e-0b5e-4c53-9d7b-1d1c7a0e4b11', 'order', 'O1', 'OrderPlaced', 'text', 'eu')"


def unwrapped(*steps):
    return [UNWRAP, *steps]


def unwrap(**options):
    return [(f"{DEBEZIUM}ExtractNewRecordState", {name.replace("_", "."): v for name, v in options.items()})]


CASES = {
    "envelope": [],
    "unwrap": unwrapped(),
    "unwrap_rewrite": unwrap(delete_tombstone_handling_mode="rewrite", add_fields="op,table,source.ts_ms"),
    "unwrap_drop": unwrap(delete_tombstone_handling_mode="drop", add_fields="op:operation,lsn,name"),
    "unwrap_prefix": unwrap(add_fields="op,db:database", add_fields_prefix="dbz_", add_headers="op"),
    "hoist": unwrapped((f"{KAFKA}HoistField$Value", {"field": "line"})),
    "hoist_flatten": unwrapped(
        (f"{KAFKA}HoistField$Value", {"field": "line"}),
        (f"{KAFKA}Flatten$Value", {"delimiter": "_"}),
    ),
    "flatten": [(f"{KAFKA}Flatten$Value", {})],
    "include": unwrapped((f"{KAFKA}ReplaceField$Value", {"include": "id,amount"})),
    "exclude": unwrapped((f"{KAFKA}ReplaceField$Value", {"exclude": "amount,nobody"})),
    "rename": unwrapped((f"{KAFKA}ReplaceField$Value", {"renames": "amount:total,status:state"})),
    "rename_include": unwrapped(
        (f"{KAFKA}ReplaceField$Value", {"include": "id,amount", "renames": "amount:total"})
    ),
    "cast": unwrapped((f"{KAFKA}Cast$Value", {"spec": "id:string,moment:float64"})),
    "insert": unwrapped(
        (
            f"{KAFKA}InsertField$Value",
            {
                "static.field": "origin",
                "static.value": "crm",
                "topic.field": "came_from",
                "timestamp.field": "written_at",
            },
        )
    ),
    "mask": unwrapped((f"{KAFKA}MaskField$Value", {"fields": "status", "replacement": "***"})),
    "extract": [(f"{KAFKA}ExtractField$Value", {"field": "after"})],
    "extract_leaf": unwrapped((f"{KAFKA}ExtractField$Value", {"field": "status"})),
    "extract_path": [
        (f"{KAFKA}ExtractField$Value", {"field": "after.amount", "field.syntax.version": "V2"}),
    ],
    "converted": unwrapped(
        (f"{KAFKA}TimestampConverter$Value", {"field": "moment", "target.type": "Timestamp"})
    ),
    "value_to_key": unwrapped((f"{KAFKA}ValueToKey", {"fields": "id,status"})),
    "header_copy": unwrapped(
        (f"{KAFKA}HeaderFrom$Value", {"fields": "status", "headers": "state", "operation": "copy"})
    ),
    "header_move": unwrapped(
        (f"{KAFKA}HeaderFrom$Value", {"fields": "status", "headers": "state", "operation": "move"})
    ),
    "header_to_value": [
        *unwrap(add_headers="op"),
        (f"{DEBEZIUM}HeaderToValue", {"headers": "__op", "fields": "change", "operation": "copy"}),
    ],
    "metadata": unwrapped((f"{KAFKA}SetSchemaMetadata$Value", {"schema.name": "shop.Order"})),
    "headers": unwrapped(
        (f"{KAFKA}InsertHeader", {"header": "h", "value.literal": "x"}),
        (f"{KAFKA}DropHeaders", {"headers": "h"}),
    ),
    "key_only": unwrapped((f"{KAFKA}ReplaceField$Key", {"renames": "id:key_id"})),
    "routed": unwrapped((f"{KAFKA}RegexRouter", {"regex": r".*\.case_(.*)", "replacement": "to_$1"})),
    "logical": [
        (
            f"{DEBEZIUM}ByLogicalTableRouter",
            {"topic.regex": r".*\.case_(.*)", "topic.replacement": "all_$1"},
        )
    ],
}
"""The transforms of the table `case_NAME`, in their order."""

TOPICS = {"routed": "to_routed", "logical": "all_logical"}
"""Where a chain changes the topic."""


def topic(case: str) -> str:
    """Return the topic of a case."""
    return TOPICS.get(case, f"{SCHEMA}.{SCHEMA}.case_{case}")


def sql() -> str:
    """Return the statements that make the tables, with a row in each."""
    tables = "".join(
        f"create table {SCHEMA}.case_{case} ({COLUMNS}); insert into {SCHEMA}.case_{case} values {ROW};"
        for case in [*CASES, "filtered", "unknown"]
    )
    return (
        f"drop schema if exists {SCHEMA} cascade; create schema {SCHEMA}; {tables}"
        f"create table {SCHEMA}.outbox ({OUTBOX}); insert into {SCHEMA}.outbox values {OUTBOX_ROW};"
    )


def config() -> dict[str, str]:
    """Return the transforms and predicates of all cases."""
    chains = CASES | {
        "filtered": unwrapped((f"{KAFKA}Filter", {})),
        "unknown": unwrapped((f"{DEBEZIUM}TimezoneConverter", {"converted.timezone": "UTC"})),
    }
    made: dict[str, str] = {}
    names = []
    for case, steps in chains.items():
        made[f"predicates.{case}.type"] = f"{KAFKA}predicates.TopicNameMatches"
        made[f"predicates.{case}.pattern"] = rf".*\.case_{case}"
        for number, (kind, options) in enumerate(steps):
            names.append(f"{case}_{number}")
            made |= {f"transforms.{names[-1]}.{key}": value for key, value in options.items()}
            made[f"transforms.{names[-1]}.type"] = kind
            made[f"transforms.{names[-1]}.predicate"] = case
    made |= {
        "predicates.outbox.type": f"{KAFKA}predicates.TopicNameMatches",
        "predicates.outbox.pattern": r".*\.outbox",
        "transforms.outbox.type": f"{DEBEZIUM}outbox.EventRouter",
        "transforms.outbox.predicate": "outbox",
        "transforms.outbox.table.fields.additional.placement": "region:envelope,type:envelope:kind",
    }
    return made | {
        "transforms": ",".join([*names, "outbox"]),
        "predicates": ",".join([*chains, "outbox"]),
        "table.include.list": rf"{SCHEMA}\..*",
    }
