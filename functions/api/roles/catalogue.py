"""All permissions: modules × verbs, and those that are generated for one project. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from functions.api.roles import generated
from shared.model.role import Category, Module, Permission

CRUDL = ("create", "read", "update", "delete", "list")


class _Module(msgspec.Struct, frozen=True):
    noun: str
    category: Category
    more: tuple[str, ...] = ()
    verbs: tuple[str, ...] = CRUDL


_DEVICE_VERBS = (
    "readData",
    "readHistory",
    "readEvents",
    "updateEvents",
    "sendMessage",
    "runSimulation",
    "readByNetworkAlias",
    "createRelationship",
    "deleteRelationship",
    "updateData",
    "updateAnyData",
)

# ``project``: whom the project belongs to and who may do what; ``imagine``: what is modelled in it.
MODULES: dict[str, _Module] = {
    "project": _Module("projects", "project"),
    "user": _Module("users", "project", ("assignRoles",)),
    "role": _Module("roles", "project"),
    "userRole": _Module("roles given", "project"),
    "pendingUser": _Module("pending users", "project"),
    "apiAccess": _Module("API keys", "project"),
    "audit": _Module("the audit", "project", verbs=("read", "list")),
    "job": _Module("jobs", "project", verbs=("read", "list")),
    "outbox": _Module("messages to people", "project", verbs=("read", "list", "update")),
    "system": _Module("systems", "imagine"),
    "blueprint": _Module("blueprints", "imagine"),
    "attribute": _Module("attributes", "imagine"),
    "device": _Module("devices", "imagine", _DEVICE_VERBS),
    "network": _Module("networks", "imagine"),
    "messageRoute": _Module("message routes", "imagine"),
    "template": _Module("templates", "imagine"),
    "scenario": _Module("scenarios", "imagine"),
    "timer": _Module("timers", "imagine", ("start",)),
    "script": _Module("scripts", "imagine", ("deploy", "run", "readLogs")),
    "dashboard": _Module("dashboards", "imagine"),
    "view": _Module("saved views", "imagine"),
    "unknownDevice": _Module("unknown devices", "imagine"),
    "quarantine": _Module("what is quarantined", "imagine"),
    "revision": _Module("revisions of the project", "imagine"),
}

# Verbs whose permission reads differently than "<verb> <noun>".
_PHRASES = {
    "user.assignRoles": "Give roles to users",
    "device.readData": "Read the data of devices",
    "device.readHistory": "Read the history of devices",
    "device.readEvents": "Read the events of devices",
    "device.updateEvents": "Create and acknowledge events of devices",
    "device.sendMessage": "Send messages to devices",
    "device.runSimulation": "Run simulations of devices",
    "device.readByNetworkAlias": "Find devices by their network alias",
    "device.createRelationship": "Relate devices to each other",
    "device.deleteRelationship": "End relations of devices",
    "device.updateData": "Write the data of devices, as their blueprint allows",
    "timer.start": "Start and stop timers",
    "outbox.update": "Lift limits of messages to people",
    "script.readLogs": "Read the logs and metrics of scripts",
    "device.updateAnyData": "Write any data of devices, unchecked",
}


def names() -> frozenset[str]:
    """The names of all permissions that are not generated."""
    return frozenset(permission.name for permission in general())


def general() -> Iterator[Permission]:
    """All permissions that are not generated."""
    for name, module in MODULES.items():
        for verb in (*module.verbs, *module.more):
            full = f"{name}.{verb}"
            yield Permission(
                name=full,
                module=name,
                verb=verb,
                display_name=_PHRASES.get(full) or f"{verb.capitalize()} {module.noun}",
                category=module.category,
                generated=False,
            )


def modules() -> list[Module]:
    """All modules with their verbs."""
    return [
        Module(
            name=name,
            display_name=module.noun,
            category=module.category,
            verbs=[*module.verbs, *module.more],
        )
        for name, module in MODULES.items()
    ]


def of_blueprint(blueprint_id: str, name: str) -> Permission:
    """ "Create X": the permission that is generated for a blueprint."""
    return Permission(
        name=generated.create_device(blueprint_id),
        module="device",
        verb="create",
        display_name=f"Create {name}",
        category="custom",
        generated=True,
        blueprint_id=blueprint_id,
    )


def of_relationship(attribute_id: str, target_id: str, target: str, parent: str) -> Permission:
    """ "Create X in Y": the permission that is generated for a relationship between two blueprints."""
    return Permission(
        name=generated.create_related(attribute_id),
        module="relationship",
        verb="create",
        display_name=f"Create {target} in {parent}",
        category="custom",
        generated=True,
        blueprint_id=target_id,
        attribute_id=attribute_id,
    )
