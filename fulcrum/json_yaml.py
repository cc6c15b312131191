"""Values as JSON has them, in YAML that people read and write: nothing in a file means more than it shows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import yaml

# No value of ours nests as deep; what nests deeper leads into itself.
_MAX_DEPTH = 100
_SHORT = 80


class Loader(yaml.SafeLoader):
    """As JSON has it: what looks like a date is a text, and no key stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} stands twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_RESOLVERS = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.yaml_implicit_resolvers = _RESOLVERS


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, lists indented below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    if not all(letter.isprintable() or letter in "\n\t" for letter in value):
        style = '"'  # what YAML itself takes for a line's end, among others
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


class _Compact(_Dumper):
    """Short lists of plain values on one line; dates, which are texts, without quotes."""


def _list(dumper: yaml.SafeDumper, value: list[Any]) -> yaml.SequenceNode:
    is_short = all(not isinstance(one, dict | list) for one in value) and len(str(value)) <= _SHORT
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=is_short)


_Compact.add_representer(list, _list)
_Compact.yaml_implicit_resolvers = _RESOLVERS


def read(text: str) -> Any:
    """The value that a text says; ValueError, with the place, where it says none of JSON's."""
    try:
        found = yaml.load(text, Loader=Loader)  # noqa: S506 made of SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(" ".join(str(error).split())) from None
    if problem := _problem(found):
        raise ValueError(f"{problem} (it can say what JSON can)")
    return found


def write(value: Any, *, compact: bool = False) -> str:
    """A value of JSON's as YAML: keys in their order, texts of several lines as blocks.

    ``compact``: short lists on one line, and what looks like a date without quotes, as :func:`read` takes it.
    """
    dumper = _Compact if compact else _Dumper
    made = yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, width=100)
    return str(made)


def _problem(value: Any, depth: int = 0) -> str | None:
    """Why a value is none of JSON's; None if it is one."""
    if depth > _MAX_DEPTH:
        return "it nests too deep, or leads into itself"
    if isinstance(value, str):
        return None if value.isascii() or _is_unicode(value) else "a text holds half of a surrogate pair"
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{value} is no number that can be stored"
    if isinstance(value, dict):
        odd = [key for key in value if not isinstance(key, str)]
        if odd:
            return f"the key {odd[0]!r} is no text: put it in quotes"
        inner: Iterable[Any] = (*value, *value.values())
    elif isinstance(value, list):
        inner = value
    else:
        known = value is None or isinstance(value, int)
        return None if known else f"{value!r} is a {type(value).__name__}"
    return next(filter(None, (_problem(one, depth + 1) for one in inner)), None)


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
