"""What is wrong with a script, and what of it can be run: told from its text, which is never run here."""

from __future__ import annotations

from collections.abc import Sequence

from fulcrum.core.script_files import MAIN, packages
from functions.api.resources import script_check
from shared.errors import ApiError
from shared.model.script import ScriptCode, ScriptEntry
from shared.model.script_life import ScriptChecked, ScriptProblem

_MOST_TOLD = 20


async def checked(code: ScriptCode) -> ScriptChecked:
    """What a check of all files finds."""
    found = await script_check.inspected({MAIN: code.code} | code.files)
    warnings = list(found.warnings)
    if not packages(code.requirements):
        # Which package brings a module cannot be told by its name; without any, none does.
        warnings += [script_check.Problem(one.file, one.line, one.message) for one in found.imports]
    return ScriptChecked(
        ok=not found.problems,
        entries=[ScriptEntry(name=one.name, needs=dict(one.needs)) for one in found.entries],
        problems=_told(found.problems),
        warnings=_told(warnings),
    )


async def deployable(code: ScriptCode) -> ScriptChecked:
    """:func:`checked`; ApiError 400 ``script.code`` if it cannot be deployed."""
    found = await checked(code)
    if not found.ok:
        told = [
            f"{one.file}, line {one.line}: {one.message}" if one.line else f"{one.file}: {one.message}"
            for one in found.problems[:_MOST_TOLD]
        ]
        raise ApiError(
            400, "script.code", "the script: " + "; ".join(told), "correct the script, and deploy it then"
        )
    return found


def _told(problems: Sequence[script_check.Problem]) -> list[ScriptProblem]:
    return [ScriptProblem(file=one.file, line=one.line, message=one.message) for one in problems]
