"""What is wrong with a script, and what of it can be run: told from its text, which is never run here."""

from __future__ import annotations

from functions.api.resources import script_check
from shared.errors import ApiError
from shared.model.script import ScriptCode
from shared.model.script_files import MAIN
from shared.model.script_life import ScriptChecked

_MOST_TOLD = 20


async def checked(code: ScriptCode) -> ScriptChecked:
    """What a check of all files finds."""
    return ScriptChecked.model_validate(await script_check.inspected({MAIN: code.code} | code.files))


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
