"""The outside names of devices: which triples a device has, and how a change moves them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from shared import names
from shared.errors import ApiError
from shared.store.change import Change, taken

MAX_ALIASES = 50


class Triple(NamedTuple):
    """An outside name: no two devices of the whole server share one."""

    network_id: str
    alias_key: str
    value: str

    @property
    def text(self) -> str:
        """The triple for people."""
        return "/".join(self)

    @property
    def document(self) -> str:
        """The document that reserves it."""
        return names.alias(*self)


def triples(fields: Mapping[str, Any]) -> set[Triple]:
    """All outside names in a device's fields."""
    return {
        Triple(network_id, alias_key, value)
        for network_id, keys in (fields.get("networkAliases") or {}).items()
        for alias_key, value in keys.items()
    }


def left(before: Mapping[str, Any], after: dict[str, Any]) -> None:
    """Drop from ``after`` the aliases of a network that the device leaves, unless they are new ones."""
    network_id = before.get("networkId")
    if not network_id or after.get("networkId") == network_id:
        return
    present = after.get("networkAliases") or {}
    if network_id in present and present[network_id] == (before.get("networkAliases") or {}).get(network_id):
        after["networkAliases"] = {key: value for key, value in present.items() if key != network_id}


def check(given: Iterable[Triple]) -> None:
    """ApiError 400 for names that no event could carry, or more than a device may have."""
    listed = list(given)
    if len(listed) > MAX_ALIASES:
        raise ApiError(
            400,
            "device.tooManyAliases",
            f"the device would have {len(listed)} aliases",
            f"a device has at most {MAX_ALIASES}",
        )
    for triple in listed:
        for part in triple[1:]:
            if not part.isprintable():
                raise ApiError(
                    400,
                    "device.badAlias",
                    f"the alias {triple.text!r} holds characters that cannot be printed",
                    "use 1 to 128 printable characters",
                )


def check_free(added: Iterable[Triple], present: Mapping[str, Any]) -> None:
    """ApiError 409 ``device.aliasTaken`` for a triple whose document is there already."""
    for triple in sorted(added):
        if triple.document in present:
            raise taken("device", "alias", triple.text)


def move(change: Change, device_id: str, before: set[Triple], after: set[Triple]) -> None:
    """Free the triples that a device loses and take those that it gets, with the change's commit."""
    for triple in sorted(before - after):
        change.remove(triple.document)
    for triple in sorted(after - before):
        fields = {
            "projectId": change.scope.project_id,
            "deviceId": device_id,
            "networkId": triple.network_id,
            "aliasKey": triple.alias_key,
            "value": triple.value,
        }
        change.take_document(triple.document, fields, "device", "alias", triple.text)
    if before != after:
        change.affect_events()
