"""Scripts as routes and timers name them: in the options of the topic ``reason``.

``{"topic": "reason", "options": {"reasoner": {"id": <id or alias>, "targetFunction": "run", ...}}}``; what
else stands in ``reasoner`` are the script's parameters.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any

from shared import values
from shared.clients import firestore
from shared.errors import ApiError
from shared.model.base import Kind
from shared.model.blueprint import BLUEPRINT
from shared.model.message_route import MESSAGE_ROUTE
from shared.model.script import SCRIPT
from shared.model.timer import TIMER
from shared.routes import RouteError, canonical, every_topic
from shared.store.query import Query
from shared.store.scope import Scope, Stored
from shared.store.unique import lock_name

TOPIC = "reason"
_AT_ONCE = 500
# What may name a script, and in which field; a device's own route is not looked at: there may be a million.
USERS: tuple[tuple[Kind[Any], str], ...] = (
    (MESSAGE_ROUTE, "route"),
    (BLUEPRINT, "messageRoute"),
    (TIMER, "action"),
)


def option_problem(options: Mapping[str, Any]) -> str | None:
    """What is wrong with the options of a step to ``reason``; None if nothing is."""
    reasoner = options.get("reasoner")
    if not isinstance(reasoner, dict):
        return "options.reasoner is missing: say which script, as {'reasoner': {'id': 'tooWarm'}}"
    if not isinstance(reasoner.get("id"), str) or not reasoner["id"]:
        return "options.reasoner.id is missing: the id or the alias of the script"
    target = reasoner.get("targetFunction", "run")
    if not isinstance(target, str) or not target.isidentifier():
        return "options.reasoner.targetFunction: the name of a function of the script"
    return None


def route_problems(message_route: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the steps to ``reason`` in a message route whose grammar is right."""
    for kind, route in message_route.items():
        for topic, options in every_topic(canonical(route)):
            if topic == TOPIC and (problem := option_problem(options)):
                yield f"messageRoute.{kind}: {TOPIC}: {problem}"


def named_in_route(message_route: Any) -> set[str]:
    """The scripts, by id or alias, that a message route names; none where it is not one."""
    if not isinstance(message_route, dict):
        return set()
    try:
        steps = [step for route in message_route.values() for step in every_topic(canonical(route))]
    except RouteError:
        return set()
    return set(_names(options for topic, options in steps if topic == TOPIC))


def named_in_action(action: Any) -> set[str]:
    """The script that the action of a timer names, if it does."""
    if not isinstance(action, dict) or action.get("topic") != TOPIC:
        return set()
    return set(_names([action.get("options") or {}]))


def named_in(kind: Kind[Any], value: Any) -> set[str]:
    """The scripts that what may name some (:data:`USERS`) names in its field."""
    return named_in_action(value) if kind.name == TIMER.name else named_in_route(value)


def with_aliases(value: Any, aliases: Mapping[str, str]) -> Any:
    """A message route in which scripts are named by alias; ``aliases``: id → alias."""
    if isinstance(value, list):
        return [with_aliases(one, aliases) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: with_aliases(one, aliases) for key, one in value.items()}
    reasoner = made.get("reasoner")
    if isinstance(reasoner, dict) and reasoner.get("id") in aliases:
        made["reasoner"] = reasoner | {"id": aliases[reasoner["id"]]}
    return made


async def check_named(scope: Scope, error: str, named: Iterable[str]) -> None:
    """ApiError 400 ``error`` for a script, by id or alias, that the project does not have. One read."""
    wanted = sorted(set(named))
    if not wanted:
        return
    locks = {name: lock_name(scope, SCRIPT.name, "alias", name) for name in wanted}
    by_id = {name: scope.name(SCRIPT, name) for name in wanted if _may_be_id(scope, name)}
    found = await firestore.batch_get([*locks.values(), *by_id.values()], ["holder", "alias"])
    for name in wanted:
        if locks[name] not in found and by_id.get(name) not in found:
            raise ApiError(
                400,
                error,
                f"there is no script {name[:128]!r} in this project",
                "name a script by its id or alias, or create it first",
            )


async def find_id(scope: Scope, name: str) -> str | None:
    """The id of a script by its id or alias; None if the project has none such. One read."""
    lock = lock_name(scope, SCRIPT.name, "alias", name)
    document = scope.name(SCRIPT, name) if _may_be_id(scope, name) else lock
    found = await firestore.batch_get({lock, document}, ["holder", "alias"])
    if document != lock and document in found:
        return name
    holder = values.from_fields(found[lock].fields).get("holder") if lock in found else None
    return holder if isinstance(holder, str) else None


async def check_unnamed(scope: Scope, names: frozenset[str]) -> None:
    """ApiError 409 ``script.inUse`` while a message route, a blueprint or a timer names a script so.

    Reads all of these of the project.
    """
    for kind, wire in USERS:
        async for stored in _every(scope, kind):
            value = stored.fields.get(wire)
            if names & named_in(kind, value):
                raise ApiError(
                    409,
                    "script.inUse",
                    f"the {kind.name} {stored.id!r} ({stored.fields.get('name')}) runs it",
                    f"change or delete the {kind.name} first",
                )


def _names(options: Iterable[Any]) -> Iterator[str]:
    for one in options:
        reasoner = one.get("reasoner") if isinstance(one, dict) else None
        if isinstance(reasoner, dict) and isinstance(reasoner.get("id"), str):
            yield reasoner["id"]


def _may_be_id(scope: Scope, name: str) -> bool:
    try:
        scope.name(SCRIPT, name)
    except ApiError:
        return False
    return True


async def _every(scope: Scope, kind: Kind[Any]) -> AsyncIterator[Stored[Any]]:
    after: str | None = None
    while True:
        page = await scope.page(kind, Query(limit=_AT_ONCE, after=after))
        for stored in page.items:
            yield stored
        if page.next is None:
            return
        after = page.next
