"""Writing an expectation into a file that people wrote, whose other lines and comments stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from fulcrum import json_yaml
from fulcrum.script.testing import expectation, fixture


def with_expected(text: str, expected: Mapping[str, Any]) -> str:
    """A file's text with another ``expected:``, in its place or at the end; ValueError where it cannot be."""
    block = expectation.write(expected)
    span = _span(text)
    if span is None:
        made = f"{text.rstrip()}\n{block}"
    else:
        start, end = span
        made = text[:start] + block + text[end:].removeprefix("\n")
    try:
        is_done = fixture.parse(made).expected == expected
    except ValueError:
        is_done = False
    if not is_done:
        raise ValueError("its expected result cannot be written: begin each key on a line of its own")
    return made


def _span(text: str) -> tuple[int, int] | None:
    """Where the block stands, from its key to the end of its value; None if there is none."""
    node = yaml.compose(text, Loader=json_yaml.Loader)
    if not isinstance(node, yaml.MappingNode):
        return None
    for key, value in node.value:
        if key.value == "expected":
            return key.start_mark.index, _end(value)
    return None


def _end(node: yaml.Node) -> int:
    """Where a value ends: that of a block ends before comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)
