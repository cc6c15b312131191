"""Documents: read strictly into a state, and written from one without what goes without saying. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from pydantic import ValidationError

from functions.api.project_code.sections import FORMAT, NAMING, ROUTES, SECTIONS, Item, Key, Section, State
from functions.api.project_code.together import attribute_problems, name_problems
from functions.api.resources.attributes import check_definition, made_path, parent_path
from functions.api.resources.reasoning import named_in
from functions.api.resources.references import check_outbound, check_route
from functions.api.resources.timer_actions import check_action
from functions.api.roles import catalogue
from functions.api.roles.generated import CREATE_DEVICE, CREATE_RELATED
from shared.errors import ApiError
from shared.model.project import ProjectFields
from shared.model.role import EVERYTHING

MAX_PROBLEMS = 50
_canonical = msgspec.json.Encoder(order="deterministic").encode


def digest(document: Mapping[str, Any]) -> str:
    """What tells two documents apart: 32 hexadecimal characters."""
    return hashlib.sha256(_canonical(document)).hexdigest()[:32]


def write(state: State) -> dict[str, Any]:
    """The document of a state. Lists are in the order of their keys, fields in that of their models."""
    document: dict[str, Any] = {"format": FORMAT, "project": _without_defaults(ProjectFields, state.project)}
    for section in SECTIONS.values():
        if section.inside is None:
            document[section.name] = [
                _written(state, item) for item in _sorted(state.items.values(), section, ())
            ]
    return document


def read(document: Mapping[str, Any]) -> State:
    """The state that a document means; ApiError 400 with everything that is wrong with it."""
    problems: list[str] = []
    if document.get("format") != FORMAT or document.get("format") is True:
        raise invalid([f"format: this is format {FORMAT}, and the document says {document.get('format')!r}"])
    known = {"format", "project", *(name for name, section in SECTIONS.items() if section.inside is None)}
    problems += [f"{name}: no section of a project is called so" for name in sorted(set(document) - known)]
    project = _validated(ProjectFields, document.get("project") or {}, "project", problems)
    state = State(project or {})
    for section in SECTIONS.values():
        if section.inside is None:
            _read_list(state, section, document.get(section.name, []), (), section.name, problems)
    for item in list(state.items.values()):
        _check_refs(state, item, problems)
    if not problems:
        problems += attribute_problems(state) + name_problems(state)
    if problems:
        raise invalid(problems)
    return state


def full(section: Section, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Wire fields with the defaults of their model filled in."""
    wires = {info.alias or name for name, info in section.kind.create.model_fields.items()}
    kept = {key: value for key, value in fields.items() if key in wires and value is not None}
    return _dumped(section.kind.create.model_validate(kept))


def settled(fields: dict[str, Any], alias: str) -> dict[str, Any]:
    """The fields of a resource without what goes without saying, so that what is the same looks the same.

    ``alias``: of the blueprint that it is an attribute of.
    """
    path = fields.get("path", "")
    if fields.get("parentPath") == path.rpartition("/")[0]:
        fields.pop("parentPath", None)
    if fields.get("mirrorPath") == made_path(alias, path):
        fields.pop("mirrorPath", None)
    if "permissions" in fields:
        fields["permissions"] = sorted(set(fields["permissions"]))
    return fields


def _read_list(
    state: State, section: Section, given: Any, outer: Key, place: str, problems: list[str]
) -> None:
    if not isinstance(given, list):
        problems.append(f"{place}: must be a list")
        return
    for index, entry in enumerate(given):
        here = f"{place}[{index}]"
        if not isinstance(entry, dict):
            problems.append(f"{here}: must be an object")
            continue
        item = _item(section, entry, outer, here, problems)
        if item is None:
            continue
        if item.key in state.items:
            problems.append(f"{here}: a second one with the {section.key} {item.key[-1]!r}")
        state.items[item.key] = item
        for inner in (inner for inner in SECTIONS.values() if inner.inside == section.name):
            below = entry.get(inner.name) or []
            _read_list(
                state, inner, below, item.key[1:], f"{section.name} {item.key[-1]}: {inner.name}", problems
            )


