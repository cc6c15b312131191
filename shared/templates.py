"""The templates of a project, found by alias or id, and messages filled from them.

No model: the functions that send messages start without pydantic. ``shared/model/template.py`` says what
people may write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from shared import names, template_process, values
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from shared.errors import Rejected
from shared.template_process import Part

# FieldFilter.Operator
_EQUAL = 5
_BETWEEN_WORDS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_ID = re.compile(r"(?!__)[A-Za-z0-9_\-]{1,128}\Z")


class Template(NamedTuple):
    """What a template has: a mail's ``subject``, ``html`` and ``text``, and a text message's ``sms``."""

    id: str
    subject: str | None
    html: str | None
    text: str | None
    sms: str | None


class Mail(NamedTuple):
    """A mail's content. ``subject`` is one line."""

    subject: str
    text: str | None
    html: str | None


async def find(project_id: str, named: str) -> Template | None:
    """The template of that alias, or else of that id; None if the project has neither. Transient, Rejected
    where Firestore fails."""
    query = messages().StructuredQuery()
    query.from_.add(collection_id="templates")
    where = query.where.field_filter
    where.field.field_path = "alias"
    where.op = _EQUAL
    where.value.CopyFrom(values.to_value(named))
    query.limit.value = 1
    for document in await firestore.run_query(names.project(project_id), query):
        fields = values.from_fields(document.fields)
        if fields.get("alias") == named:
            return _template(document.id, fields)
    if not _ID.match(named):
        return None
    name = names.document("projects", project_id, "templates", named)
    found = (await firestore.batch_get([name])).get(name)
    return None if found is None else _template(named, values.from_fields(found.fields))


def _template(template_id: str, fields: Mapping[str, Any]) -> Template:
    email = fields.get("email") or {}
    return Template(
        template_id, email.get("subject"), email.get("html"), email.get("text"), fields.get("sms")
    )


def parts(template: Template) -> dict[str, Part]:
    """What of a template is filled, by name: subject, html, text, sms."""
    made = {
        "subject": template.subject,
        "html": template.html,
        "text": template.text,
        "sms": template.sms,
    }
    return {name: Part(source, name == "html") for name, source in made.items() if source}


def one_line(text: str) -> str:
    """A subject as it goes out: without breaks, which would end a mail's header, and other controls."""
    return _BETWEEN_WORDS.sub(" ", text).strip()


async def mail(project_id: str, named: str, context: Mapping[str, Any]) -> Mail | None:
    """A mail filled from a template; None if the project has no such template, or it has no mail.

    Rejected (``template.invalid``) where it cannot be filled. Transient as :func:`find`.
    """
    template = await find(project_id, named)
    if template is None or not template.subject or not (template.html or template.text):
        return None
    wanted = {name: part for name, part in parts(template).items() if name != "sms"}
    filled = await template_process.fill(wanted, context)
    subject = one_line(filled["subject"])
    if not subject:
        raise Rejected("template.invalid", "subject: nothing is left of it")
    return Mail(subject, filled.get("text"), filled.get("html"))


async def sms(project_id: str, named: str, context: Mapping[str, Any]) -> str:
    """A text message filled from a template.

    Rejected (``template.unknown``) if the project has no such template, or it has no text message, and
    (``template.invalid``) where it cannot be filled. Transient as :func:`find`.
    """
    template = await find(project_id, named)
    if template is None or not template.sms:
        raise unknown(named)
    filled = await template_process.fill({"sms": Part(template.sms)}, context)
    return filled["sms"].strip()


def unknown(named: str) -> Rejected:
    """The project has no template of that name that could be sent."""
    return Rejected("template.unknown", f"the project has no template {named[:128]!r} for such a message")
