"""The subscription filter language, compiled to a function of a message's attributes.

``attributes:key``, ``attributes.key = "v"``, ``attributes.key != "v"``, ``hasPrefix(attributes.key,
"v")``, joined by upper-case ``AND``, ``OR``, ``NOT`` (or ``-``) and parentheses. ``AND`` and ``OR`` side by
side need parentheses. ``!=`` is the negation of ``=``: it holds where the key is missing. Source: the
service's page "Filter messages from a subscription".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping

from emulators.kit.rpc import StatusError
from emulators.pubsub.errors import invalid, too_large

Predicate = Callable[[Mapping[str, str]], bool]

_MAX_BYTES = 256
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<word>[A-Za-z0-9_][A-Za-z0-9_-]*)
    | (?P<mark>!=|[=:.,()-])
    )""",
    re.VERBOSE | re.DOTALL,
)


def compiled(text: str) -> Predicate | None:
    """The predicate of a filter, None for the empty filter; INVALID_ARGUMENT for a wrong one."""
    if not text:
        return None
    size = len(text.encode())
    if size > _MAX_BYTES:
        raise too_large("filter_size", size, _MAX_BYTES)
    return _Parser(text).parse()


def _wrong(text: str, why: str) -> StatusError:
    return invalid(f"Invalid filter expression ({why}): {text}")


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split()
        self._at = 0

    def _split(self) -> list[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        position, end = 0, len(self._text.rstrip())
        while position < end:
            match = _TOKEN.match(self._text, position)
            if not match or match.lastgroup is None:
                raise _wrong(self._text, f"unexpected character at {position}")
            tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        return [*tokens, ("end", "")]

    def parse(self) -> Predicate:
        predicate = self._joined()
        if self._tokens[self._at][0] != "end":
            raise self._unexpected()
        return predicate

    def _joined(self) -> Predicate:
        terms = [self._term()]
        operator = ""
        while (token := self._tokens[self._at]) in (("word", "AND"), ("word", "OR")):
            if operator and operator != token[1]:
                raise _wrong(self._text, "AND and OR side by side need parentheses")
            operator = token[1]
            self._at += 1
            terms.append(self._term())
        if len(terms) == 1:
            return terms[0]
        if operator == "AND":
            return lambda attributes: all(term(attributes) for term in terms)
        return lambda attributes: any(term(attributes) for term in terms)

    def _term(self) -> Predicate:
        if self._accept("word", "NOT") or self._accept("mark", "-"):
            inner = self._term()
            return lambda attributes: not inner(attributes)
        if self._accept("mark", "("):
            inner = self._joined()
            self._expect("mark", ")")
            return inner
        if self._accept("word", "hasPrefix"):
            return self._has_prefix()
        self._expect("word", "attributes")
        if self._accept("mark", ":"):
            key = self._key()
            return lambda attributes: key in attributes
        self._expect("mark", ".")
        key = self._key()
        if self._accept("mark", "!="):
            value = self._value()
            return lambda attributes: attributes.get(key) != value
        self._expect("mark", "=")
        value = self._value()
        return lambda attributes: attributes.get(key) == value

    def _has_prefix(self) -> Predicate:
        self._expect("mark", "(")
        self._expect("word", "attributes")
        self._expect("mark", ".")
        key = self._key()
        self._expect("mark", ",")
        prefix = self._value()
        self._expect("mark", ")")
        return lambda attributes: (value := attributes.get(key)) is not None and value.startswith(prefix)

    def _key(self) -> str:
        kind, text = self._tokens[self._at]
        if kind == "word":
            self._at += 1
            return text
        return self._value()

    def _value(self) -> str:
        kind, text = self._tokens[self._at]
        if kind != "string":
            raise self._unexpected()
        self._at += 1
        try:
            return str(ast.literal_eval(text.replace("\n", "\\n")))  # same escapes: \" \\ \n \x41 \101 \u0041
        except (SyntaxError, ValueError):
            raise _wrong(self._text, f"invalid string {text}") from None

    def _accept(self, kind: str, text: str) -> bool:
        if self._tokens[self._at] == (kind, text):
            self._at += 1
            return True
        return False

    def _expect(self, kind: str, text: str) -> None:
        if not self._accept(kind, text):
            raise self._unexpected()

    def _unexpected(self) -> StatusError:
        found = self._tokens[self._at][1] or "the end"
        return _wrong(self._text, f"unexpected {found}")
