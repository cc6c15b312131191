"""Where what an event came to differs from what is expected: by path, one difference a line or three."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_WIDEST = 400


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


NOTHING = _Nothing()


@dataclass(frozen=True)
class Difference:
    """At ``path`` stands ``got`` where ``expected`` should stand; NOTHING where there is none."""

    path: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        return f"{self.path}\n  expected: {_text(self.expected)}\n  got:      {_text(self.got)}"


def differences(
    expected: Mapping[str, Any], got: Mapping[str, Any], tolerance: float = 0.0
) -> list[Difference]:
    """Differences of an outcome, both as :mod:`fulcrum.script.testing.expectation` has them.

    Logs count where they are expected, and so does what was missing; of a failure what is expected of it.
    """
    seen = dict(got)
    if "logs" not in expected:
        seen.pop("logs", None)
    if expected.get("status") == "unmet" and "missing" not in expected:
        seen.pop("missing", None)
    if "failure" in expected and "failure" in seen:
        seen["failure"] = {key: seen["failure"].get(key, NOTHING) for key in expected["failure"]}
    if seen.get("status") == "failed" and expected.get("status") != "failed":
        # Of a run that failed there is nothing else to say.
        return [Difference("failure", NOTHING, got.get("failure", NOTHING))]
    return list(_unlike("", dict(expected), seen, tolerance))


def _unlike(path: str, expected: Any, got: Any, tolerance: float) -> Iterator[Difference]:
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in [*expected, *(key for key in got if key not in expected)]:
            below = f"{path}/{key}" if path else str(key)
            yield from _unlike(below, expected.get(key, NOTHING), got.get(key, NOTHING), tolerance)
    elif isinstance(expected, list) and isinstance(got, list):
        for at in range(max(len(expected), len(got))):
            one = expected[at] if at < len(expected) else NOTHING
            other = got[at] if at < len(got) else NOTHING
            yield from _unlike(f"{path}/{_name(at, one, other)}", one, other, tolerance)
    elif not _same(expected, got, tolerance):
        yield Difference(path, expected, got)


def _name(at: int, *writes: Any) -> str:
    """Of a write its number and path, so that it is known which one it is."""
    for write in writes:
        if isinstance(write, dict) and isinstance(write.get("path"), str) and "value" in write:
            return f"{at} ({write['path']})"
    return str(at)


def _same(expected: Any, got: Any, tolerance: float) -> bool:
    if expected is NOTHING or got is NOTHING:
        return expected is got
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, int | float) and isinstance(got, int | float):
        return expected == got or math.isclose(expected, got, rel_tol=tolerance, abs_tol=tolerance)
    return bool(type(expected) is type(got) and expected == got)


def _text(value: Any) -> str:
    if value is NOTHING:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}... ({len(text)} characters)"
