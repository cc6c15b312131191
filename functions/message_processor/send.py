"""Publishing routed messages: deliveries that come at the same time share their calls (``shared.gather``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from functions.message_processor.batch import Routed
from shared.errors import Rejected
from shared.gather import Gathering, Limits

if TYPE_CHECKING:
    from shared.forward import Parcel

# By messages and bytes. What is worth a call of its own gains hardly anything by waiting for more; of what is
# smaller, all that comes within 10 ms shares one while there is traffic: its senders have their answers.
LIMITS = Limits(weight=1_000, size=8_000_000, worth=100, pause=0.01, early=False)


class _Part(msgspec.Struct):
    """What one delivery sends, and which of it a topic refuses, by its index.

    ``published``: the ids of the messages that have something of it.
    """

    routed: Routed
    refused: dict[int, Rejected] = {}
    published: list[str] = []


class Sending:
    """The publishing side of one instance, on one event loop."""

    def __init__(self) -> None:
        # A parcel has one number of hops, and nearly all deliveries have the same.
        self._by_hops: dict[int, Gathering[_Part]] = {}

    async def send(self, routed: Routed, hops: int) -> tuple[dict[int, Rejected], list[str]]:
        """Publish a delivery's messages; returns those that a topic refuses for good, by their index, and
        the ids of the messages that went out.

        ``hops``: of what goes out. Transient where publishing failed, of whichever delivery it was: some
        may have been published all the same.
        """
        if not routed.data:
            return {}, []
        gathering = self._by_hops.get(hops)
        if gathering is None:
            gathering = self._by_hops[hops] = Gathering(partial(_carry, hops), LIMITS)
        part = _Part(routed)
        await gathering.add(part, len(routed.data), sum(map(len, routed.data)))
        return part.refused, part.published


async def _carry(hops: int, parts: list[_Part]) -> None:
    # When there is something to send, so that a new instance answers sooner.
    from shared import forward

    everything = Routed()
    for part in parts:
        everything.data += part.routed.data
        everything.projects += part.routed.projects
        everything.steps += part.routed.steps
    parcels = forward.pack(everything.data, everything.projects, everything.steps, hops)
    refused = await forward.publish(parcels)
    _note_published(parts, parcels)
    if not refused:
        return
    first = 0
    for part in parts:
        count = len(part.routed.data)
        part.refused = {
            index - first: error for index, error in refused.items() if 0 <= index - first < count
        }
        first += count


def _note_published(parts: list[_Part], parcels: Mapping[str, Sequence[Parcel]]) -> None:
    """Tell each delivery which messages have something of it: several share one that they are packed into."""
    from shared import forward

    if len(parts) == 1:
        parts[0].published = forward.message_ids(parcels)
        return
    owners = [part for part in parts for _ in part.routed.data]
    for parcel in (parcel for whole in parcels.values() for parcel in whole if parcel.id):
        for part in {id(owners[item]): owners[item] for item in parcel.items}.values():
            part.published.append(parcel.id)
