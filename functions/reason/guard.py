"""The circuit breakers of scripts: who may be called, and what calls do to that.

Failures are counted in each instance; what opens or closes stands in the script's state, for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from fulcrum.script import wire
from functions.reason import breaker, scripts
from functions.reason.breaker import Breaker, Streak
from functions.reason.scripts import Reference, Script, Scripts
from shared import clock
from shared.errors import Transient
from shared.log import log


class Guard:
    """The breakers that one instance watches."""

    def __init__(self, known: Scripts) -> None:
        self._scripts = known
        self._streaks: dict[tuple[str, str], Streak] = {}

    async def admits(self, reference: Reference, script: Script) -> bool:
        """Whether a script may be called now; if it is only to be tried, then for one caller alone."""
        verdict = breaker.verdict(script.breaker, script.version, clock.now_ms())
        if verdict != "probe":
            return verdict == "call"
        taken = await self._write(script, breaker.probing(script.breaker, clock.now_ms()))
        self._scripts.forget(reference)
        return taken

    async def ran(self, reference: Reference, script: Script, outcomes: Sequence[wire.Outcome]) -> None:
        """Take notice of what came of a call's events, in their order."""
        place = (script.project_id, script.id)
        streak, succeeded = self._streaks.get(place, Streak()), False
        opens = False
        for outcome in outcomes:
            if outcome.failure is not None:
                streak = streak.failed(script.version, _reason(outcome.failure))
                opens = opens or streak.failures >= breaker.FAILURES
            elif outcome.status == "done":
                streak, succeeded, opens = Streak(script.version), True, False
        self._streaks[place] = streak
        await self._settle(reference, script, streak, opens, succeeded)

    async def failed(self, reference: Reference, script: Script, reason: str) -> None:
        """Take notice of a call that came to nothing."""
        place = (script.project_id, script.id)
        streak = self._streaks[place] = self._streaks.get(place, Streak()).failed(script.version, reason)
        await self._settle(reference, script, streak, streak.failures >= breaker.FAILURES, False)

    async def _settle(
        self, reference: Reference, script: Script, streak: Streak, opens: bool, succeeded: bool
    ) -> None:
        before = script.breaker
        tried = before.state != "closed" and before.version == script.version
        if not opens and not tried:
            return
        failed = streak.failures > 0 and not succeeded
        if opens or failed:
            failures = streak.failures + (before.failures if tried else 0)
            wanted = breaker.opened(before, script.version, failures, streak.reason, clock.now_ms())
        else:
            wanted = Breaker(version=script.version)
        self._scripts.forget(reference)
        fresh = await self._scripts.find(reference)
        if fresh.version == script.version and await self._write(fresh, wanted):
            # What has opened it counts no more once somebody, here or elsewhere, closes it.
            self._streaks[script.project_id, script.id] = Streak(script.version)
            log(
                "ERROR" if wanted.state == "open" else "INFO",
                f"circuit breaker {wanted.state}",
                projectId=script.project_id,
                scriptId=script.id,
                version=script.version,
                failures=wanted.failures,
                reason=wanted.reason,
                until=wanted.until,
            )
        self._scripts.forget(reference)

    async def _write(self, script: Script, wanted: Breaker) -> bool:
        try:
            return await scripts.set_breaker(script, wanted)
        except Transient as error:
            # It is one call more or less that is at stake; the events are no worse off.
            log("WARNING", "circuit breaker not written", scriptId=script.id, error=str(error)[:300])
            return False


def _reason(failure: wire.Failure) -> str:
    what = f"{failure.type}: {failure.message}" if failure.type else failure.message
    return f"{failure.kind}: {what}"
