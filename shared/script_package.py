"""The zip of a version of a script, as it is uploaded: same input, same bytes. Pure.

===================  =========================================================================
``main.py``          made here: the host, whose entry point is :data:`ENTRY_POINT`
``requirements.txt`` what the host needs, pinned, and then the customer's own lines
``fulcrum/...``      the host, from the caller
``code/...``         the customer's files; ``code/main.py`` is the script itself
``manifest.json``    ``scriptId``, ``projectId``, ``version``, ``limits``
===================  =========================================================================
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import Any

from shared.errors import Rejected

ENTRY_POINT = "script"
MANIFEST = "manifest.json"
CODE = "code"
REQUIREMENTS = "requirements.txt"
MAX_FILES = 200
# A version stands in one document of the store.
MAX_BYTES = 1_000_000

_MAIN = '"""Entry point of a script."""\n\nfrom fulcrum.script.serve import script\n\n__all__ = ["script"]\n'
# Zip has no time before this.
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True)
class Source:
    """A version of a script: ``code`` is the text of main.py, ``files`` the text of the others by path."""

    project_id: str
    script_id: str
    version: int
    code: str
    files: Mapping[str, str] = field(default_factory=dict)
    requirements: str = ""
    limits: Mapping[str, Any] = field(default_factory=dict)


def function_id(project_id: str, script_id: str) -> str:
    """What the function of a script is called in the cloud: of no letters but small ones."""
    # The parts apart by what no id has in it.
    digest = blake2b(f"{project_id}\0{script_id}".encode(), digest_size=16).hexdigest()
    return f"script-{digest}"


def contents(source: Source, host: Mapping[str, bytes], host_requirements: str) -> dict[str, bytes]:
    """Path in the zip → bytes. ``host``: the files of ``fulcrum`` that run it.

    Rejected (``script.badFile``, ``script.tooLarge``) for files that cannot be packed.
    """
    if len(source.files) > MAX_FILES:
        raise Rejected("script.tooLarge", f"{len(source.files)} files: {MAX_FILES} are allowed")
    made = {f"{CODE}/main.py": source.code.encode()}
    for path, text in source.files.items():
        made[f"{CODE}/{_checked(path)}"] = text.encode()
    if (size := sum(map(len, made.values()))) > MAX_BYTES:
        raise Rejected("script.tooLarge", f"the files have {size} bytes: {MAX_BYTES} are allowed")
    manifest = {
        "scriptId": source.script_id,
        "projectId": source.project_id,
        "version": source.version,
        "limits": dict(source.limits),
    }
    return {
        **host,
        **made,
        "main.py": _MAIN.encode(),
        REQUIREMENTS: requirements(host_requirements, source.requirements).encode(),
        MANIFEST: json.dumps(manifest, sort_keys=True).encode(),
    }


def build(source: Source, host: Mapping[str, bytes], host_requirements: str) -> bytes:
    """The zip; see :func:`contents`."""
    files = contents(source, host, host_requirements)
    target = io.BytesIO()
    # Stored, not deflated: the bytes must not depend on the zlib that a machine has.
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _TIME)
            info.external_attr = _MODE
            info.create_system = 3  # Unix, wherever it is made
            archive.writestr(info, files[name])
    return target.getvalue()


def requirements(host: str, own: str) -> str:
    """The host's lines, then the customer's that are not among them."""
    lines = _lines(host)
    return "\n".join([*lines, *(line for line in _lines(own) if line not in lines), ""])


def _lines(text: str) -> list[str]:
    stripped = (re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip() for line in text.splitlines())
    return list(dict.fromkeys(line for line in stripped if line))


def _checked(path: str) -> str:
    parts = PurePosixPath(path).parts
    if path == "main.py":
        raise Rejected("script.badFile", "main.py is the script itself: it is no other file of it")
    if "/".join(parts) != path or not parts or not all(_PART.fullmatch(part) for part in parts):
        raise Rejected(
            "script.badFile",
            f"{path[:200]!r} cannot be packed: use a relative path of letters, digits, '_', '-' and '.'",
        )
    return path
