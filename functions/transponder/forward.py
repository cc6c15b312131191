"""forwardData: whose data also counts as that of the devices above it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from fulcrum.core import ids
from functions.transponder.state import State
from shared import names
from shared.messages import DeviceDataEvent


def receivers(source: str, project: str, states: Mapping[str, State]) -> Iterator[State]:
    """The devices that get a copy of a device's data, each once, loops cut; those that are gone left out.

    ``source`` is the document's name; ``states`` has all of them that exist.
    """
    visited = {source}
    waiting = [source]
    while waiting:
        state = states.get(waiting.pop())
        if state is None:
            continue
        if state.name != source:
            yield state
        for device_id in state.forward_to:
            name = names.device(project, device_id)
            if name not in visited:
                visited.add(name)
                waiting.append(name)


def copy_for(event: DeviceDataEvent, receiver: State) -> DeviceDataEvent:
    """An event as one of a device above: with that one's ids, and an id of its own made of the source's.

    The data alone goes up; event records stay with the device that they happened to.
    """
    return msgspec.structs.replace(
        event,
        id=ids.digest(event.device_id, event.id),
        device_id=receiver.name.rpartition("/")[2],
        system_id=receiver.system_id,
        blueprint_id=receiver.blueprint_id,
        network_id=receiver.network_id,
        event=[],
    )
