"""What still speaks of attributes that would go: routes, scripts, templates, scenarios, dashboards. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.api.project_code.difference import Difference
from functions.api.project_code.elsewhere import Speaker
from functions.api.project_code.sections import State

# Fields in which people write paths, by section.
_FIELDS = {
    "messageRoutes": ("route",),
    "blueprints": ("messageRoute",),
    "scripts": ("code", "files"),
    "templates": ("email", "sms"),
    "scenarios": ("tracks",),
    "timers": ("action",),
}


@dataclass(frozen=True)
class Reference:
    """``what`` is an attribute, ``where`` the resource and the field that name it."""

    what: str
    where: str


def references(after: State, change: Difference, others: Sequence[Speaker]) -> list[Reference]:
    """Who still names an attribute that the change deletes or replaces; ``others`` stand in no document.

    An attribute is named where its whole path stands as a word of its own in a text: as a condition of a
    route has it (``msg/data/air/temperature``), or a script or a template. A name that is put together
    while a script runs is not found.
    """
    found = []
    for edit in change.of("attributes"):
        if edit.action not in ("delete", "replace"):
            continue
        path = edit.key[2]
        word = re.compile(rf"(?<![A-Za-z0-9_]){re.escape(path)}(?![A-Za-z0-9_/])")
        for key, item in after.items.items():
            if key == edit.key or (key[0] == "scenarios" and key[1] != edit.key[1]):
                continue  # a scenario speaks of its own blueprint alone
            for name in _FIELDS.get(key[0], ()):
                if any(word.search(text) for text in _texts(item.fields.get(name))):
                    found.append(Reference(f"{edit.key[1]} {path}", f"{' '.join(key)}: {name}"))
        for other in others:
            concerned = other.blueprint in (None, edit.key[1])
            if concerned and any(word.search(text) for text in _texts(other.value)):
                found.append(Reference(f"{edit.key[1]} {path}", other.where))
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
