"""DataHub's general types for the types of SQL."""

from __future__ import annotations

import re
from typing import Any

_TYPES = {
    "ArrayType": r"array|list|.*\[\]",
    "MapType": r"map",
    "RecordType": r"struct|object|row|record|variant|json",
    "BooleanType": r"bool",
    "DateType": r"date$",
    "TimeType": r"time|datetime",
    "NumberType": r"(?:u?(?:tiny|small|medium|big|huge)?int)|dec|num|float|double|real|serial|number|long",
    "BytesType": r"binary|varbinary|blob|bytea|bytes",
    "EnumType": r"enum",
    "StringType": r"(?:n?(?:var)?char)|text|string|uuid|clob|bpchar",
}


def field_type(native: str) -> dict[str, Any]:
    """Return DataHub's type for a SQL type; `NullType` for one that is not known.

    >>> field_type("DECIMAL(10,2)")
    {'com.linkedin.schema.NumberType': {}}
    """
    found = next((n for n, p in _TYPES.items() if re.match(p, native, re.IGNORECASE)), "NullType")
    return {f"com.linkedin.schema.{found}": {}}
