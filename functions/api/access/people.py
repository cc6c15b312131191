"""Users, wherever they are at home: on the platform, or in one project.

To the store the platform's users are resources of the project that is none (:data:`shared.names.NO_PROJECT`),
so that names, versions, tombstones and audit entries are kept for both alike.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from fulcrum.core import ids
from functions.api.access import documents
from functions.api.access.session_state import password_version
from shared import names, values
from shared.clients import firestore
from shared.clients.firestore import Document
from shared.errors import ApiError
from shared.model.base import Kind
from shared.model.user import PLATFORM_USER, USER, User
from shared.store.change import Change, lock_name
from shared.store.scope import Scope, Stored, not_found


class Home(NamedTuple):
    """Where users live: the project (none for the platform), and their kind."""

    scope: Scope
    kind: Kind[User]

    @property
    def project_id(self) -> str:
        """The project; empty for the platform."""
        return "" if self.scope.project_id == names.NO_PROJECT else self.scope.project_id

    def name_lock(self, username: str) -> str:
        """The document that says whose a username is (``holder``)."""
        return lock_name(self.scope, "user", "username", username.casefold())


PLATFORM = Home(Scope(names.NO_PROJECT), PLATFORM_USER)


def home(project_id: str) -> Home:
    """The home of a project's accounts, or the platform for no project."""
    return Home(Scope(project_id), USER) if project_id not in ("", names.NO_PROJECT) else PLATFORM


async def find(user_id: str, project_id: str) -> Stored[User] | None:
    """A user by id: an account of the project if there is one, else a user of the platform. One call."""
    homes = [home(project_id), PLATFORM] if project_id else [PLATFORM]
    wanted = {each.scope.name(each.kind, user_id): each for each in homes}
    found = await firestore.batch_get(wanted)
    for name, each in wanted.items():
        if name in found:
            return read(each, found[name])
    return None


async def by_name(username: str, project_id: str) -> Stored[User] | None:
    """A user of one home by his username. Two reads."""
    place = home(project_id)
    lock = place.name_lock(username)
    held = (await firestore.batch_get([lock])).get(lock)
    user_id = holder(held)
    return await place.scope.find(place.kind, user_id) if user_id else None


def holder(lock: Document | None) -> str:
    """Whose a name is; empty if it is nobody's."""
    return "" if lock is None else str(values.from_fields(lock.fields).get("holder", ""))


def read(place: Home, document: Document) -> Stored[User]:
    """A user as stored."""
    fields = values.from_fields(document.fields)
    return Stored(place.kind, document.id, document.name, fields, document.update_time)


def home_of(stored: Stored[User]) -> Home:
    """Where a stored user lives."""
    segments = stored.name.split("/documents/")[1].split("/")
    return PLATFORM if segments[0] == "users" else home(segments[1])


def shown(stored: Stored[User]) -> User:
    """A user as he is answered."""
    project_id = home_of(stored).project_id or None
    return stored.model().model_copy(update={"project_id": project_id})


def email(stored: Stored[User]) -> str | None:
    """Where a user gets mail, if anywhere."""
    address = stored.fields.get("email") or stored.fields.get("username")
    return address if isinstance(address, str) and "@" in address else None


def new_password(stored: Stored[User], password_hash: str, now: int) -> dict[str, Any]:
    """The fields of a user whose password changes: every session but those moved along is over."""
    return {
        "passwordHash": password_hash,
        "passwordVersion": password_version(stored.fields) + 1,
        "passwordChanged": now,
    }


# --- administrators of the platform


def administrators() -> str:
    """The document with the ids of the platform's administrators, so that the last one stays."""
    return names.document("platform", "administrators")


async def change_administrators(change: Change, user_id: str, is_admin: bool) -> None:
    """Enter or strike a user as administrator in the same change; ApiError 409 for the last one."""
    name = administrators()
    document = (await firestore.batch_get([name])).get(name)
    present = set() if document is None else set(values.from_fields(document.fields).get("ids") or ())
    after = present | {user_id} if is_admin else present - {user_id}
    if after == present:
        return
    if not after:
        raise ApiError(
            409,
            "user.lastAdmin",
            "he is the platform's last administrator",
            "make somebody else administrator first",
        )
    fields = {"ids": sorted(after)}
    change.writes.append(
        documents.create(name, fields)
        if document is None
        else documents.update(name, fields, document.update_time)
    )


def missing(user_id: str) -> ApiError:
    """404 for a user."""
    return not_found("user", user_id)


def nobody() -> str:
    """A document that is never there: read in place of an unknown user, so that both take as long."""
    return names.document("users", ids.digest("nobody"))
