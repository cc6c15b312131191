"""When a script is not called any more for a while: after many failures in a row. Pure.

Closed: it is called. Open: its events wait in quarantine until ``until``; then half open: one batch may try.
If anything of that succeeds it is closed, if not it opens for twice as long. A new version closes it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

# Failed events of one version with no success between them.
FAILURES = 20
FIRST_WAIT_MS = 30_000
MAX_WAIT_MS = 600_000
# After this, whoever was trying is taken for dead.
PROBE_MS = 120_000
_MAX_REASON = 500

State = Literal["closed", "open", "halfOpen"]
Verdict = Literal["call", "probe", "wait"]


class Breaker(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """As the field ``breaker`` of a script's state has it, as JSON text. Times in epoch ms, ``wait`` in ms.

    ``version``: of the script, which the failures are those of.
    """

    state: State = "closed"
    version: int = 0
    reason: str = ""
    failures: int = 0
    opened_at: int = 0
    until: int = 0
    wait: int = 0


CLOSED = Breaker()


def decode(text: str | None) -> Breaker:
    """From its JSON text; closed where there is none, or none that can be read."""
    try:
        return msgspec.json.decode(text, type=Breaker) if text else CLOSED
    except msgspec.DecodeError:
        return CLOSED


def encode(breaker: Breaker) -> str:
    """As JSON text; the state stands there even where it is closed."""
    return msgspec.json.encode({"state": "closed", **msgspec.to_builtins(breaker)}).decode()


def verdict(breaker: Breaker, version: int, now: int) -> Verdict:
    """Whether a script is to be called now."""
    if breaker.state == "closed" or breaker.version != version:
        return "call"
    # A time that no clock sets is one of a clock that was turned back since.
    return "wait" if now < breaker.until <= now + MAX_WAIT_MS else "probe"


def opened(before: Breaker, version: int, failures: int, reason: str, now: int) -> Breaker:
    """Open, for twice as long as before if this version's was open already."""
    again = before.state != "closed" and before.version == version
    wait = min(2 * before.wait, MAX_WAIT_MS) if again else FIRST_WAIT_MS
    return Breaker(
        state="open",
        version=version,
        reason=reason[:_MAX_REASON],
        failures=failures,
        opened_at=now,
        until=now + wait,
        wait=wait,
    )


def probing(before: Breaker, now: int) -> Breaker:
    """Half open: somebody tries."""
    return msgspec.structs.replace(before, state="halfOpen", until=now + PROBE_MS)


class Streak(msgspec.Struct, frozen=True):
    """Failures in a row that one instance has seen of one version, and the last one's reason."""

    version: int = 0
    failures: int = 0
    reason: str = ""

    def failed(self, version: int, reason: str) -> Streak:
        """One more."""
        before = self.failures if self.version == version else 0
        return Streak(version, before + 1, reason)
