"""The bytes of a request: read and unpacked, neither of them beyond the limit."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from shared.errors import ApiError

MAX_BYTES = 1_000_000
# Each member costs a copy of what follows it.
MAX_MEMBERS = 100


async def read(headers: Mapping[bytes, bytes], receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> bytes:
    """The body, unpacked; ApiError 400, 413 or 415.

    ``receive`` is ASGI's: reading stops as soon as the limit is passed.
    """
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and (len(declared) > 9 or int(declared) > MAX_BYTES):
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ApiError(400, "request.incomplete", "the connection ended before the body", "send it again")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BYTES:
            raise _too_large()
        chunks.append(chunk)
        if not message.get("more_body", False):
            break
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    encoding = headers.get(b"content-encoding", b"").strip().lower()
    if encoding in (b"", b"identity"):
        return body
    if encoding in (b"gzip", b"x-gzip"):
        return gunzip(body)
    raise ApiError(
        415, "request.badEncoding", "the Content-Encoding is not known", "send plain bytes or gzip"
    )


def gunzip(packed: bytes) -> bytes:
    """Unpack gzip, of a few members too; never makes more than the limit and a byte of it."""
    parts: list[bytes] = []
    size = 0
    while packed:
        if len(parts) == MAX_MEMBERS:
            raise _not_gzip(f"it has more than {MAX_MEMBERS} members")
        unpacker = zlib.decompressobj(wbits=31)
        try:
            part = unpacker.decompress(packed, MAX_BYTES + 1 - size)
        except zlib.error as error:
            raise _not_gzip(str(error)) from None
        size += len(part)
        if size > MAX_BYTES:
            raise _too_large()
        if not unpacker.eof:
            raise _not_gzip("it ends too early")
        parts.append(part)
        packed = unpacker.unused_data
    return b"".join(parts)


def _not_gzip(reason: str) -> ApiError:
    return ApiError(
        400, "request.badGzip", f"the body is not gzip: {reason}", "send whole gzip, or no Content-Encoding"
    )


def _too_large() -> ApiError:
    return ApiError(
        413,
        "request.tooLarge",
        f"the body is larger than {MAX_BYTES} bytes (unpacked)",
        "send several smaller requests",
    )
