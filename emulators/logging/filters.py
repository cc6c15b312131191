"""The Logging query language, as far as it is used here: parsed properly, and what is not known is refused.

https://cloud.google.com/logging/docs/view/logging-query-language. There are comparisons ``field = "value"``,
``field = ("a" OR "b")``, ``timestamp >= "..."``, joined by ``AND``, ``OR``, ``NOT`` and parentheses. OR binds
more tightly than AND, as it does there. Text is compared without regard to case; an array matches if one of
its elements does; what is not there matches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulators.logging.errors import invalid, unsupported

MAX_LENGTH = 20_000
_DEEPEST = 50
_TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<op>=~|!~|!=|>=|<=|[=<>:])|(?P<paren>[()])'
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_.]*)|(?P<other>\S))",
    re.DOTALL,
)
_FIELD = re.compile(r"resource\.type|severity|timestamp|jsonPayload(?:\.[A-Za-z_][A-Za-z0-9_]*)+")
_KEYWORDS = frozenset({"AND", "OR", "NOT"})
_ESCAPES = {'"': '"', "\\": "\\"}

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Equal:
    """A field has one of some values."""

    path: str
    values: frozenset[str]


@dataclass(frozen=True)
class Timed:
    """The timestamp is before or after an instant, or at it."""

    op: str
    instant: datetime


@dataclass(frozen=True)
class Not:
    """What does not match."""

    of: Node


@dataclass(frozen=True)
class Joined:
    """All (``AND``) or any (``OR``) of some."""

    word: str
    parts: tuple[Node, ...]


Node = Equal | Timed | Not | Joined


def parse(text: str) -> Node | None:
    """The expression of a filter; None for an empty one. ServiceError 400; 501 for what is not done here."""
    if len(text) > MAX_LENGTH:
        raise invalid(f"The filter has {len(text)} characters; at most {MAX_LENGTH}")
    tokens = list(_tokens(text))
    if not tokens:
        return None
    parser = _Parser(tokens)
    node = parser.all_of(0)
    if parser.place < len(tokens):
        raise invalid(f"Unparseable filter: unexpected {tokens[parser.place][1]!r}; join by AND or OR")
    return node


def matches(node: Node | None, entry: Entry) -> bool:
    """Whether an entry matches."""
    match node:
        case None:
            return True
        case Equal(path, values):
            return any(value in values for value in _texts(_at(entry, path)))
        case Timed(op, instant):
            time = datetime.fromisoformat(entry["timestamp"])
            return {
                ">": time > instant,
                ">=": time >= instant,
                "<": time < instant,
                "<=": time <= instant,
                "=": time == instant,
            }[op]
        case Not(of):
            return not matches(of, entry)
        case Joined(word, parts):
            return (all if word == "AND" else any)(matches(part, entry) for part in parts)


def required(node: Node | None, indexed: frozenset[str]) -> set[tuple[str, str]] | None:
    """(path, value) pairs of which an entry that matches has at least one; None if nothing is known.

    Only of the ``indexed`` paths.
    """
    match node:
        case Equal(path, values) if path in indexed:
            return {(path, value) for value in values}
        case Joined("AND", parts):
            found = [one for part in parts if (one := required(part, indexed)) is not None]
            return min(found, key=len) if found else None
        case Joined("OR", parts):
            each = [required(part, indexed) for part in parts]
            return None if None in each else set().union(*(one for one in each if one is not None))
    return None


def _at(entry: Entry, path: str) -> Any:
    value: Any = entry
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, str | int | float):
        yield str(value).casefold()


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place, end = 0, len(text.rstrip())
    while place < end:
        found = _TOKEN.match(text, place)
        if found is None or found["other"]:
            raise invalid(f"Unparseable filter: syntax error at {text[place : place + 20]!r}")
        yield found.lastgroup or "", found[found.lastgroup or 0]
        place = found.end()


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self.place = 0

    def all_of(self, depth: int) -> Node:
        """What AND joins, each of it what OR joins."""
        if depth > _DEEPEST:
            raise invalid("Unparseable filter: it is nested too deeply")
        return self._joined("AND", lambda: self._joined("OR", lambda: self._one(depth)))

    def _joined(self, word: str, part: Any) -> Node:
        parts = [part()]
        while self._take("word", word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _one(self, depth: int) -> Node:
        if self._take("word", "NOT"):
            return Not(self._one(depth))
        if self._take("paren", "("):
            node = self.all_of(depth + 1)
            self._expect(")")
            return node
        kind, path = self._next()
        if kind == "string":
            raise unsupported("a search over all fields")
        if kind != "word" or path in _KEYWORDS:
            raise invalid(f"Unparseable filter: unexpected {path!r}; expected a field")
        if not _FIELD.fullmatch(path):
            raise unsupported(f"the field {path}")
        kind, op = self._next()
        if kind != "op":
            raise invalid(f"Unparseable filter: no operator behind {path}")
        return self._compared(path, op)

    def _compared(self, path: str, op: str) -> Node:
        if path == "timestamp":
            if op not in (">", ">=", "<", "<=", "="):
                raise unsupported(f"timestamp {op}")
            return Timed(op, _instant(self._string()))
        if op != "=":
            raise unsupported(f"{path} {op}")
        if not self._take("paren", "("):
            return Equal(path, frozenset({self._string().casefold()}))
        values = [self._string().casefold()]
        while self._take("word", "OR"):
            values.append(self._string().casefold())
        self._expect(")")
        return Equal(path, frozenset(values))

    def _next(self) -> tuple[str, str]:
        if self.place == len(self._tokens):
            raise invalid("Unparseable filter: it ends too early")
        self.place += 1
        return self._tokens[self.place - 1]

    def _take(self, kind: str, text: str) -> bool:
        if self.place < len(self._tokens) and self._tokens[self.place] == (kind, text):
            self.place += 1
            return True
        return False

    def _expect(self, paren: str) -> None:
        if not self._take("paren", paren):
            raise invalid(f"Unparseable filter: {paren!r} is missing")

    def _string(self) -> str:
        kind, text = self._next()
        if kind == "word" and text not in _KEYWORDS:
            raise unsupported(f"text without quotation marks ({text})")
        if kind != "string":
            raise invalid(f"Unparseable filter: unexpected {text!r}; expected a text in quotation marks")
        return re.sub(r"\\(.)", _unescaped, text[1:-1], flags=re.DOTALL)


def _unescaped(found: re.Match[str]) -> str:
    if found[1] not in _ESCAPES:
        raise unsupported(f"the escape \\{found[1]}")
    return _ESCAPES[found[1]]


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"Unparseable filter: {text!r} is no timestamp") from None
    if instant.tzinfo is None:
        raise invalid(f"Unparseable filter: {text!r} has no time zone")
    return instant
