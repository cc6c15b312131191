"""What may be done with users, and by whom. The rules of the routes in ``user_routes``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.api.access import grants, known, passwords, people
from functions.api.needs import Call, denied
from functions.api.resources import once, patch
from functions.api.resources.items import validated
from functions.api.roles import admins
from shared import names, values
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from shared.errors import ApiError
from shared.model.user import PlatformUserCreate, User, UserCreate
from shared.store import cascade
from shared.store import query as queries
from shared.store.audit import Actor
from shared.store.change import Change, check_match, retrying, taken
from shared.store.query import Query, Where
from shared.store.scope import Stored

# How long after signing in one may change where one's mail goes.
FRESH_MS = 15 * 60_000
_MAX_WRITES = 400
# What of a user decides who he is, and where a new password is sent.
_IDENTITY = frozenset({"username", "email"})
# What a project that somebody works in sees of him.
_SEEN = frozenset({"username", "name", "created", "lastModified", "version"})


def change_in(call: Call, home: people.Home) -> Change:
    """A change of a home's users, in the caller's name."""
    actor = Actor(call.principal.kind, call.principal.id, call.principal.name)
    return Change(home.scope, actor, call.request_id)


def home_of(call: Call) -> people.Home:
    """Whose users a request is about: the project's that it names, else the platform's."""
    return people.home(call.principal.project_id)


async def get(call: Call, user_id: str, *, reading: bool = False) -> Stored[User]:
    """A user whom the caller may know of; ApiError 404 or 410.

    In a project: its accounts; to read, also the platform's users who work in it, of whom it sees only the
    names. The platform's administrators find everybody.
    """
    home = home_of(call)
    stored = await home.scope.find(home.kind, user_id)
    if stored is None and home.project_id and (reading or call.principal.admin):
        stored = await people.find(user_id, "")
        if stored is not None and not call.principal.admin:
            works_here = home.project_id in (stored.fields.get("projects") or ())
            stored = _named_only(call, stored) if works_here else None
    return stored if stored is not None else await home.scope.get(home.kind, user_id)


def _named_only(call: Call, stored: Stored[User]) -> Stored[User]:
    """A user of the platform as a project sees him: in which other projects he works is not its business."""
    if stored.id == call.principal.id:
        return stored
    return stored._replace(fields={key: stored.fields[key] for key in _SEEN & stored.fields.keys()})


async def create(call: Call, body: UserCreate | PlatformUserCreate, key: str | None) -> Stored[User]:
    """Make a user; ApiError 409 for a username that somebody has."""
    home = home_of(call)
    fields = body.model_dump(by_alias=True, exclude_none=True, mode="json", exclude={"password"})
    if home.project_id and (fields.pop("admin", False) or fields.pop("projects", [])):
        raise ApiError(
            400,
            "user.platform",
            "admin and projects are of users of the platform, not of a project's accounts",
            "leave them out, or leave out the project",
        )
    fields = {name: value for name, value in fields.items() if name in _wire(home)}
    password = body.password.get_secret_value() if body.password is not None else None
    secret: dict[str, Any] = {}
    if password is not None:
        passwords.check(password, body.username)
        secret = {"passwordHash": await passwords.hashed(password), "passwordVersion": 1}

    async def attempt() -> Stored[User]:
        if home.project_id:
            await home.scope.must_exist()
        change = change_in(call, home)
        above = ("projects", home.scope.project_id)
        # A fast hash of a password must stand nowhere: the key holds for all of the body but that.
        made = await once.known_id(call, change, key, "user_create", fields, above=above)
        if made is None:
            await _check_name(home, body.username)
            made = change.create(home.kind, fields | secret, change.planned_id)
            if fields.get("admin"):
                await people.change_administrators(change, made, True)
            await change.commit()
        return await home.scope.get(home.kind, made)

    stored: Stored[User] = await retrying(attempt)
    return stored


async def update(
    call: Call, user_id: str, body: patch.Patch, if_match: str | None, *, own: frozenset[str] | None = None
) -> Stored[User]:
    """Change a user. ``own``: what he may change of himself, if he is the one who calls."""

    async def attempt() -> Stored[User]:
        stored = await _own(call, user_id) if own is not None else await get(call, user_id)
        check_match(stored, if_match)
        home = people.home_of(stored)
        allowed = home.kind.patchable if own is None else own
        changed = patch.apply("user", allowed, stored.fields, body)
        whole = validated(home.kind, stored, changed)
        if own is None and _IDENTITY & changed.keys():
            await require_power(call, stored)
        if "username" in changed:
            await _check_name(home, str(whole["username"]))
        change = change_in(call, home)
        if "admin" in changed:
            await people.change_administrators(change, stored.id, bool(whole["admin"]))
        if not change.update(stored, {name: whole.get(name) for name in changed}):
            return stored
        change.after.append(lambda: known.forget_user(stored.id))
        await change.commit()
        return await home.scope.get(home.kind, stored.id)

    made: Stored[User] = await retrying(attempt)
    return made


async def _check_name(home: people.Home, username: str) -> None:
    """ApiError 409 for the name of a platform user who works in the project.

    At sign-in an account goes before him: whoever may make accounts could keep him out by one.
    """
    member = await people.by_name(username, "") if home.project_id else None
    if member is not None and home.project_id in (member.fields.get("projects") or ()):
        raise taken("user", "username", username)


async def delete(call: Call, user_id: str, if_match: str | None) -> str | None:
    """Delete a user, and with him his sessions and roles; the job that clears them, if there is one."""

    async def attempt() -> str | None:
        home = home_of(call)
        if home.project_id and await home.scope.find(home.kind, user_id) is None:
            # Sent again, maybe because its job could not be started.
            job_id = await cascade.resume(home.scope, "user", user_id)
            if job_id is not None:
                return job_id
        stored = await get(call, user_id)
        check_match(stored, if_match)
        home = people.home_of(stored)
        await require_power(call, stored)
        change = change_in(call, home)
        job_id = None
        if home.project_id:
            await admins.keep_one(change, without_user=stored.id)
            job_id = await cascade.begin(change, stored)
        else:
            await people.change_administrators(change, stored.id, False)
            for project_id in stored.fields.get("projects") or ():
                await _take_roles(project_id, stored.id)
        change.delete(stored)
        change.after.append(lambda: known.forget_user(stored.id))
        await change.commit()
        await cascade.publish(home.scope, job_id)
        return job_id

    made: str | None = await retrying(attempt)
    return made


async def require_power(call: Call, stored: Stored[User]) -> None:
    """ApiError 403 unless the caller holds all that a user does: else he could take over what he lacks."""
    project_id = people.home_of(stored).project_id
    if call.principal.admin:
        return
    if not project_id or not call.principal.covers(await grants.read("user", stored.id, project_id)):
        raise denied("user.update, and every permission that the user holds")


async def _own(call: Call, user_id: str) -> Stored[User]:
    stored = await people.find(user_id, call.principal.project_id)
    if stored is None:
        raise people.missing(user_id)
    return stored


def _wire(home: people.Home) -> set[str]:
    return {info.alias or name for name, info in home.kind.create.model_fields.items()}


async def _take_roles(project_id: str, user_id: str) -> None:
    """Take from a user of the platform what he holds in a project; a repeat finds what is left."""
    parent = names.project(project_id)
    query = queries.conditions("userRoles", Query((Where("subjectId", "==", user_id),)))
    query.limit.value = _MAX_WRITES
    while found := await firestore.run_query(parent, query):
        await firestore.commit([messages().Write(delete=document.name) for document in found])
    grants.forget(project_id, "user", user_id)


async def places(call: Call, stored: Stored[User], kind: str) -> dict[str, list[str]]:
    """The systems or devices on which a user has roles: id → ids of his roles. At most 1,000 grants."""
    where = (
        Where("subjectKind", "==", "user"),
        Where("subjectId", "==", stored.id),
        Where("resourceKind", "==", kind),
    )
    query = queries.conditions("userRoles", Query(where))
    query.limit.value = 1000
    found = await firestore.run_query(names.project(call.scope.project_id), query)
    held: dict[str, list[str]] = {}
    for document in found:
        fields: Mapping[str, Any] = values.from_fields(document.fields)
        held.setdefault(str(fields["resourceId"]), []).append(str(fields["roleId"]))
    return held


def check_fresh(session_created: int, now: int) -> None:
    """ApiError 403 where a session is too old to change where its user's mail goes.

    With a token that he found, a thief would have the next password sent to himself.
    """
    if now - session_created > FRESH_MS:
        raise ApiError(
            403,
            "session.tooOld",
            "the address of mail can be changed within 15 minutes of signing in",
            "sign in again, then change it",
        )
