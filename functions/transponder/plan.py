"""What arrivals mean for devices: rows of history, and items to fold into states. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from functions.transponder.decode import Arrival
from functions.transponder.forward import copy_for, receivers
from functions.transponder.state import Advance, Item, State, advance
from shared import history
from shared.messages import DeviceDataEvent, DeviceEventAck


class Share(NamedTuple):
    """An arrival's part in one device: its own, or one that gets a copy of its data.

    ``name`` is the device's document; ``item`` is None where the state is not concerned.
    """

    arrival: Arrival
    name: str
    rows: list[history.Row]
    item: Item | None
    is_copy: bool = False

    @property
    def key(self) -> tuple[int, str]:
        """What tells this share from every other one of the same cycle."""
        return id(self.arrival), self.name


class Work(NamedTuple):
    """What is made of one device by ``shares``; ``made`` names those that it refuses by their index."""

    before: State
    shares: list[Share]
    made: Advance


def needs_state(arrival: Arrival) -> bool:
    """Whether the device's document has to be known: for its state, or for where its data goes on to."""
    message = arrival.message
    return isinstance(message, DeviceDataEvent) and message.kind == "data"


def changes_state(arrival: Arrival) -> bool:
    """Whether the device's document will be written: even an event that changes no data was seen."""
    message = arrival.message
    return isinstance(message, DeviceDataEvent) and message.kind == "data" and not message.historical


def shares(arrivals: Iterable[Arrival], known: Mapping[str, State]) -> list[Share]:
    """The shares of arrivals. An arrival whose device is gone is marked so and has none."""
    found: list[Share] = []
    for arrival in arrivals:
        message, name = arrival.message, arrival.device
        if isinstance(message, DeviceEventAck) or message.kind == "input":
            found.append(Share(arrival, name, arrival.rows, None))
            continue
        state = known.get(name)
        if state is None:
            arrival.gone = True
            continue
        arrival.before = arrival.before or state
        arrival.messages_wait = state.messages_wait
        found.append(Share(arrival, name, arrival.rows, _item(message, arrival)))
        if state.forward_to and message.data:
            for receiver in receivers(name, message.project_id, known):
                copy = copy_for(message, receiver)
                rows = history.data_rows(copy, arrival.settled, arrival.stored, arrival.message_id)
                found.append(Share(arrival, receiver.name, rows, _item(copy, arrival), True))
    return found


def _item(event: DeviceDataEvent, arrival: Arrival) -> Item | None:
    if event.historical:
        return None
    return Item((event.time, event.id), arrival.settled, event.received_time)


def fold_all(
    wanted: Sequence[Share], known: Mapping[str, State], written: Container[tuple[int, str]]
) -> tuple[list[Work], list[Share]]:
    """Fold shares into the states of their devices, each device once; also returns the shares that may stand.

    A share that goes beyond a limit of its device is left out and its arrival refused. If that is the
    arrival's own device, its copies are left out as well: what a device does not take, it does not pass on.
    Shares whose keys are in ``written`` are in the state already.
    """
    left_out: set[tuple[int, str]] = set()
    while True:
        standing = [share for share in wanted if share.key not in left_out]
        work = _fold_once(standing, known, written)
        at_home: set[int] = set()
        for one in work:
            for index, error in one.made.refused.items():
                share = one.shares[index]
                share.arrival.refused = error
                left_out.add(share.key)
                if not share.is_copy:
                    at_home.add(id(share.arrival))
        if not at_home:
            return work, [share for share in standing if share.key not in left_out]
        left_out |= {share.key for share in wanted if id(share.arrival) in at_home}


def _fold_once(
    wanted: Sequence[Share], known: Mapping[str, State], written: Container[tuple[int, str]]
) -> list[Work]:
    by_device: dict[str, list[tuple[Share, Item]]] = {}
    for share in wanted:
        if share.item is not None and share.key not in written:
            by_device.setdefault(share.name, []).append((share, share.item))
    return [
        Work(known[name], [share for share, _ in pairs], advance(known[name], [item for _, item in pairs]))
        for name, pairs in by_device.items()
    ]
