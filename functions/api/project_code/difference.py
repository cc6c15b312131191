"""What it takes to get from one state to another. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from functions.api.project_code.sections import SECTIONS, Item, Key, State
from shared.errors import ApiError
from shared.store.audit import same

Action = Literal["create", "update", "replace", "delete"]
# Values of other types are refused by these; the other fields of an attribute are for people.
TYPE_SPEC = ("type", "unit", "values", "min", "max", "isCollection")


@dataclass(frozen=True)
class Edit:
    """One resource that changes. ``before`` is None for a creation, ``after`` for a deletion.

    ``replace``: what cannot be changed is otherwise, so that it is deleted and created anew.
    """

    action: Action
    key: Key
    before: Item | None
    after: Item | None

    @property
    def changed(self) -> dict[str, tuple[Any, Any]]:
        """The wire fields that differ: (before, after)."""
        before = self.before.fields if self.before else {}
        after = self.after.fields if self.after else {}
        return {
            wire: (before.get(wire), after.get(wire))
            for wire in sorted({*before, *after})
            if not same(before.get(wire), after.get(wire))
        }

    @property
    def changes_type(self) -> bool:
        """Whether it is an attribute that takes other values than before."""
        return (
            self.key[0] == "attributes"
            and self.after is not None
            and bool(set(TYPE_SPEC) & set(self.changed))
        )


@dataclass(frozen=True)
class Difference:
    """Every edit, in the order of the sections, and the project's own fields that change."""

    edits: list[Edit]
    project: dict[str, tuple[Any, Any]]

    def of(self, section: str) -> list[Edit]:
        """The edits of one section."""
        return [edit for edit in self.edits if edit.key[0] == section]

    def __bool__(self) -> bool:
        return bool(self.edits or self.project)


def difference(before: State, after: State) -> Difference:
    """The edits from one state to another; ApiError 400 for what cannot be changed, and not be replaced."""
    edits: list[Edit] = []
    order = {name: place for place, name in enumerate(SECTIONS)}
    for key in sorted({*before.items, *after.items}, key=lambda key: (order[key[0]], key)):
        edit = _edit(key, before.items.get(key), after.items.get(key))
        if edit is not None:
            edits.append(edit)
    project = {
        wire: (before.project.get(wire), after.project.get(wire))
        for wire in sorted({*before.project, *after.project})
        if not same(before.project.get(wire), after.project.get(wire))
    }
    return Difference(edits, project)


def _edit(key: Key, before: Item | None, after: Item | None) -> Edit | None:
    if before is None:
        return Edit("create", key, None, after)
    if after is None:
        return Edit("delete", key, before, None)
    edit = Edit("update", key, before, after)
    changed = set(edit.changed)
    if not changed:
        return None
    fixed = changed & after.section.fixed
    if not fixed:
        return edit
    if key[0] == "attributes":
        return Edit("replace", key, before, after)
    raise ApiError(
        400,
        "code.fixed",
        f"{' '.join(key)}: {', '.join(sorted(fixed))} cannot be changed",
        "give it another name: then the one is deleted, and the other created",
    )
