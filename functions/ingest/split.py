"""JSON text that the fast decoder refuses or reads too generously: what is wrong with it.

One bad event must not spoil the others of its array, and each must be refused by name, so the text is cut
at the top level without being decoded, and what is wrong with an element is found by a second decoder.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

import msgspec

from shared.json_text import STRING, depth

# Far above what an event may nest, far below what either decoder can take.
MAX_DEPTH = 100
_INT64 = range(-(2**63), 2**63)


class Fault(msgspec.Struct, frozen=True):
    """Why an event is refused: a stable name, what is wrong, what to do about it."""

    error: str
    message: str
    description: str


TOO_DEEP = Fault(
    "event.tooDeep", "the event nests too deep", "use at most 15 levels, the path's segments included"
)
NOT_JSON = Fault("event.undecodable", "the line is not JSON", "send one JSON object a line")
NOT_UTF8 = Fault("event.notUtf8", "the event holds bytes that are not UTF-8", "send text as UTF-8")


class _Found(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def members_in_text(text: bytes) -> int:
    """How many object members stand in valid JSON, repeated keys included: colons outside strings."""
    if b"\\" in text:
        return re.sub(STRING, b"", text).count(b":")
    return b"".join(text.split(b'"')[::2]).count(b":")


def members(value: Any) -> int:
    """How many object members a decoded value has; fewer than in its text if a key was repeated."""
    if type(value) is dict:
        count = len(value)
        for inner in value.values():
            if type(inner) is dict or type(inner) is list:
                count += members(inner)
        return count
    count = 0
    for inner in value:
        if type(inner) is dict or type(inner) is list:
            count += members(inner)
    return count


def diagnose(text: bytes) -> Fault | None:
    """What is wrong with an event's text, by name; None if it is no JSON at all."""
    if depth(text, MAX_DEPTH) > MAX_DEPTH:
        return TOO_DEEP
    try:
        value = _loads(text.decode())
        json.dumps(value, ensure_ascii=False).encode()
    except _Found as found:
        return found.fault
    except UnicodeDecodeError:
        return _diagnose_encoding(text)
    except UnicodeEncodeError:
        return Fault(
            "event.loneSurrogate",
            "a string holds half of a surrogate pair",
            r"send text as UTF-8, or both halves: \ud83d\ude00",
        )
    except ValueError:
        return None
    return None


def _diagnose_encoding(text: bytes) -> Fault | None:
    """What is wrong with text that is not UTF-8: its encoding alone, or is it no JSON either?"""
    try:
        _loads(text.decode(errors="replace"))
    except _Found as found:
        return found.fault
    except ValueError:
        return None
    return NOT_UTF8


def _loads(text: str) -> Any:
    return json.loads(
        text,
        object_pairs_hook=_distinct,
        parse_constant=_no_number,
        parse_int=_integer,
        parse_float=_finite,
    )


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    decoded: dict[str, Any] = {}
    for key, value in pairs:
        if key in decoded:
            raise _Found(
                Fault("event.duplicateKey", f"key {key[:100]!r} stands twice in one object", "send it once")
            )
        decoded[key] = value
    return decoded


def _no_number(text: str) -> NoReturn:
    raise _Found(
        Fault(
            "event.notANumber", f"{text} is no JSON number", "leave the value out, or send null or a string"
        )
    )


def _integer(text: str) -> int:
    if len(text) > 20 or int(text) not in _INT64:
        raise _Found(integer_too_large(text))
    return int(text)


def integer_too_large(text: str) -> Fault:
    """The fault of an integer that no store here holds."""
    return Fault(
        "event.integerTooLarge",
        f"integer {text[:40]} does not fit 64 bits with a sign",
        "send a number between -9223372036854775808 and 9223372036854775807, or a string",
    )


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _Found(
            Fault(
                "event.numberTooLarge", f"number {text[:40]} overflows", "send a number within ±1.7976931e308"
            )
        )
    return number
