"""Following an event through the log: by the ids of messages, a call for each hop that is not known yet."""

from __future__ import annotations

from typing import Literal

from functions.api.tracing import chain
from functions.api.tracing.facts import Facts, Line
from shared.clients import logging_rest
from shared.errors import Rejected, Transient
from shared.log import log

# Of what is asked there are 60 calls a minute for all; a way of more hops is told as far as it was followed.
MAX_CALLS = 4
# So many messages in one call, and lines in one answer.
_MAX_IDS = 150
_MAX_LINES = 1_000
_MAX_LENGTH = 64

Logs = Literal["found", "none", "unavailable"]


async def follow(facts: Facts, since_ms: int, until_ms: int, named: bool) -> tuple[Logs, list[str]]:
    """Add the lines about an event to the facts; returns whether there are any, and what is to be said of it.

    ``named``: lines that name the event itself count too, which are of whichever device sent it. A log that
    does not answer is no error: what was stored is told without it.
    """
    asked: set[str] = set()
    seen: set[tuple[int, str, str]] = set()
    notes: list[str] = []
    for call in range(MAX_CALLS):
        wanted = [one for one in sorted(chain.messages(facts) - asked) if _is_id(one)][:_MAX_IDS]
        by_name = named and not call
        if not wanted and not by_name:
            break
        asked.update(wanted)
        try:
            condition = _condition(facts, wanted, by_name)
            if not condition:
                break
            found = await logging_rest.entries(condition, since_ms, until_ms, _MAX_LINES)
        except (Rejected, Transient) as error:
            log("WARNING", "the log could not be read", error=str(error)[:500])
            notes.append(_refusal(error))
            return "unavailable", notes
        for entry in found:
            line = Line(
                entry.time_us,
                str(entry.payload.get("service", "")),
                str(entry.payload.get("message", "")),
                entry.severity,
                entry.payload,
            )
            key = (line.time, line.service, str(sorted(map(str, entry.payload.items()))))
            if key not in seen:
                seen.add(key)
                facts.lines.append(line)
        if len(found) >= _MAX_LINES:
            notes.append(
                f"more than {_MAX_LINES} lines of the log are about its messages: the first are told"
            )
    facts.lines = chain.ours(facts, facts.lines, chain.messages(facts))
    return ("found" if facts.lines else "none"), notes


def _condition(facts: Facts, wanted: list[str], by_name: bool) -> str:
    parts = []
    if wanted:
        parts += [logging_rest.one_of(f"jsonPayload.{field}", wanted) for field in ("messageId", "published")]
    if by_name and facts.key.isprintable():
        parts.append(logging_rest.one_of("jsonPayload.eventIds", [facts.key]))
    return " OR ".join(parts)


def _is_id(text: str) -> bool:
    """Whether a text can be the id of a message; what a forged one says is not looked for."""
    return len(text) <= _MAX_LENGTH and text.isascii() and text.replace("-", "").replace("_", "").isalnum()


def _refusal(error: Rejected | Transient) -> str:
    if isinstance(error, Transient):
        return "the log did not answer just now: these are the times that were stored; ask again in a minute"
    return (
        f"the log may not be read ({error.error_type}): these are the times that were stored; "
        "whoever runs the platform gives the API's service account roles/logging.viewer"
    )
