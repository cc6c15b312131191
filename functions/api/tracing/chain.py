"""Which messages an event was in, by what services log: backwards from where it was stored, and on. Pure.

A line says which message it is about and which ones came of it. Backwards: whoever published a message that
had the event had it before, or one of those did whose events were packed together. Onwards only where no
other can be meant: where a batch had one message, or all of it went out as one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from functions.api.tracing.facts import INGEST, Facts, Line

# A clock of one machine may be so far behind another's, in µs.
_SKEW = 5_000


def ours(facts: Facts, lines: Iterable[Line], ids: Collection[str]) -> list[Line]:
    """The lines that may be looked at: of the project, or of ingest about the event or one of these messages.

    A line of ingest is about all that came at one time, of whichever project.
    """
    known = set(ids)
    return [
        line
        for line in lines
        if (
            line.project_id == facts.project_id
            if line.service != INGEST
            else facts.key in line.event_ids or not known.isdisjoint(line.published)
        )
    ]


def messages(facts: Facts) -> set[str]:
    """The ids of the messages that the event was in, or may have been in."""
    found = set(facts.message_ids)
    while True:
        more = set(found)
        for line in ours(facts, facts.lines, found):
            if line.message_id and not found.isdisjoint(line.published):
                more.add(line.message_id)
            if line.service == INGEST or line.message_id in found:
                more.update(onward(facts, line))
        if more == found:
            return found
        found = more


def onward(facts: Facts, line: Line) -> list[str]:
    """What certainly has the event, of what came of a line about a message that had it."""
    if line.service == INGEST:
        # A message for each project, as a rule: the lines about the others' are not looked at.
        return line.published if facts.key in line.event_ids else []
    handled = line.count("messages") or line.count("events")
    together = len(line.published) == 1 and line.count("forwarded") == handled
    return line.published if not line.failed and (handled == 1 or (handled and together)) else []


def publishers(facts: Facts, message_id: str, received: int | None) -> tuple[list[Line], bool]:
    """The lines of whoever published a message, and whether it is certain that the event came that way.

    Several deliveries may have been packed into one message. Ingest publishes what it has received, so one
    whose way began before the event was received is none of them.
    """
    lines = [
        line
        for line in ours(facts, facts.lines, {message_id})
        if message_id in line.published and line.message_id != message_id
    ]
    sources = {line.message_id for line in lines}
    if len(sources) < 2:
        return lines, True
    begins = {source: _origin(facts, source) for source in sources}
    named = {source for source, (_, is_named) in begins.items() if is_named}
    if not named and received is not None:
        named = {
            source for source, (began, _) in begins.items() if began is not None and began >= received - _SKEW
        }
    kept = named or sources
    return [line for line in lines if line.message_id in kept], len(kept) == 1


def _origin(facts: Facts, message_id: str | None) -> tuple[int | None, bool]:
    """When ingest began to publish a message, and whether that line names the event."""
    if message_id is None:
        return None, False
    lines = [
        line
        for line in ours(facts, facts.lines, {message_id})
        if line.service == INGEST and message_id in line.published
    ]
    if not lines:
        return None, False
    return min(line.began for line in lines), any(facts.key in line.event_ids for line in lines)
