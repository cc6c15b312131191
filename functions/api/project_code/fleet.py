"""What a change would do to the fleet: which devices hold values that would not fit, and what forbids it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.api.project_code.current import Current, every
from functions.api.project_code.difference import TYPE_SPEC, Difference, Edit
from functions.api.project_code.sections import Key
from functions.api.resources.reasoning import named_in_action
from shared.attributes import check
from shared.attributes.types import RELATIONS
from shared.model.base import Kind
from shared.model.device import DEVICE
from shared.model.role import EVERYTHING, USER_ROLE
from shared.model.timer import TIMER
from shared.store.query import MAX_PER_PAGE, Query, Where
from shared.store.scope import Scope, Stored

# As many are named; all are counted.
MAX_NAMED = 200
# What must not be deleted while somebody has it: who that is, and by which field.
_HOLDERS: dict[str, tuple[Kind[Any], str]] = {
    "blueprints": (DEVICE, "blueprintId"),
    "systems": (DEVICE, "systemId"),
    "networks": (DEVICE, "networkId"),
    "messageRoutes": (DEVICE, "messageRouteId"),
    "roles": (USER_ROLE, "roleId"),
}


@dataclass(frozen=True)
class Misfit:
    """A device whose stored value does not fit what its attribute is to be."""

    blueprint: str
    path: str
    device_id: str
    device_name: str
    value: Any
    problem: str


@dataclass
class Fleet:
    """What was found. ``devices_read`` is what finding it cost."""

    misfits: list[Misfit] = field(default_factory=list)
    misfit_count: int = 0
    devices_read: int = 0
    blocked: list[str] = field(default_factory=list)

    def add(self, misfit: Misfit) -> None:
        """Count one, and name it while there are few."""
        self.misfit_count += 1
        if len(self.misfits) < MAX_NAMED:
            self.misfits.append(misfit)


async def look(scope: Scope, now: Current, change: Difference) -> Fleet:
    """Look at the devices that a change concerns; those of other blueprints are not read."""
    found = Fleet()
    for alias, specs in _specs(now, change).items():
        blueprint = now.stored[("blueprints", alias)]
        mine = (Where("blueprintId", "==", blueprint.id),)
        async for device in every(scope, DEVICE, mine, MAX_PER_PAGE):
            found.devices_read += 1
            for path, spec in specs.items():
                _fit(found, alias, path, spec, device)
    await _block(scope, now, change, found)
    return found


def _specs(now: Current, change: Difference) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Blueprint → path → the type that values there are to have, where that is new."""
    specs: dict[str, dict[str, Mapping[str, Any]]] = {}

    def add(key: Key, fields: Mapping[str, Any]) -> None:
        if ("blueprints", key[1]) in now.stored and fields["type"] not in RELATIONS:
            specs.setdefault(key[1], {})[key[2]] = {w: fields[w] for w in TYPE_SPEC if w in fields}

    stricter = {
        edit.key[1]
        for edit in change.of("blueprints")
        if edit.action == "update" and edit.changed.get("checkMode", ("", ""))[1] == "strict"
    }
    gone = {edit.key for edit in change.of("attributes") if edit.after is None}
    for key, item in now.state.items.items():
        if key[0] == "attributes" and key[1] in stricter and key not in gone:
            add(key, item.fields)
    for edit in change.of("attributes"):
        if edit.changes_type and edit.after is not None:
            add(edit.key, edit.after.fields)
    return specs


def _fit(found: Fleet, alias: str, path: str, spec: Mapping[str, Any], device: Stored[Any]) -> None:
    value: Any = device.fields.get("data")
    for segment in path.split("/"):
        value = value.get(segment) if isinstance(value, dict) else None
    if value is None:
        return
    problem = check(spec, value, path)
    if problem is not None:
        name = str(device.fields.get("name", ""))
        found.add(Misfit(alias, path, device.id, name, value, str(problem)))


async def _block(scope: Scope, now: Current, change: Difference, found: Fleet) -> None:
    """What no force gets over: devices or people would lose what they are by."""
    for edit in change.edits:
        section, name = edit.key[0], edit.key[-1]
        if section == "roles" and _loses_everything(edit):
            found.blocked.append(f"roles {name}: administrators are who they are by it")
        elif edit.action == "delete" and section in _HOLDERS:
            kind, wire = _HOLDERS[section]
            where = (Where(wire, "==", now.stored[edit.key].id),)
            count = await scope.count(kind, Query(where))
            if count:
                found.blocked.append(f"{section} {name}: {count} {kind.collection} have it")
    gone = {
        named: edit.key[-1]
        for edit in change.of("scripts")
        if edit.action == "delete"
        for named in (edit.key[-1], now.stored[edit.key].id)
    }
    if gone:
        going = {now.stored[edit.key].id for edit in change.of("timers") if edit.action != "create"}
        async for timer in every(scope, TIMER):
            if timer.id in going:
                continue  # a document that still has it names another script
            named = {timer.fields.get("scriptId"), *named_in_action(timer.fields.get("action"))}
            for script in sorted({gone[name] for name in named if name in gone}):
                found.blocked.append(f"scripts {script}: the timer {timer.id} runs it")


def _loses_everything(edit: Edit) -> bool:
    before = edit.before.fields["permissions"] if edit.before else []
    after = edit.after.fields["permissions"] if edit.after else []
    return EVERYTHING in before and EVERYTHING not in after
