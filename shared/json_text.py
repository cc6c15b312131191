"""JSON text taken apart at its top level without being decoded: for text of which one part may be no JSON.

One bad part must not spoil the others, and each keeps its bytes. Linear in the text, whatever it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

# Whole strings, so that what stands in them is not taken for structure. One that does not end reaches to the
# end of the text: otherwise each quotation mark in it would be tried anew, which takes for ever.
STRING = rb'(?s)"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
TOKEN = STRING + rb"|[\[\]{},]"


def elements(text: bytes) -> list[bytes] | None:
    """The texts of an array's elements, or of an object's members.

    None if its brackets do not match or something stands before or after it. Those of its parts may be
    anything that closes as often as it opens.
    """
    found: list[bytes] = []
    depth, start = 0, 0
    ends = {b"[": b"]", b"{": b"}"}.get(text.lstrip()[:1])
    for token in re.finditer(TOKEN, text):
        mark = token[0]
        if mark in b"[{":
            depth += 1
            if depth == 1:
                start = token.end()
        elif mark in b"]}":
            depth -= 1
            if depth == 0:
                if mark != ends:
                    return None
                last = text[start : token.start()].strip()
                if last or found:
                    found.append(last)
                return None if text[token.end() :].strip() else found
        elif mark == b"," and depth == 1:
            found.append(text[start : token.start()].strip())
            start = token.end()
    return None


def members(text: bytes) -> Iterator[tuple[str, bytes]]:
    """The keys of an object and the texts of their values; ValueError if it cannot be taken apart."""
    for member in elements(text) or ():
        key = re.match(STRING, member)
        rest = member[key.end() :].lstrip() if key else b""
        if key is None or rest[:1] != b":":
            raise ValueError("a member of the object has no key")
        yield json.loads(key[0]), rest[1:].strip()


def depth(text: bytes, most: int) -> int:
    """How deep the brackets of a text nest, looked at until they nest deeper than ``most``."""
    deepest = level = 0
    for token in re.finditer(TOKEN, text):
        if token[0] in b"[{":
            level += 1
            if level > deepest:
                deepest = level
                if deepest > most:
                    break
        elif token[0] in b"]}":
            level -= 1
    return deepest
