"""The runs of some deliveries together: read, call, check, and commit before anything takes effect."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from fulcrum.core import ids
from fulcrum.script import identity, wire
from functions.reason import calling, commits, effects, outcomes, reading
from functions.reason.caches import Caches
from functions.reason.decode import Done, Run
from functions.reason.definitions import Definitions
from functions.reason.guard import Guard
from functions.reason.reading import Reading
from functions.reason.scripts import Reference, Script, Scripts
from shared import clock, names
from shared.clients import firestore, script_calls
from shared.config import settings
from shared.errors import Rejected, Transient
from shared.messages import MAX_BATCH_EVENTS
from shared.run_records import Ids

# A function's own end of a call is before this, in seconds: it answers with what it has reached.
CALL_SECONDS = 75.0
MAX_CALL_BYTES = 16_000_000
# So many events go in a call after one that took too long.
FEW = 8
# After so long, what is left comes again by itself, and what is done is to count.
MAX_SECONDS = 180.0
TRIES = 8
COMMIT_TRIES = 3
_IDS = ("systemId", "blueprintId", "networkId", "deleted")


class Known(NamedTuple):
    """What the flights of an instance share."""

    scripts: Scripts
    definitions: Definitions
    caches: Caches
    guard: Guard


class _Again(Exception):
    """What was read no longer holds: read again."""


class _Changing(_Again):
    """The script's function is not what its state says."""


