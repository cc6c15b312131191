"""The operation that shows what a template comes to.

No postponed annotations here: the framework reads the handlers' annotations.
"""

from typing import Annotated

from fastapi import Body, Path

from functions.api.needs import Call, needs
from functions.api.resources.answers import GONE
from functions.api.router import Router
from functions.api.templates import previewing
from shared.model.template import TemplatePreview, TemplateSample

router = Router("template")
TemplateId = Annotated[str, Path(max_length=200, description="The id of the template")]
Sample = Annotated[
    TemplateSample, Body(openapi_examples={"sample": {"value": {"context": {"name": "Cold store 4"}}}})
]


@router.post(
    "/template/{template_id}/preview",
    operation_id="template_preview",
    summary="Fill a template from a sample",
    description="What the template comes to with this context: subject, html, text and sms as they would be "
    "sent, or what is wrong with a part, with its line; and the names that it takes from the context. With "
    "`email` or `sms` a draft is filled in place of what is stored. Nothing is sent or stored.",
    responses=GONE,
)
async def preview(
    template_id: TemplateId, call: Annotated[Call, needs("template.read")], sample: Sample
) -> TemplatePreview:
    return await previewing.preview(call, template_id, sample)