def _item(
    section: Section, entry: Mapping[str, Any], outer: Key, place: str, problems: list[str]
) -> Item | None:
    inner = {other.name for other in SECTIONS.values() if other.inside == section.name}
    named = {ref.written: ref.wire for ref in section.refs}
    foreign = [ref.wire for ref in section.refs if ref.wire in entry]
    if foreign:
        problems.append(f"{place}: {', '.join(foreign)}: name it, by {', '.join(named)}")
        return None
    fields = {named.get(name, name): value for name, value in entry.items() if name not in inner}
    key = fields.get(section.key)
    place = f"{section.name} {key}" if isinstance(key, str) else place
    if not isinstance(key, str) or not key:
        problems.append(f"{place}: {section.key} is missing")
        return None
    # Names stand where the model has ids: what a name may hold is checked where it leads.
    refs = {ref.wire: fields.pop(ref.wire) for ref in section.refs if fields.get(ref.wire) is not None}
    odd = [ref.written for ref in section.refs if not isinstance(refs.get(ref.wire, ""), str)]
    if odd:
        problems.append(f"{place}: {', '.join(odd)}: must be a name")
        return None
    permissions = fields.get("permissions")
    if section.name == "roles" and isinstance(permissions, list):
        # A relationship's name has a slash, which no id has.
        fields["permissions"] = [f"{CREATE_RELATED}:x" if _is_related(one) else one for one in permissions]
    placeholders = dict.fromkeys(refs, "x")
    whole = _validated(section.kind.create, fields | placeholders, place, problems)
    if whole is None:
        return None
    whole |= refs
    if section.name == "roles":
        whole["permissions"] = permissions or []
    if whole.get("type") == "relationship":
        whole = {"owned": False, "forwardData": False} | whole
    try:
        if section.name == "attributes":
            check_definition(whole)
            parent_path(whole)
        if (wire := ROUTES.get(section.name)) and wire in whole:
            check_route(section.kind.name, wire, whole[wire])
        if section.name == "networks":
            check_outbound(whole.get("outbound"))
        if section.name == "timers":
            check_action(whole["action"])
    except ApiError as error:
        problems.append(f"{place}: {error.message}")
        return None
    return Item(section, (section.name, *outer, key), settled(whole, "".join(outer)))


def _is_related(permission: Any) -> bool:
    return isinstance(permission, str) and permission.startswith(f"{CREATE_RELATED}:")


def _is_known(state: State, permission: str) -> bool:
    base, colon, of = permission.partition(":")
    if not colon:
        return permission == EVERYTHING or permission in catalogue.names()
    if base == CREATE_RELATED:
        relation = state.items.get(("attributes", *of.split("/", 1)))
        return relation is not None and relation.fields["type"] == "relationship"
    return base == CREATE_DEVICE and ("blueprints", of) in state.items


def _check_refs(state: State, item: Item, problems: list[str]) -> None:
    for permission in item.fields.get("permissions", ()) if item.section.name == "roles" else ():
        if not _is_known(state, permission):
            problems.append(f"{' '.join(item.key)}: permissions: there is no {permission!r}")
    wire = NAMING.get(item.section.name)
    for script in sorted(named_in(SECTIONS[item.section.name].kind, item.fields.get(wire))) if wire else ():
        if ("scripts", script) not in state.items:
            problems.append(f"{' '.join(item.key)}: {wire}: scripts has no {script!r} (name it by its alias)")
    for ref in item.section.refs:
        name = item.fields.get(ref.wire)
        if name is not None and (ref.section, name) not in state.items:
            place = " ".join(item.key)
            problems.append(f"{place}: {ref.written}: {ref.section} has no {name!r}")


def _validated(model: Any, fields: Any, place: str, problems: list[str]) -> dict[str, Any] | None:
    try:
        return _dumped(model.model_validate(fields))
    except ValidationError as error:
        for fault in error.errors():
            where = "/".join(str(part) for part in fault["loc"])
            problems.append(f"{place}: {where}: {fault['msg']}")
        return None


def _dumped(model: Any) -> dict[str, Any]:
    dumped: dict[str, Any] = model.model_dump(by_alias=True, exclude_none=True, mode="json")
    return dumped


def _written(state: State, item: Item) -> dict[str, Any]:
    names = {ref.wire: ref.written for ref in item.section.refs}
    said = _without_defaults(item.section.kind.create, item.fields)
    entry = {names.get(wire, wire): value for wire, value in said.items()}
    # The name first, as a reader looks for it.
    entry = {item.section.key: entry[item.section.key], **entry}
    for section in SECTIONS.values():
        if section.inside == item.section.name:
            inner = _sorted(state.items.values(), section, item.key[1:])
            if inner:
                entry[section.name] = [_written(state, one) for one in inner]
    return entry


def _sorted(items: Iterable[Item], section: Section, outer: Key) -> list[Item]:
    found = [item for item in items if item.section is section and item.key[1:-1] == outer]
    return sorted(found, key=lambda item: item.key)


def _without_defaults(model: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    said = {}
    for name, info in model.model_fields.items():
        wire = info.alias or name
        default = info.get_default(call_default_factory=True) if not info.is_required() else None
        if wire in fields and (info.is_required() or fields[wire] != default):
            said[wire] = fields[wire]
    return said


def invalid(problems: Sequence[str]) -> ApiError:
    """400 with what is wrong with a document, the first problems at least."""
    more = f"; and {len(problems) - MAX_PROBLEMS} more" if len(problems) > MAX_PROBLEMS else ""
    return ApiError(
        400,
        "code.invalid",
        "; ".join(problems[:MAX_PROBLEMS]) + more,
        "correct what is named; nothing was changed",
    )
