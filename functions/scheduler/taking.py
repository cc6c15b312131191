"""Taking what a delivery asks for: timers are set, changed and cancelled, and armed if they fire soon."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from functions.scheduler import arming, store, timers
from functions.scheduler.commands import Command, Patch, Set
from functions.scheduler.timers import Timer
from shared.clients.firestore import MAX_WRITES
from shared.messages import CancelRelatedTimer, CancelTimer

Decide = Callable[[Timer | None], Timer | None]


async def take(commands: Sequence[Command]) -> None:
    """Carry out commands; what has been carried out before changes nothing. Transient where a store fails."""
    by_name: dict[str, list[Command]] = {}
    for command in commands:
        if not isinstance(command, CancelRelatedTimer):
            by_name.setdefault(_name(command), []).append(command)
    for some in store.chunks(list(by_name), MAX_WRITES):
        after = await store.change({name: _decide(by_name[name]) for name in some})
        # Also those that stay as they are: the process that set them may have ended before it armed them.
        await arming.arm(timer for timer in after.values() if timer is not None)
    for command in commands:
        if isinstance(command, CancelRelatedTimer):
            await _cancel_related(command)


def _name(command: Set | Patch | CancelTimer) -> str:
    message = command if isinstance(command, CancelTimer) else command.message
    return store.name(message.project_id, message.id)


def _decide(commands: Sequence[Command]) -> Decide:
    def decide(before: Timer | None) -> Timer | None:
        timer = before
        for command in commands:
            timer = _after(timer, command) or timer
        return None if timer is before else timer

    return decide


def _after(timer: Timer | None, command: Command) -> Timer | None:
    match command:
        case Set(message, when, start):
            return timers.set_(timer, message, when, start)
        case Patch(message):
            return timers.patch(timer, message)
        case CancelTimer():
            return timers.cancel(timer, command.project_id, command.id, command.stamp)
        case _:
            return None


async def _cancel_related(cancelled: CancelRelatedTimer) -> None:
    # First remembered: what is set earlier and comes later is found by it when it fires.
    await store.remember(cancelled)

    def decide(timer: Timer | None) -> Timer | None:
        if timer is None or not timers.concerns(cancelled, timer):
            return None
        return timers.cancel(timer, timer.project_id, timer.timer_id, cancelled.stamp)

    after: str | None = None
    while page := await store.related(cancelled, after):
        await store.change(dict.fromkeys(page, decide))
        after = page[-1]
