"""One write: what is wrong with it before it runs, and what a document is after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emulators.firestore import errors, fields, names, transforms, values, wire
from emulators.firestore.documents import Stored
from emulators.firestore.names import Name


@dataclass(frozen=True, slots=True)
class Checked:
    """A write that may be tried."""

    name: Name
    kind: str
    pb: Any
    mask: tuple[fields.Path, ...] | None
    transforms: Any
    whole: bool
    """Whether the document's content does not depend on what it was before."""


def check(write: Any, database: str) -> Checked:
    """Refuse a write that is wrong in itself: these errors fail a whole call."""
    kind = write.WhichOneof("operation")
    if kind is None:
        raise errors.invalid("empty write operation")
    if kind == "update":
        document = write.update
        name = names.document(document.name)
        values.check_document(document)
    elif kind == "delete":
        name = names.document(write.delete)
        _check_bare(write, "delete")
    else:
        name = names.document(write.transform.document)
        _check_bare(write, "transform")
        if not write.transform.field_transforms:
            raise errors.invalid("The list of FieldTransform must not be empty.")
    if name.database != database:
        raise errors.foreign_document(name.full, database)
    mask = None
    if kind == "update" and write.HasField("update_mask"):
        mask = tuple(fields.parse(path) for path in write.update_mask.field_paths)
    listed = write.transform.field_transforms if kind == "transform" else write.update_transforms
    if listed:
        transforms.check(listed)
    return Checked(name, kind, write, mask, listed, kind == "update" and mask is None and not listed)


def _check_bare(write: Any, kind: str) -> None:
    if write.HasField("update_mask"):
        raise errors.invalid(f"a {kind} must not specify a document mask.")
    if write.update_transforms:
        raise errors.invalid(f"a {kind} must not specify a update transform.")


def check_precondition(write: Checked, current: Stored | None) -> None:
    """Refuse a write whose ``current_document`` does not hold."""
    if not write.pb.HasField("current_document"):
        return
    precondition = write.pb.current_document
    condition = precondition.WhichOneof("condition_type")
    if condition == "exists":
        if precondition.exists and current is None:
            raise errors.nothing_to_update(write.name.full)
        if not precondition.exists and current is not None:
            raise errors.already_exists(write.name.full)
    elif condition == "update_time":
        wanted = precondition.update_time
        required = wanted.seconds * 1_000_000 + wanted.nanos // 1000
        stored = 0 if current is None else current.updated
        if stored != required:
            raise errors.wrong_version(stored, required)


def apply(write: Checked, current: Stored | None, now_us: int, result: Any) -> bytes | None:
    """The document after a write, as ``Stored.raw``; None if it is deleted.

    Transform results go into ``result``, a WriteResult.
    """
    if write.kind == "delete":
        return None
    if write.whole:
        document = write.pb.update
        # Times in a written document are the service's to set.
        document.ClearField("create_time")
        document.ClearField("update_time")
    else:
        document = _merged(write, current)
        if write.transforms:
            transforms.apply(write.transforms, document.fields, now_us, result.transform_results)
            values.check_document(document)
    raw: bytes = document.SerializeToString(deterministic=True)
    values.check_size(write.name.full, document.fields, len(raw))
    return raw


def _merged(write: Checked, current: Stored | None) -> Any:
    if write.kind == "update" and write.mask is None:
        document = wire.Document(name=write.name.full)
        for name, value in write.pb.update.fields.items():
            document.fields[name].CopyFrom(value)
        return document
    document = (
        wire.Document(name=write.name.full) if current is None else wire.Document.FromString(current.raw)
    )
    for path in write.mask or ():
        value = fields.get(write.pb.update.fields, path)
        if value is None:
            fields.remove(document.fields, path)
        else:
            fields.put(document.fields, path, value)
    return document
