"""Numbered revisions: the whole document of a project, each time that it was changed by one."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from functions.api.project_code.document import digest
from shared import names, values
from shared.clients import firestore
from shared.errors import ApiError
from shared.store import query as queries
from shared.store.change import Change
from shared.store.scope import Scope, not_found

# A document of the store holds 1 MiB in all.
MAX_PACKED_BYTES = 900_000
# What may come out of them: no more than a request may bring in.
_MAX_BYTES = 10_000_000
_HEAD = "codeRevision"
_json = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Revision:
    """A revision without its document. ``time`` is in epoch ms."""

    number: int
    time: int
    actor: Mapping[str, Any]
    message: str
    digest: str


def head(project_fields: Mapping[str, Any]) -> tuple[int, str]:
    """The number and the digest of a project's latest revision; 0 and nothing before the first."""
    found = project_fields.get(_HEAD)
    if not isinstance(found, dict):
        return 0, ""
    return int(found.get("number", 0)), str(found.get("digest", ""))


def job(project_fields: Mapping[str, Any]) -> str | None:
    """The job of what a project's latest revision deleted, if it deleted anything."""
    found = project_fields.get(_HEAD)
    named = found.get("jobId") if isinstance(found, dict) else None
    return named if isinstance(named, str) else None


def record(change: Change, number: int, document: Mapping[str, Any], message: str) -> dict[str, Any]:
    """Add a revision to a change; returns the project's fields that say that it is the latest."""
    packed = zlib.compress(_json(document), 9)
    if len(packed) > MAX_PACKED_BYTES:
        raise ApiError(
            400,
            "code.tooLarge",
            f"the document has {len(packed)} bytes when packed, and a revision holds {MAX_PACKED_BYTES}",
            "keep long texts (scripts, templates) elsewhere, or split the project",
        )
    fields = {
        "number": number,
        "time": change.now,
        "actor": change.actor.fields(),
        "message": message,
        "digest": digest(document),
        "document": packed,
    }
    change.put(_name(change.scope, number), fields, exists=False)
    latest = {"number": number, "digest": fields["digest"], "jobId": change.job_id}
    return {_HEAD: {key: value for key, value in latest.items() if value is not None}}


async def load(scope: Scope, number: int) -> tuple[Revision, dict[str, Any]]:
    """A revision with its document; ApiError 404 if there is none of that number."""
    name = _name(scope, number)
    found = (await firestore.batch_get([name])).get(name)
    if found is None:
        raise not_found("revision", str(number))
    fields = values.from_fields(found.fields)
    unpacked = zlib.decompressobj().decompress(fields["document"], _MAX_BYTES)
    return _revision(fields), msgspec.json.decode(unpacked, type=dict[str, Any])


async def latest(scope: Scope, limit: int, before: int | None) -> list[Revision]:
    """Revisions, the newest first; those before a number if one is given."""
    where = (queries.Where("number", "<", before),) if before is not None else ()
    query = queries.Query(where, order="number", descending=True, limit=limit - 1)
    parent = names.project(scope.project_id)
    built = queries.structured("revisions", query, parent)
    for field in ("number", "time", "actor", "message", "digest"):
        built.select.fields.add(field_path=field)
    documents = await firestore.run_query(parent, built)
    return [_revision(values.from_fields(document.fields)) for document in documents]


def _revision(fields: Mapping[str, Any]) -> Revision:
    return Revision(
        int(fields["number"]),
        int(fields["time"]),
        fields["actor"],
        str(fields["message"]),
        str(fields["digest"]),
    )


def _name(scope: Scope, number: int) -> str:
    return names.document("projects", scope.project_id, "revisions", f"{number:08d}")
