"""Steps of a way: in the making, in their order, and as they are told. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.api.tracing.models import EventTrace, TraceStep


@dataclass
class Draft:
    """A step in the making; times in epoch µs."""

    time: int
    service: str
    what: Any
    text: str
    parent: Draft | None = None
    fields: dict[str, Any] = field(default_factory=dict)


def told(
    drafts: Sequence[Draft], received: int | None, device_id: str | None, content_hash: str | None
) -> EventTrace:
    """The way of an event that was ``received`` then (epoch µs)."""
    ordered = sorted(drafts, key=_order)
    names = {id(step): str(place) for place, step in enumerate(ordered, 1)}
    start = received if received is not None else min((step.time for step in ordered), default=0)
    steps = [
        TraceStep(
            id=names[id(step)],
            parent=None if step.parent is None else names[id(step.parent)],
            time=step.time // 1000,
            since_ms=round((step.time - start) / 1000, 1),
            service=step.service,
            what=step.what,
            text=step.text,
            **step.fields,
        )
        for step in ordered
    ]
    return EventTrace(
        device_id=device_id,
        content_hash=content_hash,
        received=None if received is None else received // 1000,
        total_ms=max((step.since_ms for step in steps), default=0.0),
        steps=steps,
    )


def depth(step: Draft) -> int:
    """How many steps it stands below."""
    found = 0
    while step.parent is not None:
        step, found = step.parent, found + 1
    return found


def _order(step: Draft) -> tuple[float, int, int]:
    """By when it began; of one time, what came of a step behind it, and reception first.

    Not by when it was done: a service says so after it has published, and by then others may be done with
    what it published.
    """
    began = step.time - 1000 * (step.fields.get("ms") or 0)
    return began, 0 if step.what == "received" else 1, depth(step)
