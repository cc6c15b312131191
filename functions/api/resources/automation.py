"""What acts by itself: templates of mail, scenarios, timers and scripts, as they are defined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functions.api.needs import Call
from functions.api.resources import crud, reasoning, script_check, template_check
from functions.api.resources.references import check_there
from functions.api.resources.timer_actions import check_action
from functions.api.router import Router
from shared.errors import ApiError
from shared.model.base import Kind
from shared.model.blueprint import BLUEPRINT
from shared.model.device import DEVICE
from shared.model.scenario import SCENARIO
from shared.model.script import SCRIPT, STATE, shown_state
from shared.model.system import SYSTEM
from shared.model.template import TEMPLATE
from shared.model.timer import TIMER
from shared.store import cascade
from shared.store.audit import same
from shared.store.change import Change
from shared.store.query import Query, Where
from shared.store.scope import Stored

_TIMER_REFS: dict[str, Kind[Any]] = {"systemId": SYSTEM, "deviceId": DEVICE, "scriptId": SCRIPT}


async def _creating_template(call: Call, change: Change, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    await template_check.check(fields)
    return {}


async def _updating_template(
    call: Call, change: Change, stored: Stored[Any], fields: Mapping[str, Any]
) -> Mapping[str, Any]:
    if any(not same(fields.get(wire), stored.fields.get(wire)) for wire in template_check.FIELDS):
        await template_check.check(fields)
    return {}


async def _creating_scenario(call: Call, change: Change, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    await check_there(call, "scenario", fields, "blueprintId", BLUEPRINT)
    return {}


async def _creating_timer(call: Call, change: Change, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    await _check_action(call, fields["action"])
    for wire, kind in _TIMER_REFS.items():
        await check_there(call, "timer", fields, wire, kind)
    return {}


async def _updating_timer(
    call: Call, change: Change, stored: Stored[Any], fields: Mapping[str, Any]
) -> Mapping[str, Any]:
    if not same(fields["action"], stored.fields.get("action")):
        await _check_action(call, fields["action"])
    return {}


async def _check_action(call: Call, action: Mapping[str, Any]) -> None:
    check_action(action)
    await reasoning.check_named(call.scope, "timer.options", reasoning.named_in_action(action))


async def _creating_script(call: Call, change: Change, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    await script_check.check(fields["code"], fields["files"])
    return {}


async def _updating_script(
    call: Call, change: Change, stored: Stored[Any], fields: Mapping[str, Any]
) -> Mapping[str, Any]:
    if any(fields[wire] != (stored.fields.get(wire) or {}) for wire in ("code", "files")):
        await script_check.check(fields["code"], fields["files"])
    if fields["alias"] != (alias := stored.fields.get("alias")) and alias is not None:
        await reasoning.check_unnamed(call.scope, frozenset({alias}))
    return {}


async def _deleting_script(call: Call, change: Change, stored: Stored[Any]) -> str | None:
    used = await call.scope.page(TIMER, Query((Where("scriptId", "==", stored.id),), limit=1))
    if used.items:
        timer = used.items[0]
        raise ApiError(
            409,
            "script.inUse",
            f"the timer {timer.id!r} ({timer.fields['name']}) runs it",
            "delete the timer first",
        )
    await reasoning.check_unnamed(call.scope, frozenset({stored.id, str(stored.fields.get("alias"))}))
    # Its versions, caches and records go by the job, and its function too.
    return await cascade.begin(change, stored)


async def _states(call: Call, items: Sequence[Stored[Any]]) -> Mapping[str, Mapping[str, Any]]:
    states = await call.scope.find_many(STATE, [stored.id for stored in items])
    return {
        stored.id: {"state": shown_state(states[stored.id].fields if stored.id in states else {})}
        for stored in items
    }


SCRIPT_RULES = crud.Rules(
    creating=_creating_script, updating=_updating_script, deleting=_deleting_script, beside=_states
)

router = Router()
router.take(
    crud.routes(
        TEMPLATE,
        "templates",
        {"name": "Too warm", "alias": "tooWarm", "sms": "{{name}} is too warm"},
        crud.Rules(creating=_creating_template, updating=_updating_template),
    )
)
router.take(
    crud.routes(
        SCENARIO,
        "scenarios",
        {
            "name": "A warm day",
            "blueprintId": "3Vc8Qn0kZ5tWb1yLr7sXe2",
            "duration": 3_600_000,
            "tracks": [
                {"path": "air/temperature", "frames": [{"t": 0, "value": 4}, {"t": 600_000, "value": 9}]}
            ],
        },
        crud.Rules(creating=_creating_scenario, filters=("blueprintId",), refs={"blueprintId": BLUEPRINT}),
    )
)
router.take(
    crud.routes(
        TIMER,
        "timers",
        {
            "name": "Every morning",
            "timer": {"type": "scheduled", "cron": "0 6 * * 1-5", "timezone": "Europe/Oslo"},
            "action": {"type": "publishTopic", "topic": "writer", "message": {}},
        },
        crud.Rules(
            creating=_creating_timer,
            updating=_updating_timer,
            filters=tuple(_TIMER_REFS),
            refs={"systemId": SYSTEM, "scriptId": SCRIPT},
        ),
    )
)
router.take(
    crud.routes(
        SCRIPT,
        "scripts",
        {"name": "Too warm", "alias": "tooWarm", "code": "def run(message, context):\n    return None\n"},
        crud.Rules(
            creating=_creating_script, updating=_updating_script, deleting=_deleting_script, beside=_states
        ),
    )
)
