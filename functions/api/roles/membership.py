"""Who can be given a role: the project's own users, the platform's users who are members, its API keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from functions.api.access import api_keys, people
from functions.api.roles.giving import ids_are_plain
from shared import names, values
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from shared.store.change import Change
from shared.store.scope import Scope, not_found

_MASK = ("username", "name", "projects", "admin", "narrowed")


class Subject(NamedTuple):
    """A user or an API key. ``platform``: a user of the platform, not of the project alone.

    ``unlimited``: an API key that may do everything as long as it has no role. ``document``: its name.
    """

    kind: str
    id: str
    name: str
    platform: bool = False
    admin: bool = False
    unlimited: bool = False
    document: str = ""


async def find(scope: Scope, kind: str, subject_ids: Iterable[str]) -> dict[str, Subject]:
    """Subjects of the project by id; those that it does not know are absent. One call."""
    found: dict[str, Subject] = {}
    wanted = [each for each in subject_ids if ids_are_plain(each)]
    if kind == "apiAccess":
        keys = {names.document("projects", scope.project_id, "apiAccess", each): each for each in wanted}
        for name, document in (await firestore.batch_get(keys, _MASK)).items():
            fields = values.from_fields(document.fields)
            unlimited = not fields.get("narrowed")
            found[keys[name]] = Subject(kind, keys[name], _name(fields), unlimited=unlimited, document=name)
        return found
    own = {names.document("projects", scope.project_id, "users", each): each for each in wanted}
    of_platform = {names.document("users", each): each for each in wanted}
    documents = await firestore.batch_get([*own, *of_platform], _MASK)
    for name, document in documents.items():
        fields = values.from_fields(document.fields)
        if name in own:
            found[own[name]] = Subject(kind, own[name], _name(fields), document=name)
        elif scope.project_id in (fields.get("projects") or ()):
            found[of_platform[name]] = _of_platform(of_platform[name], fields)
    return found


async def get(scope: Scope, kind: str, subject_id: str) -> Subject:
    """One subject of the project; ApiError 404 for one that it does not know."""
    found = (await find(scope, kind, [subject_id])).get(subject_id)
    if found is None:
        raise not_found("user" if kind == "user" else "apiAccess", subject_id)
    return found


async def of_platform(user_id: str | None, username: str | None) -> Subject:
    """A user of the platform by id or by name, member of the project or not; ApiError 404."""
    if user_id is None and username is not None:
        stored = await people.by_name(username, "")
        user_id = stored.id if stored is not None else None
    if user_id and ids_are_plain(user_id):
        name = names.document("users", user_id)
        document = (await firestore.batch_get([name], _MASK)).get(name)
        if document is not None:
            return _of_platform(user_id, values.from_fields(document.fields))
    raise not_found("user", username or user_id or "")


def join(change: Change, user_id: str) -> None:
    """Note at a user of the platform that he is in the project."""
    _transform(change, user_id).append_missing_elements.values.add().string_value = change.scope.project_id


def leave(change: Change, user_id: str) -> None:
    """Note at a user of the platform that he is no longer in the project."""
    _transform(change, user_id).remove_all_from_array.values.add().string_value = change.scope.project_id


def narrow(change: Change, key_id: str) -> None:
    """Have an API key do what its roles say, from now on: not everything again once it has none."""
    pb = messages()
    name = names.document("projects", change.scope.project_id, "apiAccess", key_id)
    write = pb.Write(update=pb.Document(name=name))
    values.to_fields(write.update.fields, {"narrowed": True})
    write.update_mask.field_paths.append("narrowed")
    write.current_document.exists = True
    change.writes.append(write)
    change.after.append(lambda: api_keys.forget(key_id))


def _transform(change: Change, user_id: str) -> Any:
    pb = messages()
    write = pb.Write(update=pb.Document(name=names.document("users", user_id)))
    # An empty mask: no field but the list is touched.
    write.update_mask.SetInParent()
    write.current_document.exists = True
    transform = write.update_transforms.add(field_path="projects")
    change.writes.append(write)
    return transform


def _of_platform(user_id: str, fields: dict[str, Any]) -> Subject:
    name = names.document("users", user_id)
    admin = bool(fields.get("admin"))
    return Subject("user", user_id, _name(fields), platform=True, admin=admin, document=name)


def _name(fields: dict[str, Any]) -> str:
    return str(fields.get("username") or fields.get("name") or "")
