"""The names of permissions that are generated for one blueprint or relationship. Pure.

A generated permission is a general one narrowed by an id: ``device.create:<blueprintId>`` creates devices of
one blueprint ("create X"), ``relationship.create:<attributeId>`` creates and links devices by one of its
relationships ("create X in Y"). Both hold where their role is held, as all permissions do. Whoever holds the
general one holds all that are generated from it.
"""

from __future__ import annotations

CREATE_DEVICE = "device.create"
CREATE_RELATED = "relationship.create"
BASES = frozenset({CREATE_DEVICE, CREATE_RELATED})
# The general permission, where it is not the same name without the id.
_GENERAL = {CREATE_RELATED: "device.createRelationship"}


def create_device(blueprint_id: str) -> str:
    """The permission to create devices of a blueprint."""
    return f"{CREATE_DEVICE}:{blueprint_id}"


def create_related(attribute_id: str) -> str:
    """The permission to create and link devices by a relationship."""
    return f"{CREATE_RELATED}:{attribute_id}"


def general_of(permission: str) -> str:
    """The general permission that includes a generated one; a general one itself."""
    base, _, of_id = permission.partition(":")
    return _GENERAL.get(base, base) if of_id else permission
