"""Whether an event gets dearer as devices get more: the same samples on fleets of three sizes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from bench.events import Sample, Sender
from bench.figures import Figure, Target, interleaved
from bench.load import Poster
from bench.rig import rig

FULL = (100, 10_000, 100_000)
QUICK = (100, 2_000)
GROWTH = Target(1.2)
_PASS = 2_000


def name_of(size: int) -> str:
    """The figure of a fleet's size: ``event_at_100k_devices``."""
    return f"event_at_{size // 1000}k_devices" if size >= 1000 else f"event_at_{size}_devices"


def measure(poster: Poster, quick: bool) -> list[Figure]:
    """``cost_growth_100_to_100k`` and the cost at each size.

    Each fleet has functions and emulators of its own, all alive at once, so that the samples can be
    interleaved and no small fleet pays for a large one's caches. Each array is stored before the next one is
    sent: a burst of few devices would be folded into fewer writes, which many devices cannot have.
    """
    sizes = QUICK if quick else FULL
    count = 500 if quick else 2_000
    with ExitStack() as stack:
        senders: list[Sender] = []
        measures: dict[int, Callable[[], Sample]] = {}
        for size in sizes:
            sender = Sender(poster, stack.enter_context(rig(size)))
            senders.append(sender)
            # Once over all devices, so that every cache holds what it holds in steady state.
            for _ in range(max(1, size // _PASS)):
                sender.in_arrays(_PASS)
            # Then devices from all over the fleet, 100 different ones in each array.
            stride = max(1, size // count) | 1
            measures[size] = partial(sender.one_by_one, count, stride)
        medians = interleaved(3 if quick else 9, measures)
        for sender in senders:
            sender.check()
    costs = {size: medians[size][0] for size in sizes}
    smallest, largest, unit = costs[sizes[0]], costs[sizes[-1]], "us CPU an event"
    return [
        Figure("cost_growth_100_to_100k", largest, smallest, unit, GROWTH),
        *(Figure(name_of(size), cost, smallest, unit) for size, cost in costs.items()),
    ]
