"""How two versions of a script differ, as text. Pure."""

from __future__ import annotations

import difflib

from fulcrum.core.script_files import MAIN, REQUIREMENTS
from shared.model.script import ScriptCode
from shared.model.script_life import VersionDifference

# Of what is longer it is said that it differs, and not how.
_MAX_LINES = 20_000


def difference(before: tuple[int, ScriptCode], after: tuple[int, ScriptCode]) -> VersionDifference:
    """A unified diff of all files; each is (its number, its code), the draft's number 0."""
    old, new = _files(before[1]), _files(after[1])
    parts = []
    for path in sorted({*old, *new}):
        was, is_ = (files.get(path, "").splitlines(keepends=True) for files in (old, new))
        names = (
            f"{_said(before[0])}/{path}" if path in old else "/dev/null",
            f"{_said(after[0])}/{path}" if path in new else "/dev/null",
        )
        if was != is_ and max(len(was), len(is_)) > _MAX_LINES:
            parts.append(f"--- {names[0]}\n+++ {names[1]}\nFiles of more than {_MAX_LINES} lines differ\n")
            continue
        lines = difflib.unified_diff(was, is_, *names)
        parts += [
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
        ]
    return VersionDifference(before=before[0], after=after[0], same=old == new, text="".join(parts))


def _files(code: ScriptCode) -> dict[str, str]:
    named = {MAIN: code.code, **code.files}
    return named | ({REQUIREMENTS: code.requirements} if code.requirements else {})


def _said(number: int) -> str:
    return str(number) if number else "draft"
