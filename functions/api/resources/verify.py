"""Whether what is stored fits together: references, mirrors, checks and unique names of definitions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec

from functions.api.needs import Call, needs
from functions.api.resources import checks, reasoning
from functions.api.resources.answers import GONE
from functions.api.router import Router
from shared import values
from shared.clients import firestore
from shared.model.attribute import ATTRIBUTE
from shared.model.base import Kind
from shared.model.blueprint import BLUEPRINT
from shared.model.message_route import MESSAGE_ROUTE
from shared.model.page import Verified
from shared.model.project import PROJECT
from shared.model.scenario import SCENARIO
from shared.model.script import SCRIPT
from shared.model.system import SYSTEM
from shared.model.template import TEMPLATE
from shared.model.timer import TIMER
from shared.store.change import lock_name
from shared.store.query import Query
from shared.store.scope import Scope, Stored
from shared.store.unique import unique_text

router = Router("project")

# Of each kind; a project with more is told so.
_MOST = 1_000
_KINDS: tuple[Kind[Any], ...] = (
    *(SYSTEM, BLUEPRINT, ATTRIBUTE, MESSAGE_ROUTE, TEMPLATE, SCENARIO, TIMER, SCRIPT),
)
# Kind → its fields that refer to another kind.
_REFERENCES: Mapping[str, Mapping[str, Kind[Any]]] = {
    "blueprint": {"messageRouteId": MESSAGE_ROUTE},
    "attribute": {
        "blueprintId": BLUEPRINT,
        "targetBlueprintId": BLUEPRINT,
        "sourceBlueprintId": BLUEPRINT,
        "mirrorId": ATTRIBUTE,
    },
    "scenario": {"blueprintId": BLUEPRINT},
    "timer": {"systemId": SYSTEM, "scriptId": SCRIPT},
}
_Known = Mapping[str, Mapping[str, Stored[Any]]]


@router.get(
    "/project/{project_id}/verify",
    operation_id="project_verify",
    summary="Check a project",
    description="Whether all that its definitions refer to is there, what the event path works from fits "
    f"them, and unique names lead to who has them. Reads each definition; at most {_MOST} of a kind. While "
    "the job of a deletion runs, what it has not come to yet is a problem.",
    responses=GONE,
)
async def project_verify(project_id: str, call: Annotated[Call, needs("project.read")]) -> Verified:
    """Answer all problems that were found."""
    await call.scope.get(PROJECT, project_id)
    pages = await asyncio.gather(*(call.scope.page(kind, Query(limit=_MOST)) for kind in _KINDS))
    known = {kind.name: {one.id: one for one in page.items} for kind, page in zip(_KINDS, pages, strict=True)}
    problems = [
        f"only the first {_MOST} of kind {k.name} were checked"
        for k, p in zip(_KINDS, pages, strict=True)
        if p.next
    ]
    problems += references(known)
    problems += unknown_scripts(known)
    problems += outdated(known)
    problems += await names_lost(call.scope, known)
    return Verified(id=project_id, ok=not problems, problems=problems)


@router.get(
    "/system/{system_id}/verify",
    operation_id="system_verify",
    summary="Check a system",
    description="Whether its alias leads to it.",
    responses=GONE,
)
async def system_verify(
    system_id: str, call: Annotated[Call, needs("system.read", anywhere=True)]
) -> Verified:
    """Answer all problems that were found."""
    call.require("system.read", system=system_id)
    stored = await call.scope.get(SYSTEM, system_id)
    problems = await names_lost(call.scope, {"system": {system_id: stored}})
    return Verified(id=system_id, ok=not problems, problems=problems)


def references(known: _Known) -> list[str]:
    """What refers to something that is not there, or to a mirror that does not refer back."""
    return [
        problem for items in known.values() for one in items.values() for problem in _references(one, known)
    ]


def _references(one: Stored[Any], known: _Known) -> Iterator[str]:
    for wire, kind in _REFERENCES.get(one.kind.name, {}).items():
        target_id = one.fields.get(wire)
        if target_id is None:
            continue
        target = known[kind.name].get(target_id)
        if target is None:
            yield f"{_said(one)}: its {wire} {target_id!r} is not there"
        elif wire == "mirrorId" and target.fields.get("mirrorId") != one.id:
            yield f"{_said(one)}: its mirror {target_id!r} does not lead back to it"


def unknown_scripts(known: _Known) -> list[str]:
    """What names a script, in a route or an action, that is not there."""
    scripts = known["script"].values()
    there = {one.id for one in scripts} | {one.fields.get("alias") for one in scripts}
    found = []
    for kind, wire in reasoning.USERS:
        for one in known[kind.name].values():
            for name in sorted(reasoning.named_in(kind, one.fields.get(wire)) - there):
                found.append(f"{_said(one)}: its {wire} runs the script {name!r}, which is not there")
    return found


def outdated(known: _Known) -> list[str]:
    """Blueprints whose text of checks is not what their attributes make."""
    own: dict[str, dict[str, Mapping[str, Any]]] = {}
    for one in known["attribute"].values():
        own.setdefault(str(one.fields.get("blueprintId")), {})[one.id] = one.fields
    return [
        f"{_said(blueprint)}: what the event path checks is not what its attributes say"
        for blueprint in known["blueprint"].values()
        if blueprint.fields.get("checks") is not None
        and blueprint.fields["checks"]
        != checks.text(blueprint.fields.get("checkMode") or "off", own.get(blueprint.id, {}))
    ]


async def names_lost(scope: Scope, known: _Known) -> list[str]:
    """What has a unique name that leads to something else, or to nothing."""
    wanted: dict[str, tuple[Stored[Any], str]] = {}
    for items in known.values():
        for one in items.values():
            for unique in one.kind.unique:
                parts = unique_text(unique, one.fields)
                if parts is not None:
                    wanted[lock_name(scope, one.kind.name, unique.field, *parts)] = one, unique.field
    found = await firestore.batch_get(wanted, ["holder"])
    holders = {name: values.from_fields(document.fields).get("holder") for name, document in found.items()}
    return [
        f"{_said(one)}: its {field} {one.fields[field]!r} leads to {holders.get(name) or 'nothing'}"
        for name, (one, field) in wanted.items()
        if holders.get(name) != one.id
    ]


def _said(one: Stored[Any]) -> str:
    return f"{one.kind.name} {one.id} ({msgspec.json.encode(one.fields.get('name')).decode()})"
