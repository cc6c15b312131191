"""The devices that a path of the interface leads to, by a number of reads that has a bound.

Downwards, from step to step, as long as at most thirty devices are between: Firestore finds the children of
thirty parents in one query, each child once. Where ``*`` stands for more, the page is taken from below: the
devices of the last blueprint in the system, one page after the other, each kept if the links above it lead to
where the path begins. (The relation of a link says of which blueprint its parent is, and both are in one
system, so that the parents of the first step need not be read.) That reads at most :data:`MAX_READS` and a
page; a page that is not full by then ends there and says how to go on.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from functions.api.devices import access
from functions.api.devices.relations import link_of
from functions.api.devices.walk import ALL, Step, Walk
from functions.api.needs import Call, denied
from shared.errors import ApiError
from shared.model.device import DEVICE, Device
from shared.store.query import Query, Where
from shared.store.scope import Found, Stored

FANOUT = 30
MAX_READS = 1_000


class Above(msgspec.Struct, frozen=True):
    """What a path is known to lead to down to some step: these devices, or too many to be listed (None)."""

    devices: tuple[Stored[Device], ...] | None

    def links(self, step: Step) -> list[str]:
        """The links that children have by the relation of the next step."""
        if step.relation is None or self.devices is None:
            raise TypeError("a root has no links")
        return [link_of(step.relation.id, stored.id) for stored in self.devices]


class Reach:
    """The evaluation of one walk, for a caller who needs a permission on what it passes."""

    def __init__(self, call: Call, walk: Walk, permission: str = "device.read") -> None:
        self._call = call
        self._walk = walk
        self._permission = permission
        self._whole = access.on_system(call, [permission], walk.system_id)
        self._fixed: dict[str, Stored[Device]] = {}
        self.reads = 0

    async def one(self) -> Stored[Device]:
        """The one device that the path ends on; ApiError 404 if it is not there, 403 without permission.

        400 for a path that stands for all of several, even while there is only one.
        """
        above = await self._down(len(self._walk.steps)) if self._walk.is_one else Above(None)
        if above.devices is None or len(above.devices) > 1:
            raise ApiError(
                400, "interface.several", "the path stands for several devices", "name each by its id"
            )
        if not above.devices:
            relation = self._walk.last.relation
            raise access.not_here(self._walk.last.pick or (relation.path if relation else ""))
        return above.devices[0]

    async def parent(self) -> Stored[Device]:
        """The one device that the last relation begins at."""
        upper = msgspec.structs.replace(self._walk, steps=self._walk.steps[:-1], action="")
        return await Reach(self._call, upper, self._permission).one()

    async def above(self) -> tuple[Stored[Device], ...]:
        """The devices that the last relation begins at; ApiError 400 if they are too many to be listed."""
        above = await self._down(len(self._walk.steps) - 1)
        if above.devices is None:
            raise ApiError(
                400,
                "interface.tooWide",
                f"'*' stands for more than {FANOUT} devices",
                "name a device in place of '*', or search the blueprint with a condition on its parent",
            )
        return above.devices

    @property
    def is_spent(self) -> bool:
        """Whether the walk has read as much as one request may."""
        return self.reads >= MAX_READS

    async def page(self, per_page: int, cursor: str | None) -> Found[Device]:
        """A page of the devices that the path ends on, by id; it may be short, and ``next`` goes on."""
        count = len(self._walk.steps)
        last = self._walk.last
        if last.is_one and last.pick is not None:
            return Found([await self.one()], None)
        where = (
            Where("systemId", "==", self._walk.system_id),
            Where("blueprintId", "==", last.blueprint_id),
        )
        query = Query(where, limit=per_page, after=cursor)
        if last.relation is None:
            return await self._filtered(query)
        above = await self._down(count - 1)
        if above.devices is not None:
            links = above.links(last)
            if not links:
                return Found([], None)
            also = (Where("links", "array-contains-any", links),)
            return await self._filtered(msgspec.structs.replace(query, also=also))
        return await self._from_below(query, count - 1)

    async def _filtered(self, query: Query) -> Found[Device]:
        found = await self._call.scope.page(DEVICE, query)
        self.reads += len(found.items) + (found.next is not None)
        return Found(await self._permitted(found.items), found.next)

    async def _permitted(self, items: Iterable[Stored[Device]]) -> list[Stored[Device]]:
        listed = list(items)
        return listed if self._whole else await access.permitted(self._call, [self._permission], listed)

    async def _down(self, count: int) -> Above:
        """What the first steps lead to."""
        steps = self._walk.steps[:count]
        await self._read_fixed(steps)
        above = Above(())
        for index, step in enumerate(steps):
            if step.pick is not None and step.pick != ALL:
                above = await self._named(step, index, above)
            elif index and above.devices is None:
                continue
            else:
                above = await self._all(step, above)
        return above

    async def _read_fixed(self, steps: Iterable[Step]) -> None:
        """The devices that the path names, in one call."""
        wanted = {step.pick for step in steps if step.pick not in (None, ALL)}
        self._fixed = await self._call.scope.find_many(DEVICE, [pick for pick in wanted if pick])
        self.reads += len(wanted)

    async def _named(self, step: Step, index: int, above: Above) -> Above:
        stored = self._fixed.get(step.pick or "")
        if stored is None or not self._is_of(stored, step):
            raise access.not_here(step.pick or "")
        if not await self._permitted([stored]):
            raise denied(self._permission)
        if step.relation is not None:
            if above.devices is None:
                linked = bool(await self._leading_up([stored], index))
            else:
                linked = bool(set(above.links(step)) & set(stored.fields.get("links") or ()))
            if not linked:
                raise access.not_here(stored.id)
        return Above((stored,))

    async def _all(self, step: Step, above: Above) -> Above:
        """All devices of a step, if they are few."""
        where: tuple[Where, ...] = (
            Where("systemId", "==", self._walk.system_id),
            Where("blueprintId", "==", step.blueprint_id),
        )
        if step.relation is not None:
            links = above.links(step)
            if not links:
                return Above(())
            where += (Where("links", "array-contains-any", links),)
        found = await self._call.scope.page(DEVICE, Query(where, limit=FANOUT))
        self.reads += len(found.items) + (found.next is not None)
        if found.next is None:
            return Above(tuple(await self._permitted(found.items)))
        if not self._whole:
            raise ApiError(
                400,
                "interface.tooWide",
                f"'*' stands for more than {FANOUT} devices, and you see single ones alone",
                "name a device in place of '*'",
            )
        return Above(None)

    async def _from_below(self, query: Query, index: int) -> Found[Device]:
        """A page of the last step's devices whose links lead up to where the path begins."""
        items: list[Stored[Device]] = []
        begin = query.after
        while True:
            room = msgspec.structs.replace(query, limit=query.limit - len(items))
            found = await self._call.scope.page(DEVICE, room)
            self.reads += len(found.items) + (found.next is not None)
            try:
                items += await self._leading_up(found.items, index)
            except _TooWide:
                if query.after == begin:
                    raise
                return Found(items, query.after)
            if found.next is None or len(items) >= query.limit or self.reads >= MAX_READS:
                return Found(items, found.next)
            query = msgspec.structs.replace(query, after=found.next)

    async def _leading_up(self, items: list[Stored[Device]], index: int) -> list[Stored[Device]]:
        """Those of some devices of a step that the path leads to, judged by their links, step by step up."""
        # Device of the step → the devices above it that are looked at.
        tops = {stored.id: {stored.id} for stored in items}
        level = {stored.id: stored for stored in items}
        for place in range(index, 0, -1):
            step, upper = self._walk.steps[place], self._walk.steps[place - 1]
            above = {device_id: _parents(stored, step, upper) for device_id, stored in level.items()}
            tops = {leaf: {one for low in seen for one in above[low]} for leaf, seen in tops.items()}
            if place > 1 and upper.pick not in self._fixed:
                level = await self._look_up(set().union(*tops.values()), upper)
                tops = {leaf: seen & level.keys() for leaf, seen in tops.items()}
            tops = {leaf: seen for leaf, seen in tops.items() if seen}
            if upper.pick in self._fixed:
                break  # what is above it was looked at on the way down
        return [stored for stored in items if stored.id in tops]

    async def _look_up(self, wanted: set[str], step: Step) -> dict[str, Stored[Device]]:
        if self.reads + len(wanted) > MAX_READS:
            raise _TooWide(len(wanted))
        self.reads += len(wanted)
        found = await self._call.scope.find_many(DEVICE, wanted)
        return {device_id: stored for device_id, stored in found.items() if self._is_of(stored, step)}

    def _is_of(self, stored: Stored[Device], step: Step) -> bool:
        fields = stored.fields
        return (fields.get("systemId"), fields.get("blueprintId")) == (
            self._walk.system_id,
            step.blueprint_id,
        )


class _TooWide(ApiError):
    """What is above a page's devices is more than one request looks at."""

    def __init__(self, count: int) -> None:
        super().__init__(
            400,
            "interface.tooWide",
            f"the devices of a page have {count} others above them, too many to look at",
            "name a device in place of '*', or ask for smaller pages",
        )


def _parents(stored: Stored[Device], step: Step, upper: Step) -> set[str]:
    """The devices above one by the relation of its step; of those the one that the path names, if it does."""
    prefix = f"{step.relation.id}:" if step.relation is not None else ""
    found = {one.removeprefix(prefix) for one in stored.fields.get("links") or () if one.startswith(prefix)}
    return found & {upper.pick} if upper.pick not in (None, ALL) else found
