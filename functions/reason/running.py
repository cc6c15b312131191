"""Running scripts on batches. Deliveries for one entry point that come while others are being run gather, and
share the next call.
"""

from __future__ import annotations

from collections import OrderedDict

from functions.reason.caches import Caches
from functions.reason.decode import Run
from functions.reason.definitions import Definitions
from functions.reason.flight import Flight, Known
from functions.reason.guard import Guard
from functions.reason.scripts import Reference, Scripts
from shared.gather import Gathering, Limits
from shared.messages import MAX_BATCH_EVENTS

# By events and bytes. As at the transponder, nobody waits for the answer: those that come within 10 ms of a
# landing share a call, unless they are worth one of their own.
LIMITS = Limits(weight=MAX_BATCH_EVENTS, size=4_000_000, worth=100, pause=0.01, early=False)
_MAX_GATHERINGS = 2_000
_CACHES = frozenset({"caches"})
_NOTHING: frozenset[str] = frozenset()


class Running:
    """Runs scripts for the deliveries of one instance, on one event loop."""

    def __init__(self) -> None:
        scripts = Scripts()
        self._known = Known(scripts, Definitions(), Caches(), Guard(scripts))
        self._gatherings: OrderedDict[tuple[Reference, str], Gathering[list[Run]]] = OrderedDict()

    async def run(self, reference: Reference, entry: str, runs: list[Run]) -> None:
        """Return when each run is done, refused or to come again; raises what running them raised.

        Rejected (``script.unknown``) if there is no such script.
        """
        script = await self._known.scripts.find(reference)
        # Runs that keep caches would only stand in each other's way.
        claims = _CACHES if script.needs(entry) & {"cache", "scriptCache"} else _NOTHING
        size = sum(len(bytes(run.raw)) for run in runs)
        await self._gathering(reference, entry).add(runs, len(runs), size, claims)

    def _gathering(self, reference: Reference, entry: str) -> Gathering[list[Run]]:
        found = self._gatherings.get((reference, entry))
        if found is None:

            async def carry(loads: list[list[Run]]) -> None:
                await Flight(self._known, reference, entry).carry([run for load in loads for run in load])

            found = self._gatherings[reference, entry] = Gathering(carry, LIMITS)
            if len(self._gatherings) > _MAX_GATHERINGS:
                self._gatherings.popitem(last=False)
        return found
