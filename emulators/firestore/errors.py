"""The answers of the service other than OK, with its codes and messages."""

from __future__ import annotations

from grpc import StatusCode

from emulators.kit.rpc import StatusError


def invalid(message: str) -> StatusError:
    """INVALID_ARGUMENT."""
    return StatusError(StatusCode.INVALID_ARGUMENT, message)


def unsupported(what: str) -> StatusError:
    """UNIMPLEMENTED: a part of a known method that this emulator does not do."""
    return StatusError(StatusCode.UNIMPLEMENTED, f"{what} is not implemented by Fulcrum's emulator")


def foreign_document(name: str, database: str) -> StatusError:
    """INVALID_ARGUMENT: a document of another database than the call's."""
    return invalid(f'Document name "{name}" is not within database "{database}".')


def not_found(name: str) -> StatusError:
    """NOT_FOUND of a read."""
    return StatusError(StatusCode.NOT_FOUND, f"Document ({name}) not found.")


def nothing_to_update(name: str) -> StatusError:
    """NOT_FOUND of a write that requires the document to exist."""
    parts = name.split("/")
    elements = "".join(
        f'  Element {{\n    type: "{parts[i]}"\n    name: "{parts[i + 1]}"\n  }}\n'
        for i in range(5, len(parts), 2)
    )
    return StatusError(
        StatusCode.NOT_FOUND, f'no entity to update: app: "dev~{parts[1]}"\npath <\n{elements}>\n'
    )


def already_exists(name: str) -> StatusError:
    """ALREADY_EXISTS of a write that requires the document not to exist."""
    parts = name.split("/")
    path = "/".join(parts[5:])
    return StatusError(
        StatusCode.ALREADY_EXISTS,
        f"entity already exists: EntityRef{{partitionRef=dev~{parts[1]}, path=/{path}}}",
    )


def wrong_version(stored_us: int, required_us: int) -> StatusError:
    """FAILED_PRECONDITION of a write whose ``update_time`` is not the document's."""
    return StatusError(
        StatusCode.FAILED_PRECONDITION,
        f"the stored version ({stored_us}) does not match the required base version ({required_us})",
    )


def lock_timeout() -> StatusError:
    """ABORTED: the write lost against a transaction that has read what it would change."""
    return StatusError(StatusCode.ABORTED, "Transaction lock timeout.")


def unknown_transaction() -> StatusError:
    """INVALID_ARGUMENT: an id that was never given out."""
    return invalid("Invalid transaction.")


def closed_transaction() -> StatusError:
    """INVALID_ARGUMENT: an id whose transaction has ended."""
    return invalid("Transaction is invalid or closed.")


def read_only_transaction() -> StatusError:
    """INVALID_ARGUMENT: a write in a read-only transaction."""
    return invalid("Cannot modify entities in a read-only transaction.")


def needs_index(wanted: str) -> StatusError:
    """FAILED_PRECONDITION of strict mode; ``wanted`` is the entry that the index file lacks."""
    return StatusError(
        StatusCode.FAILED_PRECONDITION,
        f"The query requires an index. Add it to firestore.indexes.json: {wanted}",
    )


def exempted_field(collection: str, field: str, mode: str) -> StatusError:
    """FAILED_PRECONDITION of strict mode: a fieldOverride takes away what the query needs."""
    return StatusError(
        StatusCode.FAILED_PRECONDITION,
        f"The query requires an index. The single-field index {mode} of {collection}.{field} is not "
        "enabled in the fieldOverrides of firestore.indexes.json",
    )


def descending_names() -> StatusError:
    """FAILED_PRECONDITION of a query by name alone, backwards."""
    return StatusError(StatusCode.FAILED_PRECONDITION, "Firestore does not support descending key scans")
