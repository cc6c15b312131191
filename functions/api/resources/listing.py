"""What a list can be asked for beside its page: filters, references and children.

The parameters differ from kind to kind, so that what asks for them is made from the kind's description.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from fastapi import Query as Parameter

from functions.api.resources.rules import Rules
from shared.errors import ApiError
from shared.model.base import Kind
from shared.store.query import Where

# What sorts behind every name with the same beginning.
_BEHIND = "\U0010ffff"


class Asked(msgspec.Struct, frozen=True):
    """What a request asked a list for. ``order`` is set where a condition is on a range."""

    where: tuple[Where, ...] = ()
    order: str | None = None
    refs: bool = False
    children: tuple[str, ...] = ()


def asked(kind: Kind[Any], rules: Rules, *, single: bool = False) -> Callable[..., Asked]:
    """A dependency that reads the parameters of a kind's list, or of one resource."""
    names: dict[str, tuple[Any, str]] = {}
    if not single:
        known = {info.alias or name for name, info in kind.model.model_fields.items()}
        if "name" in known:
            names["name"] = (str, "Only those whose name begins so")
        if "alias" in known:
            names["alias"] = (str, "Only the one with this alias")
        if "tags" in known:
            names["tags"] = (str, "Only those with this tag")
        names |= {wire: (str, f"Only those with this {wire}") for wire in rules.filters}
    if rules.refs:
        names["refs"] = (bool, "Add the resources that the answer refers to, by kind and id")
    if rules.children:
        names["children"] = (str, f"Embed: {', '.join(rules.children)}")

    def read(**given: Any) -> Asked:
        children = tuple(filter(None, (given.pop("children", None) or "").split(",")))
        for child in children:
            if child not in rules.children:
                raise ApiError(
                    400,
                    "children.unknown",
                    f"a {kind.name} has no children {child[:50]!r}",
                    f"ask for: {', '.join(rules.children)}",
                )
        refs = bool(given.pop("refs", None))
        where, order = _conditions({wire: value for wire, value in given.items() if value is not None})
        return Asked(where, order, refs, children)

    parameters = [
        inspect.Parameter(
            wire,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                type_ | None, Parameter(description=text, max_length=200 if type_ is str else None)
            ],
        )
        for wire, (type_, text) in names.items()
    ]
    # What the framework reads in place of **given.
    vars(read)["__signature__"] = inspect.Signature(parameters)
    return read


def _conditions(given: dict[str, str]) -> tuple[tuple[Where, ...], str | None]:
    prefix = given.pop("name", None)
    if prefix is None:
        return tuple(
            Where(wire, "array-contains" if wire == "tags" else "==", value) for wire, value in given.items()
        ), None
    if given:
        raise ApiError(
            400,
            "filter.combination",
            f"name cannot be asked for together with {', '.join(given)}",
            "ask for a name alone, or for the others; the search of devices combines all",
        )
    return (Where("name", ">=", prefix), Where("name", "<", prefix + _BEHIND)), "name"
