"""What is wrong with a template whatever it is filled from: said when it is saved, not when a mail is due."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared import template_process, templates
from shared.errors import ApiError

_MOST_TOLD = 5
# The fields with something to fill.
FIELDS = ("email", "sms")


async def check(fields: Mapping[str, Any]) -> None:
    """ApiError 400 ``template.text`` for a template that cannot be filled; Transient where nobody can say."""
    email = fields.get("email") or {}
    template = templates.Template(
        "", email.get("subject"), email.get("html"), email.get("text"), fields.get("sms")
    )
    found = await template_process.inspect(templates.parts(template))
    if not found.problems:
        return
    said = "; ".join(f"{each.part}: {each.message}" for each in found.problems[:_MOST_TOLD])
    raise ApiError(400, "template.text", f"the template: {said}", "correct the template; it was not saved")
