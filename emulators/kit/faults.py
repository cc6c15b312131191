"""Faults on request, and the count of calls: what makes an emulator worth testing against.

A rule names a method (``Publish``, or ``*`` for all) and gives

- ``error_rate``: share of calls that fail before any work is done,
- ``drop_answer_rate``: share of calls that do their work and then fail, as when an answer is lost,
- ``code``: the canonical status name that the caller sees (default ``UNAVAILABLE``),
- ``latency_ms``: added to every call.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import grpc


class InjectedFault(Exception):
    """A call that a rule made fail."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"injected fault: {method} answers {code}")
        self.code = code


@dataclass(frozen=True)
class Rule:
    """One rule; see the module."""

    method: str = "*"
    error_rate: float = 0.0
    drop_answer_rate: float = 0.0
    code: str = "UNAVAILABLE"
    latency_ms: float = 0.0

    def __post_init__(self) -> None:
        for name in ("error_rate", "drop_answer_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1")
        if self.code not in grpc.StatusCode.__members__:
            raise ValueError(f"{self.code!r} is no status code; use one such as UNAVAILABLE")


class Faults:
    """The rules in force and the calls seen. One instance for each emulator."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._rules: dict[str, Rule] = {}
        self._random = random.Random(0)

    def set(self, rules: Iterable[dict[str, Any]], seed: int = 0) -> None:
        """Replace all rules; ``seed`` makes the sequence of faults repeatable."""
        self._rules = {rule.method: rule for rule in (Rule(**item) for item in rules)}
        self._random = random.Random(seed)

    def listed(self) -> list[dict[str, Any]]:
        """The rules in force, as they are set."""
        return [asdict(rule) for rule in self._rules.values()]

    def _rule(self, method: str) -> Rule | None:
        return self._rules.get(method) or self._rules.get("*")

    async def before(self, method: str) -> None:
        """Count a call, delay it, and fail it if a rule says so. To be called before any work."""
        self.calls[method] += 1
        if not self._rules:
            return
        rule = self._rule(method)
        if rule is None:
            return
        if rule.latency_ms:
            await asyncio.sleep(rule.latency_ms / 1000)
        if rule.error_rate and self._random.random() < rule.error_rate:
            raise InjectedFault(method, rule.code)

    def after(self, method: str) -> None:
        """Lose the answer of a call whose work is done, if a rule says so."""
        if not self._rules:
            return
        rule = self._rule(method)
        if rule and rule.drop_answer_rate and self._random.random() < rule.drop_answer_rate:
            raise InjectedFault(method, rule.code)
