"""What is wrong with a document as a whole though each of its resources is sound. Pure."""

from __future__ import annotations

from collections import Counter

from fulcrum.core.paths import MAX_PATHS
from functions.api.project_code.sections import Key, State
from functions.api.resources.attributes import made_path


def attribute_problems(state: State) -> list[str]:
    """Mirrors of relationships that stand where something else does, blueprints with too many attributes."""
    problems = []
    taken: dict[Key, str] = {key: "an attribute" for key in state.items if key[0] == "attributes"}
    for key, item in state.items.items():
        if key[0] != "attributes" or item.fields["type"] != "relationship":
            continue
        path = item.fields.get("mirrorPath") or made_path(key[1], key[2])
        mirror = ("attributes", item.fields["targetBlueprintId"], path)
        if mirror in taken:
            problems.append(
                f"{' '.join(key)}: mirrorPath: {taken[mirror]} of {mirror[1]} is at {path!r} already"
            )
        taken[mirror] = f"the mirror of {key[1]} {key[2]}"
    for alias, count in sorted(Counter(key[1] for key in taken).items()):
        if count > MAX_PATHS:
            problems.append(f"blueprints {alias}: {count} attributes, mirrors included; at most {MAX_PATHS}")
    return problems


def name_problems(state: State) -> list[str]:
    """Names that differ in case alone, where that makes them one."""
    problems = []
    known: dict[Key, str] = {}
    for key, item in state.items.items():
        unique = (one for one in item.section.kind.unique if one.fold_case and one.field == item.section.key)
        if any(unique):
            folded = (*key[:-1], key[-1].casefold())
            if folded in known:
                problems.append(f"{' '.join(key)}: it differs from {known[folded]!r} in case alone")
            known[folded] = key[-1]
    return problems
