"""Paths of the interface: ``/<system>/<blueprint>/:id/<relation>/:id…`` as steps along relationships.

Each step is a relationship of the blueprint that the step before leads to, found greedily: of two paths
``rooms`` and ``rooms/cold`` the longer one that fits. Behind it stands an id, ``*`` for all, or nothing: then
the step is all of its devices, which is one device where the relationship allows but one child.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from functions.api.devices import definitions
from functions.api.devices.definitions import Relation
from functions.api.needs import Call
from shared.errors import ApiError
from shared.store.scope import not_found

MAX_STEPS = 16
ALL = "*"
SEARCH = ".search"
ACTIONS = frozenset({"create", "history", "events", "getDeviceByNetworkAlias"})


class Step(msgspec.Struct, frozen=True):
    """One step: the devices of a blueprint that a relation leads to; ``relation`` is None at the root.

    ``pick``: an id, ``*``, or None for what the path ends on without naming one.
    """

    blueprint_id: str
    relation: Relation | None = None
    pick: str | None = None

    @property
    def is_one(self) -> bool:
        """Whether the step stands for a single device: by its id, or because there is but one child."""
        if self.pick is not None:
            return self.pick != ALL
        return self.relation is not None and self.relation.one_child


class Walk(msgspec.Struct, frozen=True):
    """A parsed path. ``action``: what its end asks for beside the devices themselves, or nothing."""

    system_id: str
    steps: tuple[Step, ...]
    action: str = ""

    @property
    def last(self) -> Step:
        """The step that the path ends on."""
        return self.steps[-1]

    @property
    def is_one(self) -> bool:
        """Whether the path stands for a single device, however many there are: one that may be changed."""
        if self.last.pick is not None or not self.last.is_one:
            return self.last.is_one
        # One child, of the parents that stand above: of one, or of all.
        return next((step.pick != ALL for step in reversed(self.steps) if step.pick is not None), True)


async def parse(call: Call, system: str, blueprint: str, rest: str, *, posted: bool = False) -> Walk:
    """A path as steps; ApiError 404 for what it names and is not there, 400 where it goes too deep.

    ``posted``: the path may end on ``.search``.
    """
    action = ""
    if posted and rest.endswith(SEARCH):
        rest, action = rest.removesuffix(SEARCH), "search"
    elif posted and not rest and blueprint.endswith(SEARCH):
        blueprint, action = blueprint.removesuffix(SEARCH), "search"
    known = await definitions.revision(call.scope)
    system_id = await definitions.id_of(call.scope, "system", "systems", system, known)
    if system_id is None:
        raise not_found("system", system)
    root = await definitions.id_of(call.scope, "blueprint", "blueprints", blueprint, known)
    if root is None:
        raise not_found("blueprint", blueprint)
    segments = rest.strip("/").split("/") if rest.strip("/") else []
    steps = [Step(root)]
    while segments:
        if len(steps) > MAX_STEPS:
            raise ApiError(
                400, "interface.tooDeep", f"the path has more than {MAX_STEPS} steps", "begin further down"
            )
        last = steps[-1]
        one_without_id = last.relation is not None and last.relation.one_child
        if last.pick is None and not one_without_id and segments[0] not in ACTIONS:
            steps[-1] = msgspec.structs.replace(last, pick=segments.pop(0))
            continue
        relations = (await definitions.blueprint(call.scope, last.blueprint_id, known)).relations
        relation = greedy(relations, segments) if last.pick is not None or one_without_id else None
        if relation is not None:
            steps.append(Step(relation.child_blueprint, relation))
            segments = segments[relation.path.count("/") + 1 :]
        elif segments[0] in ACTIONS and len(segments) == 1 and not action:
            action = segments.pop()
        else:
            raise ApiError(
                404,
                "interface.noRelation",
                f"the blueprint {last.blueprint_id!r} has no relationship at {'/'.join(segments)[:300]!r}",
                f"go on by one of: {', '.join(sorted(relations)) or 'none, the path ends here'}",
            )
    return Walk(system_id, tuple(steps), action)


def greedy(relations: Mapping[str, Relation], segments: Sequence[str]) -> Relation | None:
    """The relationship with the longest path that some segments begin with."""
    for length in range(len(segments), 0, -1):
        found = relations.get("/".join(segments[:length]))
        if found is not None:
            return found
    return None
