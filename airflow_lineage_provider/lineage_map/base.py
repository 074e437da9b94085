"""What the classes of the map's model share: strict mappings, and shorthand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, model_validator

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


class OrTypes:
    """Adds the types of a shorthand to the JSON Schema of a field whose validator accepts it."""

    def __init__(self, *kinds: str) -> None:
        self.kinds = kinds

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [handler(core), *({"type": kind} for kind in self.kinds)]}


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def keyed(value: Any) -> Any:
    """Return a list of names as a mapping without values; anything else as it is."""
    return dict.fromkeys(value) if isinstance(value, list) else value


Name: TypeAlias = Annotated[str, StringConstraints(min_length=1)]
Names: TypeAlias = Annotated[tuple[Name, ...], BeforeValidator(_listed), OrTypes("string")]


class Part(BaseModel):
    """A mapping of the file."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        defer_build=True,
        use_attribute_docstrings=True,
    )


class OptionalPart(Part):
    """A mapping whose keys are all optional, so that its name alone is enough."""

    shorthand: ClassVar[tuple[str, ...]] = ("null",)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add the types of the shorthand to the JSON Schema."""
        return {"anyOf": [handler.resolve_ref_schema(handler(core)), *({"type": k} for k in cls.shorthand)]}

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        return {} if value is None else value
