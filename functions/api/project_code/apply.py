"""Carrying out a difference: every write of it in one change, so that it happens as a whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fulcrum.core import ids
from functions.api.project_code.current import Current, permissions_by_id
from functions.api.project_code.difference import Difference, Edit
from functions.api.project_code.sections import SECTIONS, Item, Key, State
from functions.api.resources.attributes import mirror_of, parent_path
from shared.attributes import checks_text
from shared.attributes.types import RELATIONS
from shared.model.attribute import ATTRIBUTE
from shared.store import cascade
from shared.store.change import Change

# One commit takes any number of writes, of 10 MiB in all: about so many of ours.
MAX_WRITES = 40_000


class Builder:
    """Fills a change with what leads from ``now`` to ``after``."""

    def __init__(self, change: Change, now: Current, after: State, difference: Difference) -> None:
        self._change = change
        self._now = now
        self._after = after
        self._difference = difference
        self._ids: dict[Key, str] = {key: stored.id for key, stored in now.stored.items()}
        # Blueprint (alias) → how many attributes it gains, mirrors included.
        self._gains: dict[str, int] = {}

    async def build(self) -> None:
        """Add every write."""
        left = self._now.stored.keys() - self._now.state.items.keys()
        for edit in self._difference.edits:
            if edit.action in ("create", "replace"):
                self._ids[edit.key] = edit.key[-1] if edit.key[0] == "networks" else ids.new_id()
        for edit in self._difference.edits:
            # What is created may stand in the place of something that is just being cleared.
            if edit.action in ("delete", "replace") or edit.key in left:
                await self._delete(edit)
        for edit in self._difference.edits:
            if edit.key[0] in ("blueprints", "attributes"):
                continue
            self._write(edit, self._scenario_extra(edit))
        for edit in self._difference.of("attributes"):
            self._write(edit, self._attribute_extra(edit))
        self._blueprints()
        self._renamed()

    def _write(self, edit: Edit, extra: Mapping[str, Any]) -> None:
        if edit.after is None:
            return
        kind = edit.after.section.kind
        if edit.action == "update":
            wires = [wire for wire in edit.changed if wire in kind.patchable]
            fields = self._with_ids(edit.after)
            self._change.update(
                self._now.stored[edit.key], {wire: fields.get(wire) for wire in wires} | dict(extra)
            )
        else:
            chosen = edit.action == "create" and edit.key[0] == "networks"
            fields = self._with_ids(edit.after) | dict(extra)
            self._change.create(kind, fields, self._ids[edit.key], chosen=chosen)

    async def _delete(self, edit: Edit) -> None:
        stored = self._now.stored[edit.key]
        await cascade.begin(self._change, stored)
        self._change.delete(stored)
        if edit.key[0] == "attributes":
            self._gain(edit.key[1], -1)
            mirror = self._now.mirrors.get(str(stored.fields.get("mirrorId")))
            if mirror is not None:
                self._change.delete(mirror)
                self._gain(self._alias_of(mirror.fields["blueprintId"]), -1)

    def _scenario_extra(self, edit: Edit) -> dict[str, Any]:
        if edit.key[0] != "scenarios" or edit.after is None or edit.action == "update":
            return {}
        return {"blueprintId": self._ids["blueprints", edit.key[1]]}

    def _attribute_extra(self, edit: Edit) -> dict[str, Any]:
        if edit.after is None or edit.action == "update":
            return {}
        alias = edit.key[1]
        self._gain(alias, 1)
        fields = self._with_ids(edit.after)
        extra: dict[str, Any] = {
            "blueprintId": self._ids["blueprints", alias],
            "parentPath": parent_path(fields),
        }
        if fields["type"] == "relationship":
            fields |= {"owned": fields.get("owned", False), "forwardData": fields.get("forwardData", False)}
            blueprint = self._after.items["blueprints", alias].fields
            mirror = mirror_of(extra["blueprintId"], blueprint, fields, self._ids[edit.key])
            mirror_id = self._change.create(ATTRIBUTE, mirror)
            self._gain(edit.after.fields["targetBlueprintId"], 1)
            extra |= {wire: fields[wire] for wire in ("owned", "forwardData")}
            extra |= {"mirrorId": mirror_id, "mirrorPath": mirror["path"]}
        return extra

    def _blueprints(self) -> None:
        """Write blueprints with the checks that the event path reads, as their attributes will be."""
        edits = {edit.key[1]: edit for edit in self._difference.of("blueprints")}
        retyped = {edit.key[1] for edit in self._difference.of("attributes")}
        for alias in sorted({*edits, *retyped, *self._gains}):
            edit, key = edits.get(alias), ("blueprints", alias)
            if key not in self._after.items:
                continue
            after = self._after.items[key]
            kept = self._checks(alias, after.fields["checkMode"])
            if edit is not None:
                self._write(edit, kept)
            else:
                self._change.keep(self._now.stored[key], kept)

    def _renamed(self) -> None:
        """Roles that name a relationship which is replaced keep its permission, by its new id."""
        anew = {key[1:] for key in self._ids if self._is_anew(key)}
        edited = {edit.key for edit in self._difference.of("roles")}
        for key, item in self._after.items.items():
            if key[0] != "roles" or key in edited:
                continue
            named = (permission.partition(":")[2] for permission in item.fields["permissions"])
            if any(tuple(name.split("/", 1)) in anew for name in named):
                permissions = self._with_ids(item)["permissions"]
                self._change.update(self._now.stored[key], {"permissions": permissions})

    def _is_anew(self, key: Key) -> bool:
        known = self._now.stored.get(key)
        return key[0] == "attributes" and known is not None and known.id != self._ids[key]

    def _checks(self, alias: str, mode: str) -> dict[str, Any]:
        attributes = [
            item.fields
            for key, item in self._after.items.items()
            if key[:2] == ("attributes", alias) and item.fields["type"] not in RELATIONS
        ]
        stored = self._now.stored.get(("blueprints", alias))
        before = stored.fields if stored is not None else {}
        return {
            "checks": checks_text(mode, attributes if mode != "off" else []),
            "attributesVersion": (before.get("attributesVersion") or 0) + 1,
            "attributeCount": max(0, (before.get("attributeCount") or 0) + self._gains.get(alias, 0)),
        }

    def _gain(self, alias: str | None, count: int) -> None:
        if alias is not None:
            self._gains[alias] = self._gains.get(alias, 0) + count

    def _alias_of(self, blueprint_id: str) -> str | None:
        for key, stored in self._now.stored.items():
            if key[0] == "blueprints" and stored.id == blueprint_id:
                return key[1]
        return None

    def _with_ids(self, item: Item) -> dict[str, Any]:
        """The wire fields of an item with ids in the place of names."""
        fields = dict(item.fields)
        for ref in item.section.refs:
            if ref.wire in fields:
                fields[ref.wire] = self._ids[ref.section, fields[ref.wire]]
        if item.section.name == "roles":
            by_name: dict[str, dict[str, str]] = {"blueprints": {}, "relations": {}}
            for key, made in self._ids.items():
                table = {"blueprints": "blueprints", "attributes": "relations"}.get(key[0])
                if table is not None:
                    by_name[table]["/".join(key[1:])] = made
            fields["permissions"] = permissions_by_id(fields["permissions"], by_name)
        return fields


_VERBS = {
    "create": ("create",),
    "update": ("update",),
    "delete": ("delete",),
    "replace": ("create", "delete"),
}


def permissions_needed(difference: Difference) -> set[str]:
    """The permissions to touch each kind of resource that a difference touches, in the way that it does."""
    needed = {"project.update"} if difference.project else set()
    for edit in difference.edits:
        kind = SECTIONS[edit.key[0]].kind.name
        needed |= {f"{kind}.{verb}" for verb in _VERBS[edit.action]}
    return needed
