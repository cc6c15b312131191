"""Which way the messages of a device go: its own route, else its blueprint's, else to ``writer``.

Each of the two may have a message route of its own and refer to one, in this order.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from shared.conditions import Facts
from shared.errors import Rejected
from shared.routes import (
    RouteError,
    Step,
    canonical,
    first_steps,
    is_conditional,
    reads_device_state,
)

DEFAULT_TOPIC = "writer"
# Distinct texts of message routes and rests that are kept taken apart.
_KEPT = 10_000


class Plan(msgspec.Struct, frozen=True):
    """A route taken apart once: the first steps where they are always the same, else the series."""

    series: list[Any]
    steps: list[Step]
    conditional: bool = False
    reads_state: bool = False
    problem: str = ""


DEFAULT = Plan([DEFAULT_TOPIC], [Step(DEFAULT_TOPIC, {}, [])])
# Of what devices answer to messages.
REPLY = Plan(["outbound"], [Step("outbound", {}, [])])


def make(series: list[Any]) -> Plan:
    """The plan of a canonical route."""
    if is_conditional(series):
        return Plan(series, [], conditional=True, reads_state=reads_device_state(series))
    return Plan(series, first_steps(series))


@lru_cache(maxsize=_KEPT)
def plan(message_type: str, texts: tuple[str, ...]) -> Plan:
    """The plan for messages of a type, from the texts of message routes: the first that names it counts."""
    try:
        for text in texts:
            routes = msgspec.json.decode(text) if text else {}
            if not isinstance(routes, dict):
                raise RouteError("the message route is no object")
            if message_type in routes:
                return make(canonical(routes[message_type]))
    except (RouteError, msgspec.DecodeError, RecursionError) as error:
        return Plan([], [], problem=f"message route: {error}")
    return DEFAULT


def followed_by(first: Plan, rest: Any) -> Plan:
    """The plan for a message that came with the rest of a route, which goes on behind its device's own."""
    if not rest or first.problem:
        return first
    try:
        return make(first.series + canonical(rest))
    except RouteError as error:
        return Plan([], [], problem=f"rest of the route: {error}")


def steps(taken: Plan, device: dict[str, Any], encoded: bytes) -> list[Step]:
    """Where one message goes; Rejected (``route.invalid``) for a route that is none.

    ``device``: what conditions may read of it. ``encoded``: the message.
    """
    if taken.problem:
        raise Rejected("route.invalid", taken.problem)
    if not taken.conditional:
        return taken.steps
    try:
        return first_steps(taken.series, Facts(device, msgspec.json.decode(encoded)))
    except (RouteError, msgspec.DecodeError, TypeError, ValueError, RecursionError) as error:
        raise Rejected("route.failed", f"a condition cannot be judged: {error}") from error
