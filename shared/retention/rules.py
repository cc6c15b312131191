"""For how long things are kept, by project, blueprint and path. Pure.

A project's and a blueprint's document hold ``retention``: store → {enabled, days, paths}. ``days`` 0 means
for ever; a store without days is kept as long as its writer says (history: for ever). Of several rules for a
path the longest path decides, and with equal paths the blueprint's. Days are whole days of UTC: what is kept
for 30 days goes in the night after its thirtieth day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from shared.errors import Rejected

DAY_MS = 86_400_000
FOR_EVER = 0
# No row that was stored within this time before a curation is touched: BigQuery may still have it in its
# write buffer, and a writer that is slow may still be about to append it.
UNTOUCHED_MS = 2 * 3_600_000


class PathRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is at or below a path is kept for so many days."""

    path: str
    days: int


class Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A store's settings. ``days`` None: nothing is said."""

    enabled: bool = True
    days: int | None = None
    paths: tuple[PathRule, ...] = ()


class Rule(msgspec.Struct, frozen=True):
    """What is at or below ``path`` goes where it is older than ``cutoff`` (epoch ms; 0: it never goes)."""

    path: str
    cutoff: int


class Scope(msgspec.Struct, frozen=True):
    """The rules for the rows of one blueprint, the longest path first and that of everything (``""``) last.

    ``blueprint_id`` None: of all blueprints that have no rules of their own.
    """

    blueprint_id: str | None
    rules: tuple[Rule, ...]

    @property
    def base(self) -> Rule:
        """The rule for all that no other rule names."""
        return self.rules[-1]

    def of(self, path: str) -> Rule:
        """The rule that decides about a path."""
        for rule in self.rules:
            if not rule.path or path == rule.path or path.startswith(f"{rule.path}/"):
                return rule
        return self.base

    def goes_whole(self, at: int) -> bool:
        """Whether all of a row of this instant goes."""
        return all(rule.cutoff > at for rule in self.rules)


def cutoff(days: int | None, now: int) -> int:
    """What is older than this instant goes; 0 where nothing does."""
    if not days:
        return 0
    return max(0, (now - days * DAY_MS) // DAY_MS * DAY_MS)


def read(retention: Any, whose: str) -> dict[str, Store]:
    """The ``retention`` field of a document; Rejected ``retention.undecodable`` if it is none."""
    try:
        return msgspec.convert(retention or {}, dict[str, Store])
    except msgspec.ValidationError as error:
        raise Rejected("retention.undecodable", f"the retention of {whose}: {error}") from None


def scopes(
    store: str, project: Mapping[str, Store], blueprints: Mapping[str, Mapping[str, Store]], now: int
) -> list[Scope]:
    """The rules of a store of the history: for each blueprint with rules of its own, and for all others."""
    base = project.get(store, Store())
    made = [Scope(None, _rules((base,), now))]
    for blueprint_id, stores in sorted(blueprints.items()):
        own = stores.get(store)
        if own is None or (own.enabled and own.days is None and not own.paths):
            continue
        if not own.enabled:
            # Of this blueprint nothing goes, whatever the project says.
            made.append(Scope(blueprint_id, (Rule("", 0),)))
        else:
            made.append(Scope(blueprint_id, _rules((base, own), now)))
    return made


def _rules(stores: Iterable[Store], now: int) -> tuple[Rule, ...]:
    days: dict[str, int | None] = {"": None}
    for store in stores:
        if store.days is not None:
            days[""] = store.days
        days |= {rule.path: rule.days for rule in store.paths}
    made = [Rule(path, cutoff(kept, now)) for path, kept in days.items()]
    return tuple(sorted(made, key=lambda rule: (-len(rule.path), rule.path)))


def latest(scopes: Iterable[Scope]) -> int:
    """The latest cutoff of all rules; 0 where nothing goes."""
    return max((rule.cutoff for scope in scopes for rule in scope.rules), default=0)
