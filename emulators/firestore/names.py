"""Resource names: projects/*/databases/*/documents/{collection/id}*."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from emulators.firestore.errors import invalid

_ROOT = re.compile(r"projects/[^/]+/databases/[^/]+")
_RESERVED = re.compile(r"__.+__", re.DOTALL)
_NUMBER = re.compile(r"__id(-?[1-9][0-9]*)__")
_MAX_ID_BYTES = 1500
_LEAST, _GREATEST = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class Name:
    """A document's name in its parts."""

    full: str
    database: str
    collection: str
    """Full path of the collection that holds it."""
    collection_id: str
    key: tuple[str, ...]
    """Sorts as the service sorts names: segment by segment, numbers first, then by UTF-8 bytes."""


@lru_cache(maxsize=200_000)
def document(full: str) -> Name:
    """Take a document's name apart; raises INVALID_ARGUMENT for one that cannot be."""
    root = _check(full, "Document name", 1)
    segments = full[len(root) + len("/documents/") :].split("/")
    if len(full) > _MAX_ID_BYTES and any(len(part.encode()) > _MAX_ID_BYTES for part in segments):
        raise invalid("The key path element name is longer than 1500 bytes.")
    return Name(full, root, full[: full.rindex("/")], segments[-2], _key(full))


@lru_cache(maxsize=10_000)
def parent(full: str) -> str:
    """Check the name of a query's parent (a document, or …/documents); returns its database."""
    return _check(full, "Document parent name", 0)


@lru_cache(maxsize=1_000)
def database(full: str) -> str:
    """Check a database's name."""
    _root(full, "Database name")
    return full


def reference(full: str) -> tuple[str, ...]:
    """The sort key of a reference value."""
    _check(full, "Resource name", 1)
    return _key(full)


def _key(full: str) -> tuple[str, ...]:
    segments = full.split("/")
    if "/__id" in full:
        segments = [place(segment) for segment in segments]
    return tuple(segments)


def place(segment: str) -> str:
    """What an id sorts by: ``__id7__`` stands for the number 7, and numbers come before all else."""
    number = _NUMBER.fullmatch(segment) if segment.startswith("__id") else None
    return f"\0{int(number[1]) - _LEAST:020}" if number else segment


def check_collection_id(collection: str) -> None:
    """Refuse what cannot be the id of a collection."""
    if "/" in collection:
        raise invalid(f'Collection id "{collection}" is invalid because it contains "/".')
    if _RESERVED.fullmatch(collection):
        raise invalid(f'Collection id "{collection}" is invalid because it is reserved.')


def check_document_id(document_id: str) -> None:
    """Refuse what cannot be the id of a document."""
    if "/" in document_id:
        raise invalid(f'Resource id "{document_id}" is invalid because it contains "/".')


def _root(full: str, kind: str) -> str:
    found = _ROOT.match(full)
    if found:
        return found[0]
    at = 0
    for position, part in enumerate(("projects", None, "databases", None)):
        segment, slash, _ = full[at:].partition("/")
        if part is not None and segment != part:
            raise invalid(f'{kind} "{full}" lacks "{part}" at index {at}.')
        if not segment:
            raise invalid(f'{kind} "{full}" lacks a resource id at index {at}.')
        if not slash and position < 3:
            raise invalid(f'{kind} "{full}" lacks "/" at index {len(full)}.')
        at += len(segment) + 1
    return full


def _check(full: str, kind: str, least: int) -> str:
    """Check a whole name; ``least`` is 1 where the database's root alone will not do."""
    root = _root(full, kind)
    at = len(root)
    if full == root:
        raise invalid(f'{kind} "{full}" lacks "/" at index {at}.')
    if not full.startswith("/documents", at):
        raise invalid(f'{kind} "{full}" lacks "documents" at index {at + 1}.')
    at += len("/documents")
    if at == len(full):
        if least:
            raise invalid(
                f'{kind} "{full}" is invalid: Omit "/documents" when referencing a database '
                "(except as the parent of a document)."
            )
        return root
    if full[at] != "/":
        raise invalid(f'{kind} "{full}" lacks "/" at index {at}.')
    if at + 1 == len(full):
        raise invalid(f'{kind} "{full}" is invalid: Omit trailing "/".')
    _check_segments(full, kind, at + 1)
    return root


def _check_segments(full: str, kind: str, at: int) -> None:
    if full.endswith("/"):
        raise invalid(f'{kind} "{full}" has invalid trailing "/".')
    segments = full[at:].split("/")
    for position, segment in enumerate(segments):
        if not segment:
            raise invalid(f'{kind} "{full}" lacks a resource id at index {at}.')
        if segment in (".", ".."):
            raise invalid(f'{kind} "{full}" contains a resource id "{segment}" at index {at}.')
        if segment.startswith("__") and _RESERVED.fullmatch(segment):
            _check_reserved(segment, bool(position % 2))
        at += len(segment) + 1
    if len(segments) % 2:
        raise invalid(f'{kind} "{full}" lacks "/" at index {len(full)}.')


def _check_reserved(segment: str, is_document: bool) -> None:
    """Of all ids with underscores around them only numbers are allowed, and those for documents alone."""
    number = _NUMBER.fullmatch(segment) if is_document else None
    if number is None:
        what = "Resource id" if is_document else "Collection id"
        raise invalid(f'{what} "{segment}" is invalid because it is reserved.')
    if not _LEAST <= int(number[1]) <= _GREATEST:
        raise invalid(f'Resource id "{segment}" is invalid because it is not a 64 bit integer.')