class Flight:
    """One batch of runs of an entry point."""

    def __init__(self, known: Known, reference: Reference, entry: str) -> None:
        self._known = known
        self._reference = reference
        self._entry = entry
        self._most = MAX_BATCH_EVENTS
        # The script as its function describes itself, where its state is not that far yet.
        self._served: Script | None = None
        self._unanswered = 0
        # Whether this flight is the one that may try a script whose breaker is open.
        self._is_admitted = False

    async def carry(self, runs: list[Run]) -> None:
        """Settle all runs. Of an event that is there twice one is run, and the others are as it is."""
        script = await self._known.scripts.find(self._reference)
        by_key: dict[str, list[Run]] = {}
        for run in sorted(runs, key=calling.order):
            _name(run, script)
            by_key.setdefault(run.key, []).append(run)
        every = [same[0] for same in by_key.values()]
        left = every
        until, tries = time.monotonic() + MAX_SECONDS, 0
        while left and time.monotonic() < until:
            try:
                await self._attempt(left[: self._most], every)
                tries = 0
            except _Again as reason:
                tries += 1
                if tries >= TRIES:
                    if isinstance(reason, _Changing):
                        await self._known.guard.failed(self._reference, await self._script(), str(reason))
                    raise Transient(f"script {script.id}: {reason}") from None
                await asyncio.sleep(0.01 * 2**tries * random.uniform(0.5, 1.5))
            left = [run for run in left if run.done is None and run.refused is None]
        for run in left:
            run.again = True
        for first, *others in by_key.values():
            for run in others:
                run.done, run.refused, run.again = first.done, first.refused, first.again

    async def _attempt(self, runs: list[Run], every: Sequence[Run]) -> None:
        """Settle some of the runs, the first at least, or make the next attempt smaller. _Again."""
        script = await self._script()
        read = await reading.read(script, self._entry, runs, self._known.definitions, self._known.caches)
        for run in runs:
            run.done = read.recorded.get(run.key)
        runs = [run for run in runs if run.done is None]
        if not runs:
            return
        refusal = await self._refusal(script)
        if refusal is not None:
            for run in runs:
                run.refused = refusal
            return
        called = await self._call(script, runs, read, [run for run in every if run.done is not None])
        if called is None:
            return
        answer, started = called
        if answer.script_version != script.version:
            script = await self._version(script, answer.script_version)
        done = await self._checked(script, runs, answer, started)
        try:
            await self._commit(script, done, read)
        except Rejected as error:
            # One of them spoils it for all.
            if len(done) > 1:
                self._most = len(done) // 2
            else:
                done[0][0].refused = error
            return
        for run, each in done:
            run.done = each
        self._is_admitted = False
        await self._known.guard.ran(self._reference, script, [each.outcome for _, each in done])

    async def _script(self) -> Script:
        script = await self._known.scripts.find(self._reference)
        if self._served is not None and self._served.url == script.url:
            return msgspec.structs.replace(script, version=self._served.version, entries=self._served.entries)
        return script

    async def _refusal(self, script: Script) -> Rejected | None:
        """Why a script cannot be called now, if it cannot."""
        if not script.url:
            return Rejected(
                "script.notDeployed", f"script {script.id} is not deployed: deploy it, then re-drive"
            )
        if self._entry not in script.entries:
            known = ", ".join(script.entries) or "none"
            return Rejected(
                "script.entry",
                f"script {script.id} version {script.version} has no entry point {self._entry!r}: "
                f"it has {known}",
            )
        self._is_admitted = self._is_admitted or await self._known.guard.admits(self._reference, script)
        if not self._is_admitted:
            reason = script.breaker.reason or "too many failures in a row"
            return Rejected(
                "script.breakerOpen",
                f"script {script.id} version {script.version} is not called for a while: {reason}",
            )
        return None

    async def _call(
        self, script: Script, runs: list[Run], read: Reading, before: Sequence[Run]
    ) -> tuple[wire.Answer, int] | None:
        """The function's answer and when the call began; None where it is to be called with fewer."""
        body = calling.request(script, self._entry, runs, read, before)
        if len(body) > MAX_CALL_BYTES and len(runs) > 1:
            self._most = len(runs) // 2
            return None
        started = clock.now_ms()
        try:
            return calling.answer(await script_calls.call(script.url, body, CALL_SECONDS), runs), started
        except script_calls.Gone as error:
            # Deployed anew, or no longer: its state will say.
            self._known.scripts.forget(self._reference)
            if (await self._known.scripts.find(self._reference)).url != script.url:
                raise _Changing("it is being deployed") from error
            await self._known.guard.failed(self._reference, script, str(error))
            raise
        except (script_calls.TooLarge, script_calls.Refused) as error:
            if len(runs) > 1:
                self._most = len(runs) // 2
                return None
            runs[0].refused = Rejected(error.error_type, error.message[:800])
            return None
        except Transient as error:
            if isinstance(error, script_calls.TooSlow) and len(runs) > FEW:
                self._most = FEW
                return None
            await self._known.guard.failed(self._reference, script, str(error))
            raise

    async def _version(self, script: Script, version: int) -> Script:
        """The script in the version that has answered; _Changing if it needs other things than were given."""
        self._known.scripts.forget(self._reference)
        found = await self._known.scripts.find(self._reference)
        if found.version != version and found.url:
            # Between the serving of a version and the word of it in the state.
            described = calling.description(
                await script_calls.call(found.url, calling.DESCRIBE, CALL_SECONDS)
            )
            entries = {entry.name: entry for entry in described.entries}
            found = msgspec.structs.replace(found, version=described.script_version, entries=entries)
            self._served = found
        if found.version != version or found.entries.get(self._entry) != script.entries.get(self._entry):
            raise _Changing(f"version {version} answers, other than its state says")
        return found

    async def _checked(
        self, script: Script, runs: Sequence[Run], answer: wire.Answer, started: int
    ) -> list[tuple[Run, Done]]:
        """What became of runs, with what is not allowed counted as failed.

        Of an event that fails here, the later ones in the call have seen what it left: those come again.
        """
        # Where time was up, there are fewer outcomes than events.
        reached = list(zip(runs, answer.outcomes, strict=False))
        devices = await self._devices(script, reached)
        known = effects.Known(_topics(), devices)
        done: list[tuple[Run, Done]] = []
        call_id = ids.new_id()
        for seq, (run, outcome) in enumerate(reached):
            left = _is_left(outcome)
            failure = _failure(run, outcome, left, known)
            if failure is not None:
                outcome = _failed(outcome, failure)
            done.append(
                (
                    run,
                    Done(
                        outcome=outcome,
                        version=script.version,
                        started=started,
                        call_id=call_id,
                        seq=seq,
                        devices=_concerned(outcome, devices),
                        problem=self._problem(script, outcome.failure) if outcome.failure else None,
                    ),
                )
            )
            if failure is not None and left:
                break
        return done

    def _problem(self, script: Script, failure: wire.Failure) -> Rejected:
        return outcomes.failure_of(script.id, script.version, self._entry, failure)

    async def _devices(self, script: Script, reached: Sequence[tuple[Run, wire.Outcome]]) -> dict[str, Ids]:
        """The devices that effects concern and of which the runs' messages do not say all."""
        wanted = {
            names.device(script.project_id, device_id): device_id
            for run, outcome in reached
            if outcome.effects
            for device_id in effects.devices_of(outcome)
            if (device_id != run.message.device_id or effects.own_ids(run) is None)
            and effects.is_id(device_id)
        }
        found = await firestore.batch_get(wanted, _IDS) if wanted else {}
        devices: dict[str, Ids] = {}
        for name, document in found.items():
            fields = document.fields
            if not ("deleted" in fields and fields["deleted"].boolean_value):
                texts = (fields[key].string_value or None if key in fields else None for key in _IDS[:3])
                devices[wanted[name]] = Ids(*texts)
        return devices

    async def _commit(self, script: Script, done: Sequence[tuple[Run, Done]], read: Reading) -> None:
        """Records and caches, before anything takes effect; _Again where somebody was faster."""
        times: dict[str, Any] = dict(read.times)
        for part in commits.parts(script, done):
            try:
                written = await firestore.commit(commits.writes(part, times))
            except firestore.PreconditionFailed:
                raise _Again("others keep changing its caches, or run the same events") from None
            except Transient as error:
                # Written or not: a fresh read will tell.
                self._unanswered += 1
                if self._unanswered >= COMMIT_TRIES:
                    raise
                raise _Again("the store did not answer") from error
            changed = written[len(part.records) :]
            times |= zip(part.caches, changed, strict=True)
            self._known.caches.wrote(part.caches, changed)


