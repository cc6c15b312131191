"""Templates filled from a sample, by the same code that fills them when they are sent."""

from __future__ import annotations

from functions.api.needs import Call
from shared import template_process, templates
from shared.model.template import (
    MAX_SMS,
    MAX_SUBJECT,
    TEMPLATE,
    TemplatePreview,
    TemplateProblem,
    TemplateSample,
)


async def preview(call: Call, template_id: str, sample: TemplateSample) -> TemplatePreview:
    """What a template comes to, or the draft in its place. ApiError 404, 410 where there is no template."""
    stored = (await call.scope.get(TEMPLATE, template_id)).model()
    email, sms = sample.email or stored.email, sample.sms or stored.sms
    template = templates.Template(
        template_id,
        email.subject if email else None,
        email.html if email else None,
        email.text if email else None,
        sms,
    )
    filled = await template_process.preview(templates.parts(template), sample.context)
    texts = {name: _as_sent(name, text) for name, text in filled.texts.items()}
    problems = [_problem(each.part, each.message) for each in filled.problems]
    for name, most in (("subject", MAX_SUBJECT), ("sms", MAX_SMS)):
        if (length := len(texts.get(name, ""))) > most:
            problems.append(_problem(name, f"it has {length} characters; at most {most}"))
    if texts.get("subject") == "":
        problems.append(_problem("subject", "nothing is left of it"))
    return TemplatePreview(**texts, names=filled.names, problems=problems)


def _problem(part: str, message: str) -> TemplateProblem:
    return TemplateProblem.model_validate({"part": part, "message": message})


def _as_sent(name: str, text: str) -> str:
    if name == "subject":
        return templates.one_line(text)
    return text.strip() if name == "sms" else text
