"""The project as it is: all resources that a document has, read once, with the ids behind their names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

from functions.api.project_code.document import full, settled
from functions.api.project_code.sections import (
    ATTRIBUTES,
    MIRROR,
    NAMING,
    SECTIONS,
    TIMERS,
    Item,
    Key,
    Section,
    State,
)
from functions.api.resources.reasoning import with_aliases
from functions.api.roles.generated import CREATE_DEVICE, CREATE_RELATED
from shared.errors import ApiError
from shared.model.base import Kind
from shared.model.project import PROJECT, ProjectFields
from shared.store.query import Query, Where
from shared.store.scope import Scope, Stored

# As many are read at once.
_AT_ONCE = 2_000
# What stands for a blueprint or a relationship in a permission that is made for it: the table of their names.
_SUBJECTS = {CREATE_DEVICE: "blueprints", CREATE_RELATED: "relations"}


@dataclass
class Current:
    """A project's state as its document has it, and the stored resources behind it."""

    project: Stored[Any]
    state: State
    stored: dict[Key, Stored[Any]] = field(default_factory=dict)
    # Mirrors of relationships by id: no part of a document.
    mirrors: dict[str, Stored[Any]] = field(default_factory=dict)


async def current(scope: Scope) -> Current:
    """Read everything; ApiError 409 where two resources of a kind have one name, and none could tell them."""
    project = await scope.get(PROJECT, scope.project_id)
    found = Current(project, State(_project_fields(project)))
    names: dict[str, dict[str, str]] = {}
    pending: list[tuple[Section, Stored[Any]]] = []
    for section in SECTIONS.values():
        async for stored in every(scope, section.kind):
            if section is ATTRIBUTES and stored.fields.get("type") == MIRROR:
                found.mirrors[stored.id] = stored
                continue
            if section is TIMERS and not _is_of_project(stored, names):
                continue
            name = stored.id if section.key == "id" else stored.fields.get(section.key)
            if not isinstance(name, str):
                continue  # a system without an alias: a document cannot name it, and leaves it alone
            names.setdefault(section.name, {})[stored.id] = name
            pending.append((section, stored))
    twice: list[str] = []
    for section, stored in pending:
        key = _key(section, stored, names)
        if key is None:
            continue  # of a blueprint that is being deleted
        if key in found.stored:
            twice.append(f"{section.name}: two are called {key[-1]!r}")
        if _leads_nowhere(stored, names):
            # Its target is being deleted, and it with that: no part of the state, but still in its place.
            found.stored[key] = stored
            continue
        if stored.fields.get("type") == "relationship":
            names.setdefault("relations", {})[stored.id] = "/".join(key[1:])
        found.stored[key] = stored
        found.state.items[key] = Item(section, key, _named(section, stored, names))
    if twice:
        raise ApiError(
            409, "code.ambiguous", "; ".join(sorted(twice)), "give each a name of its own, and try again"
        )
    return found


def _is_of_project(timer: Stored[Any], names: dict[str, dict[str, str]]) -> bool:
    """Whether a document can hold a timer: it is of no device, and of no system that has no name."""
    system = timer.fields.get("systemId")
    return timer.fields.get("deviceId") is None and (system is None or system in names.get("systems", {}))


def _leads_nowhere(stored: Stored[Any], names: dict[str, dict[str, str]]) -> bool:
    target = stored.fields.get("targetBlueprintId")
    return stored.fields.get("type") == "relationship" and target not in names.get("blueprints", {})


async def every(
    scope: Scope, kind: Kind[Any], where: tuple[Where, ...] = (), at_once: int = _AT_ONCE
) -> AsyncIterator[Stored[Any]]:
    """All resources of a kind that meet conditions, so many at a time."""
    after: str | None = None
    while True:
        page = await scope.page(kind, Query(where, limit=at_once, after=after))
        for stored in page.items:
            yield stored
        if page.next is None:
            return
        after = page.next


def _project_fields(project: Stored[Any]) -> dict[str, Any]:
    wires = {info.alias or name for name, info in ProjectFields.model_fields.items()}
    return {key: value for key, value in project.fields.items() if key in wires and value is not None}


def _key(section: Section, stored: Stored[Any], names: dict[str, dict[str, str]]) -> Key | None:
    own = names[section.name][stored.id]
    if section.inside is None:
        return (section.name, own)
    outer = names.get(section.inside, {}).get(str(stored.fields.get("blueprintId")))
    return None if outer is None else (section.name, outer, own)


def _named(section: Section, stored: Stored[Any], names: dict[str, dict[str, str]]) -> dict[str, Any]:
    fields = full(section, stored.fields | {"id": stored.id})
    for ref in section.refs:
        if ref.wire in fields:
            # A reference that leads nowhere any more is none.
            name = names.get(ref.section, {}).get(fields.pop(ref.wire))
            fields |= {ref.wire: name} if name is not None else {}
    if wire := NAMING.get(section.name):
        # Scripts by alias, as all else is named: an id means nothing in another project.
        fields |= {wire: with_aliases(fields[wire], names.get("scripts", {}))} if wire in fields else {}
    if section.name == "roles":
        fields["permissions"] = _permissions(fields["permissions"], names, by_name=True)
    return settled(fields, names.get("blueprints", {}).get(str(stored.fields.get("blueprintId")), ""))


def permissions_by_id(permissions: Iterable[str], ids: dict[str, dict[str, str]]) -> list[str]:
    """Permissions of a document with ids in the place of names."""
    return _permissions(permissions, ids, by_name=False)


def _permissions(permissions: Iterable[str], table: dict[str, dict[str, str]], *, by_name: bool) -> list[str]:
    """Permissions that are made for a blueprint or a relationship, with that named the other way.

    By name they are ``device.create:coldStore`` and ``relationship.create:coldStore/shelves``.
    """
    made = []
    for permission in permissions:
        verb, colon, subject = permission.partition(":")
        if not colon:
            made.append(permission)
            continue
        other = table.get(_SUBJECTS.get(verb, ""), {}).get(subject)
        if other is not None:
            made.append(f"{verb}:{other}")
        elif not by_name:
            made.append(permission)
        # Else it is of something that is no more.
    return made
