"""Reading a body strictly: every mistake is a 400 that names its place."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from shared.errors import ApiError
from shared.quoted import shown

# Beyond it integers and doubles part ways: stores would not agree on what is equal.
MAX_NUMBER = 2**53
MAX_TEXT = 500


def invalid(place: str, problem: str, advice: str) -> ApiError:
    """A mistake at a place of the body, such as ``filter.conditions[1].field``."""
    return ApiError(400, "search.invalid", f"{place}: {problem}", advice)


def unsupported(place: str, problem: str, advice: str) -> ApiError:
    """Something well-formed that no store can answer at a bounded cost."""
    return ApiError(400, "search.unsupported", f"{place}: {problem}", advice)


class Node:
    """A value of the body and its place."""

    __slots__ = ("place", "value")

    def __init__(self, value: Any, place: str) -> None:
        self.value = value
        self.place = place

    def bad(self, problem: str, advice: str) -> ApiError:
        """A mistake at this place."""
        return invalid(self.place, problem, advice)

    def object(self, allowed: Collection[str]) -> Mapping[str, Any]:
        """An object with no other keys than these."""
        if not isinstance(self.value, dict):
            raise self.bad("is no object", "Send a JSON object here")
        for key in self.value:
            if key not in allowed:
                raise invalid(
                    self._below(str(key)), "is not known", f"Known here: {', '.join(sorted(allowed))}"
                )
        return self.value

    def items(self, most: int, least: int = 1) -> list[Node]:
        """The elements of an array of ``least`` to ``most`` elements."""
        if not isinstance(self.value, list):
            raise self.bad("is no array", "Send a JSON array here")
        if not least <= len(self.value) <= most:
            raise self.bad(f"has {len(self.value)} elements", f"Give {least} to {most}")
        return [Node(item, f"{self.place}[{index}]") for index, item in enumerate(self.value)]

    def members(self, most: int) -> Iterator[tuple[str, Node]]:
        """The members of an object whose keys are names that the caller chose."""
        if not isinstance(self.value, dict):
            raise self.bad("is no object", "Send a JSON object here")
        if len(self.value) > most:
            raise self.bad(f"has {len(self.value)} members", f"Give at most {most}")
        for key, item in self.value.items():
            node = Node(item, self._below(key))
            Node(key, node.place).text(100)
            yield key, node

    def has(self, key: str) -> bool:
        """Whether an object has a member that is not null."""
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def need(self, key: str) -> Node:
        """A member that must be there."""
        if not self.has(key):
            raise invalid(self._below(key), "is missing", f"Add {key!r}")
        return Node(self.value[key], self._below(key))

    def _below(self, key: str) -> str:
        shown = key[:100].encode(errors="replace").decode()
        return f"{self.place}.{shown}" if self.place else shown

    def text(self, most: int = MAX_TEXT) -> str:
        """A text that is not empty and valid Unicode."""
        if not isinstance(self.value, str) or not self.value:
            raise self.bad("is no text", "Send a string that is not empty")
        if len(self.value) > most:
            raise self.bad(f"has {len(self.value)} characters", f"Send at most {most}")
        try:
            self.value.encode()
        except UnicodeEncodeError:
            raise self.bad("is no valid Unicode", "Send no lone surrogates") from None
        if "\0" in self.value:
            raise self.bad("holds the character NUL", "Send text without it")
        return self.value

    def number(self) -> float | int:
        """A finite number."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.bad("is no number", "Send a JSON number")
        if not math.isfinite(value) or abs(value) >= MAX_NUMBER:
            raise self.bad("is out of range", "Send a number between -2^53 and 2^53")
        return value

    def positive(self) -> float | int:
        """A number above 0."""
        value = self.number()
        if value <= 0:
            raise self.bad(f"is {value}", "Send a number above 0")
        return value

    def integer(self, least: int, most: int) -> int:
        """A whole number within bounds."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.bad(f"is {shown(value)}", f"Send a whole number from {least} to {most}")
        return value

    def flag(self) -> bool:
        """true or false."""
        if not isinstance(self.value, bool):
            raise self.bad("is neither true nor false", "Send true or false")
        return self.value

    def scalar(self) -> str | float | int | bool:
        """A text, number or boolean."""
        if isinstance(self.value, bool):
            return self.value
        if isinstance(self.value, str):
            return self.text()
        if isinstance(self.value, int | float):
            return self.number()
        raise self.bad("is no text, number or boolean", "To find what is not set use {type: not} with exists")

    def choice(self, options: Collection[str]) -> str:
        """One of a few words."""
        if not isinstance(self.value, str) or self.value not in options:
            raise self.bad(f"is {shown(self.value)}", f"Send one of {', '.join(options)}")
        return self.value
