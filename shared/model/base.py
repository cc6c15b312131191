"""What all models have in common, and how a kind of resource is described."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

NAME_LENGTH = 200
MAX_JSON_DEPTH = 32
Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH, examples=["Cold store 4"])]
Description = Annotated[str, Field(max_length=4000, examples=["North wing, second floor"])]
Identifier = Annotated[
    str,
    Field(
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z0-9\-][A-Za-z0-9_\-]*$",
        examples=["3Vc8Qn0kZ5tWb1yLr7sXe2"],
    ),
]
Tags = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=100, examples=[["is:root"]])
]


def sound(value: Any) -> Any:
    """A JSON value that can be stored and answered as it is; ValueError for what JSON or a store has not."""
    waiting = [(value, 1)]
    while waiting:
        inner, depth = waiting.pop()
        if isinstance(inner, str):
            if not inner.isascii() and any("\ud800" <= letter <= "\udfff" for letter in inner):
                raise ValueError("a text holds half of a surrogate pair, which is no Unicode")
        elif isinstance(inner, float):
            if not math.isfinite(inner):
                raise ValueError("NaN and Infinity are no JSON")
        elif isinstance(inner, int):
            if not -(2**63) <= inner < 2**63:
                raise ValueError("a number has more than 64 bits")
        elif isinstance(inner, list | dict):
            if depth > MAX_JSON_DEPTH:
                raise ValueError(f"nests deeper than {MAX_JSON_DEPTH} levels")
            waiting.extend((one, depth + 1) for one in inner)
            if isinstance(inner, dict):
                waiting.extend((one, depth + 1) for one in inner.values())
    return value


Json = Annotated[Any, AfterValidator(sound)]
JsonObject = Annotated[dict[str, Any], AfterValidator(sound)]
Metadata = Annotated[JsonObject, Field(examples=[{"floor": 2}])]
Route = Annotated[
    JsonObject,
    Field(description="Message type → route", examples=[{"deviceDataEventMsg": ["writer"]}]),
]
EpochMs = Annotated[int, Field(ge=0, le=253_402_300_799_999, examples=[1_790_000_000_000])]


class Model(BaseModel):
    """A body or answer: camelCase on the wire, and no field that is not declared."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
    )

    def wire(self) -> dict[str, Any]:
        """The JSON object, without what was never set."""
        return self.model_dump(by_alias=True, exclude_none=True, mode="json")


class Resource(Model):
    """What every stored resource has. ``version`` is what its ETag says."""

    id: Identifier
    created: EpochMs = Field(default=0, description="When it was created, epoch ms")
    last_modified: EpochMs = Field(default=0, description="When it was last changed by the API, epoch ms")
    version: int = Field(default=0, description="Grows with every change; its ETag", examples=[3])


R = TypeVar("R", bound=Resource)


@dataclass(frozen=True)
class Unique:
    """A field that no two resources of a kind share within a project.

    ``fold_case``: names that differ in case alone are the same. ``scope``: a further field within which it
    holds (an attribute's path within its blueprint).
    """

    field: str
    fold_case: bool = False
    scope: str | None = None


@dataclass(frozen=True)
class Kind(Generic[R]):
    """A kind of resource: where it is stored and what of it may be changed.

    ``create`` is the body of a creation. ``patchable`` lists the wire names of the fields that PATCH may
    touch (also below them: ``metadata/floor``). ``json_text`` fields are stored as JSON text, because
    Firestore holds no array directly in an array. ``affects_events``: the event path must learn of every
    change, so the project's revision grows with it. ``top_level``: stored in a collection beside the
    projects, with the project in ``projectId``, because its id is unique on the whole server.
    """

    name: str
    collection: str
    model: type[R]
    create: type[Model]
    patchable: frozenset[str]
    unique: tuple[Unique, ...] = ()
    json_text: frozenset[str] = field(default_factory=frozenset)
    affects_events: bool = False
    top_level: bool = False
    # The project itself, which stands above all that is its own.
    is_project: bool = False
    # The fields that are read; all of them without it. (A device's registers are large, and not for people.)
    mask: tuple[str, ...] | None = None
    # Fields that only the server reads or writes: never in an answer, an audit entry or an export.
    secret: frozenset[str] = field(default_factory=frozenset)
