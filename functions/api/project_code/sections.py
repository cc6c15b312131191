"""What a project's document holds: which kinds of resources, by which names, referring to each other how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.model.attribute import ATTRIBUTE
from shared.model.base import Kind
from shared.model.blueprint import BLUEPRINT
from shared.model.message_route import MESSAGE_ROUTE
from shared.model.network import NETWORK
from shared.model.role import ROLE
from shared.model.scenario import SCENARIO, ScenarioFields
from shared.model.script import SCRIPT
from shared.model.system import SYSTEM
from shared.model.template import TEMPLATE
from shared.model.timer import TIMER, TimerFields

FORMAT = 1
# Of a relationship; its mirror is made with it and stands nowhere in a document.
MIRROR = "parentRelationship"


@dataclass(frozen=True)
class Ref:
    """A field that holds another resource's id, and how a document writes it: by that resource's name."""

    wire: str
    written: str
    section: str


@dataclass(frozen=True)
class Section:
    """A kind of resource in a document. ``key``: the field by which a document names one (never an id that
    was made: so a document fits another project, too). ``inside``: the section whose items hold these."""

    name: str
    kind: Kind[Any]
    key: str
    refs: tuple[Ref, ...] = ()
    inside: str | None = None

    @property
    def fixed(self) -> frozenset[str]:
        """Fields that cannot be changed: a resource that has them otherwise is another one."""
        wires = {info.alias or name for name, info in self.kind.create.model_fields.items()}
        return frozenset(wires - self.kind.patchable - {self.key})


ATTRIBUTES = Section(
    "attributes",
    ATTRIBUTE,
    "path",
    (Ref("targetBlueprintId", "targetBlueprint", "blueprints"),),
    inside="blueprints",
)
# Within its blueprint's file, which says whose it is.
SCENARIOS = Section("scenarios", replace(SCENARIO, create=ScenarioFields), "name", inside="blueprints")
# Those of one device are as little part of a document as the device.
TIMERS = Section(
    "timers",
    replace(TIMER, create=TimerFields),
    "name",
    (Ref("systemId", "system", "systems"), Ref("scriptId", "script", "scripts")),
)
# In the order in which a change is told.
SECTIONS: Mapping[str, Section] = {
    section.name: section
    for section in (
        Section("messageRoutes", MESSAGE_ROUTE, "name"),
        Section(
            "blueprints", BLUEPRINT, "alias", (Ref("messageRouteId", "messageRouteName", "messageRoutes"),)
        ),
        ATTRIBUTES,
        SCENARIOS,
        Section("networks", NETWORK, "id"),
        Section("systems", SYSTEM, "alias"),
        Section("templates", TEMPLATE, "alias"),
        Section("scripts", SCRIPT, "alias"),
        TIMERS,
        Section("roles", ROLE, "name"),
    )
}

# The sections whose resources have a message route, and in which field.
ROUTES: Mapping[str, str] = {"messageRoutes": "route", "blueprints": "messageRoute"}
# The sections whose resources name scripts, and in which field.
NAMING: Mapping[str, str] = {**ROUTES, "timers": "action"}

# (section, names from the outermost in): ("attributes", "coldStore", "air/temperature").
Key = tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """One resource of a document: its wire fields, all defaults filled in, references written by name."""

    section: Section
    key: Key
    fields: Mapping[str, Any]


@dataclass
class State:
    """All resources of a document by key, and the project's own fields."""

    project: Mapping[str, Any] = field(default_factory=dict)
    items: dict[Key, Item] = field(default_factory=dict)
