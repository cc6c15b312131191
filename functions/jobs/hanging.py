"""What hangs on what, and what becomes of it when that is deleted: one table. Pure.

Some things are no row of the table, because what finds them is no single field: the links of relations, the
aliases of a network on its devices, and all that a project has. ``functions/jobs/special.py`` finds
those.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

# Documents that may be large: their content is kept in tombstones, so a step buries few of them; more, up to
# GROUP, where those that it has read are small.
LARGE = frozenset({"scenarios", "dashboards", "views", "timers"})
FEW = 3
# How many tombstones a step takes at once: what the operator ``in`` compares with.
GROUP = 30


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Documents of a collection whose ``field`` holds a deleted id.

    ``remove``: the document goes. ``bury``: it goes, leaves a tombstone of ``kind``, and what hangs on it
    follows. ``edit``: the fields in ``unset`` go, and the ids from the lists in ``unlist``. ``also``: what
    else of its fields must be so. ``top_level``: the collection stands beside the projects.
    """

    collection: str
    field: str
    effect: Literal["remove", "bury", "edit"]
    kind: str = ""
    op: Literal["in", "array-contains-any"] = "in"
    also: tuple[tuple[str, str], ...] = ()
    unset: tuple[str, ...] = ()
    unlist: tuple[str, ...] = ()
    top_level: bool = False
    # How a deleted id stands in the field.
    form: str = "{}"

    def values(self, resource_ids: Iterable[str]) -> list[str]:
        """What the field may hold of deleted ids."""
        return [self.form.format(resource_id) for resource_id in resource_ids]


def _roles(field: str, *also: tuple[str, str]) -> Rule:
    return Rule(collection="userRoles", field=field, effect="remove", also=also)


def _bury(kind: str, collection: str, field: str, *also: tuple[str, str]) -> Rule:
    return Rule(collection=collection, field=field, effect="bury", kind=kind, also=also)


def _unset(kind: str, collection: str, field: str) -> Rule:
    return Rule(collection=collection, field=field, effect="edit", kind=kind, unset=(field,))


def _permissions(form: str) -> Rule:
    """Permissions that were generated for what is deleted, in roles."""
    return Rule(
        collection="roles",
        field="permissions",
        effect="edit",
        kind="role",
        op="array-contains-any",
        unlist=("permissions",),
        form=form,
    )


def _pending(field: str, *also: tuple[str, str]) -> Rule:
    return _bury("pendingUser", "pendingUsers", field, *also)


def _remove(collection: str, field: str) -> Rule:
    return Rule(collection=collection, field=field, effect="remove")


def _outside(collection: str, field: str) -> Rule:
    return Rule(collection=collection, field=field, effect="remove", top_level=True)


# Of whatever is deleted: the unique names that it held.
EVERY = (Rule(collection="locks", field="holder", effect="remove"),)

# A blueprint's devices go before its attributes: these still say which children a device owns.
RULES: dict[str, tuple[Rule, ...]] = {
    "system": (
        _bury("device", "devices", "systemId"),
        _bury("timer", "timers", "systemId"),
        _remove("runningTimers", "systemId"),
        _roles("resourceId", ("resourceKind", "system")),
        _pending("contextId", ("contextType", "system")),
    ),
    "blueprint": (
        _bury("device", "devices", "blueprintId"),
        _bury("attribute", "attributes", "blueprintId"),
        _bury("attribute", "attributes", "targetBlueprintId"),
        _bury("attribute", "attributes", "sourceBlueprintId"),
        _bury("scenario", "scenarios", "blueprintId"),
        _bury("dashboard", "dashboards", "scopeId", ("scope", "blueprint")),
        _permissions("device.create:{}"),
    ),
    "attribute": (
        _bury("attribute", "attributes", "mirrorId"),
        _permissions("relationship.create:{}"),
    ),
    "device": (
        _outside("aliases", "deviceId"),
        _outside("deviceTokens", "deviceId"),
        _roles("resourceId", ("resourceKind", "device")),
        _pending("contextId", ("contextType", "device")),
        _bury("timer", "timers", "deviceId"),
        _remove("runningTimers", "deviceId"),
        _remove("outbound", "deviceId"),
        _remove("simulations", "deviceId"),
        _remove("caches", "deviceId"),
        _remove("runs", "deviceId"),
        _unset("device", "devices", "parentDeviceId"),
        Rule(
            collection="devices",
            field="forwardTo",
            effect="edit",
            kind="device",
            op="array-contains-any",
            unlist=("forwardTo",),
        ),
    ),
    "network": (
        _outside("deviceTokens", "networkId"),
        Rule(collection="unknownDevices", field="networkId", effect="remove"),
        _unset("device", "devices", "networkId"),
        _unset("device", "devices", "simNetworkId"),
    ),
    "user": (
        _roles("subjectId", ("subjectKind", "user")),
        _outside("sessions", "userId"),
        _outside("passwordResets", "userId"),
        _bury("dashboard", "dashboards", "owner"),
        _bury("view", "views", "owner"),
    ),
    "apiAccess": (_roles("subjectId", ("subjectKind", "apiAccess")),),
    "role": (
        _roles("roleId"),
        _bury("dashboard", "dashboards", "scopeId", ("scope", "role")),
        _pending("permValue"),
    ),
    "script": (
        _bury("timer", "timers", "scriptId"),
        _remove("runningTimers", "scriptId"),
        *(_remove(name, "scriptId") for name in ("scriptVersions", "scriptStates", "scriptDeployments")),
        *(_remove(name, "scriptId") for name in ("scriptCaches", "caches", "runs")),
    ),
    "timer": (_remove("runningTimers", "timerId"),),
    "messageRoute": (
        _unset("blueprint", "blueprints", "messageRouteId"),
        _unset("device", "devices", "messageRouteId"),
    ),
}
# Collections beside the projects whose documents say in ``projectId`` whose they are.
TOP_LEVEL = ("networks", "aliases", "deviceTokens", "sessions", "passwordResets")


def rules(kind: str) -> tuple[Rule, ...]:
    """What may hang on a resource of a kind."""
    return (*RULES.get(kind, ()), *EVERY)
