"""The secrets of a local stack: made at the first start, kept with its state if it has any."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

_FILE = "secrets.json"


def values(names: Iterable[str], folder: Path | None) -> dict[str, str]:
    """A value for each name; those that ``folder`` keeps from an earlier start stay the same."""
    path = folder / _FILE if folder is not None else None
    kept: dict[str, str] = json.loads(path.read_text()) if path is not None and path.exists() else {}
    made = {name: kept.get(name) or secrets.token_urlsafe(48) for name in names}
    if path is not None and made != kept:
        draft = path.with_suffix(".draft")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(kept | made, file)
        draft.replace(path)
    return made