def _name(run: Run, script: Script) -> None:
    """Say which run it is, once the script is known."""
    message = run.message
    where = (script.project_id, message.device_id or "", message.id, run.content_hash, script.id)
    run.script_id = script.id
    run.key = identity.run_key(*where, run.step)
    run.seed = identity.seed(*where)


def _concerned(outcome: wire.Outcome, devices: dict[str, Ids]) -> dict[str, Ids]:
    """Those of some devices that an outcome's effects concern."""
    if not (outcome.effects and devices):
        return {}
    return {id: devices[id] for id in effects.devices_of(outcome) if id in devices}


def _failure(run: Run, outcome: wire.Outcome, left: bool, known: effects.Known) -> wire.Failure | None:
    """What is wrong with an outcome that the script's function has accepted; ``left``: it left anything."""
    if (outcome.status == "failed") != (outcome.failure is not None) or (left and outcome.status != "done"):
        return wire.Failure(kind="output", message="the script's function contradicts itself")
    if not left:
        return None
    if len(outcome.effects) > wire.MAX_EFFECTS:
        return wire.Failure(
            kind="effects", message=f"{len(outcome.effects)} effects; at most {wire.MAX_EFFECTS}"
        )
    if wrong := effects.problem(run, outcome, known):
        return wire.Failure(kind="effects", message=wrong)
    if run.goes_on and outcome.result:
        try:
            outcomes.replaced(run, outcome.result)
        except Rejected as error:
            return wire.Failure(kind="result", message=error.message)
    if len(msgspec.json.encode(outcome)) > wire.MAX_OUTCOME_BYTES:
        return wire.Failure(
            kind="output", message=f"what it leaves has more than {wire.MAX_OUTCOME_BYTES} bytes"
        )
    return None


def _is_left(outcome: wire.Outcome) -> bool:
    """Whether an outcome leaves anything that later events of its call have seen, or that is to be done."""
    kept = outcome.effects or outcome.cache is not None or outcome.script_cache is not None
    return bool(kept) or outcome.result is not None


def _failed(outcome: wire.Outcome, failure: wire.Failure) -> wire.Outcome:
    """Of a failed run nothing counts but its log."""
    return wire.Outcome(
        key=outcome.key,
        status="failed",
        logs=outcome.logs,
        failure=failure,
        cpu_us=outcome.cpu_us,
        wall_us=outcome.wall_us,
    )


def _topics() -> frozenset[str]:
    """The users' own topics."""
    given = settings().text("CUSTOM_TOPICS", "")
    return frozenset(name.strip() for name in given.split(",") if name.strip())
