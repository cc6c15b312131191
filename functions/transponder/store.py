"""Storing arrivals: read the devices, fold, append the history, then write the state of each device once.

History goes first, on every attempt: a state that history does not explain must never be seen. Whatever fails
half-way may be done again, since rows repeat harmlessly and the fold is idempotent.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Container, Iterable, Sequence

import msgspec

from functions.transponder import documents, plan, state
from functions.transponder.cache import States
from functions.transponder.decode import Arrival
from functions.transponder.plan import Share, Work
from functions.transponder.state import State
from shared import history, names
from shared.clients import firestore, rpc
from shared.clients import history as history_client
from shared.errors import Rejected, Transient

TRIES = 5
_PAUSE = 0.02
_OK = 0
# NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION: somebody was faster, or the device is gone. Reading tells.
_CONFLICTS = frozenset({5, 6, 9})


class Storing:
    """One cycle: some arrivals, stored together. What became of each one stands in the arrival itself."""

    def __init__(self, states: States) -> None:
        self._states = states
        # Shares whose rows, or whose part of the state, are stored; kept through tries and bisections.
        self._appended: set[tuple[int, str]] = set()
        self._written: set[tuple[int, str]] = set()

    async def store(self, arrivals: Sequence[Arrival]) -> None:
        """Store all that can be stored. Raises Transient, and then nothing may be acknowledged.

        What makes the whole fail for good is found by halving, and only that is refused.
        """
        try:
            await self._until_settled(arrivals)
        except Transient:
            raise
        except Exception as error:
            if len(arrivals) == 1:
                arrivals[0].refused = _as_rejected(error)
                return
            middle = len(arrivals) // 2
            await self.store(arrivals[:middle])
            await self.store(arrivals[middle:])

    async def _until_settled(self, arrivals: Sequence[Arrival]) -> None:
        left = list(arrivals)
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(_PAUSE * 2**attempt * random.uniform(0.5, 1.5))
            left = await self._attempt(left)
            if not left:
                return
        for arrival in left:
            arrival.lost = True

    async def _attempt(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Try once; returns the arrivals that somebody else was faster with."""
        wanted = {a.device for a in arrivals if plan.needs_state(a)}
        known = await self._known(wanted, {a.device for a in arrivals if plan.changes_state(a)})
        shares = plan.shares(arrivals, known)
        work, standing = plan.fold_all(shares, known, self._written)
        if await self._append(standing):
            # What history refused must not be in the state.
            standing = [share for share in standing if share.key in self._appended]
            work, _ = plan.fold_all(standing, known, self._written)
        return await self._write(work)

    async def _known(self, wanted: Iterable[str], changing: Container[str]) -> dict[str, State]:
        """The states of devices and of all that their data is forwarded to; the missing ones are absent.

        What is remembered serves the ``changing`` ones, and those that get copies of their data: writing
        them will tell if it is out of date. Nothing would tell it of the others, so they are read. So are
        those that forward their data: the copies would have gone up before the write tells of a link cut.
        """
        known: dict[str, State] = {}
        asked: set[str] = set()
        waiting = set(wanted)
        doubted = {name for name in waiting if name not in changing}
        while waiting:
            asked |= waiting
            found = {
                name: kept
                for name in waiting - doubted
                if (kept := self._states.get(name)) is not None and not kept.forward_to
            }
            unread = waiting - found.keys()
            if unread:
                for document in (await firestore.batch_get(unread, state.MASK)).values():
                    found[document.name] = documents.read(document)
                    self._states.put(found[document.name])
            known |= found
            waiting = set()
            for one in found.values():
                receivers = {names.device(_project(one.name), receiver) for receiver in one.forward_to}
                waiting |= receivers
                if one.name in doubted:
                    doubted |= receivers
            waiting -= asked
        return known

    async def _append(self, shares: Sequence[Share]) -> bool:
        """Append rows that are not yet; returns whether a share's data was refused."""
        owners = [share for share in shares if share.key not in self._appended for _ in share.rows]
        rows = [row for share in shares if share.key not in self._appended for row in share.rows]
        refused: set[tuple[int, str]] = set()
        if rows:
            errors = await history_client.append(history.encode_all(rows))
            for index, text in errors.items():
                owners[index].arrival.refused = Rejected("history.rowRefused", text)
                if rows[index]["kind"] == "data":
                    refused.add(owners[index].key)
        self._appended.update(share.key for share in shares if share.key not in refused)
        return bool(refused)

    async def _write(self, work: Sequence[Work]) -> list[Arrival]:
        """Write each device once, if it changed; returns the arrivals whose devices others wrote first."""
        writes, writing = [], []
        for one in work:
            write = documents.write(one.before, one.made)
            if write is None:
                self._mark_written(one)
            else:
                writes.append(write)
                writing.append(one)
        if not writes:
            return []
        try:
            results = await firestore.batch_write_timed(writes)
        except Exception:
            # They may be written all the same, or gone.
            for one in writing:
                self._states.drop(one.before.name)
            raise
        left: dict[int, Arrival] = {}
        invalid: list[tuple[Work, int]] = []
        for one, (code, update_time) in zip(writing, results, strict=True):
            if code == _OK:
                written = documents.nanoseconds(update_time)
                self._states.put(msgspec.structs.replace(one.made.state, update_time=written))
                self._mark_written(one)
                continue
            self._states.drop(one.before.name)
            if code in _CONFLICTS or code in rpc.RETRYABLE_NUMBERS:
                left |= {id(share.arrival): share.arrival for share in one.shares}
            else:
                invalid.append((one, code))
        for one, code in invalid:
            await self._divide(one, code)
        return [arrival for arrival in left.values() if arrival.refused is None]

    def _mark_written(self, one: Work) -> None:
        self._written.update(share.key for share in one.shares)

    async def _divide(self, one: Work, code: int) -> None:
        """Find the culprits among those whose device's write alone was refused for good."""
        arrivals = list({id(share.arrival): share.arrival for share in one.shares}.values())
        if len(arrivals) == 1:
            arrivals[0].refused = Rejected("store.invalid", f"writing {one.before.name}: status {code}")
            return
        middle = len(arrivals) // 2
        await self.store(arrivals[:middle])
        await self.store(arrivals[middle:])


def _project(device_name: str) -> str:
    """The project in the name of a device's document."""
    return device_name.rsplit("/", 3)[1]


def _as_rejected(error: Exception) -> Rejected:
    if isinstance(error, Rejected):
        return error
    return Rejected("event.unprocessable", f"{type(error).__name__}: {error}")
