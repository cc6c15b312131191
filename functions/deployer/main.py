"""Pushes from ``deploy``: carry on with what a script's deployment has left to do."""

from __future__ import annotations

import time

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.deployer import run
from shared import push, script_documents
from shared.envelope import Delivery
from shared.errors import Rejected
from shared.log import log
from shared.quarantine import SetAside, set_aside

SERVICE = "deployer"


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def deployer(request: Request) -> Response:
    """204 when the message has done its work; 500 has it delivered again; 400 is no push at all."""
    return await push.answer(request, _handle)


async def _handle(delivery: Delivery, trace: str | None) -> None:
    started = time.perf_counter()
    try:
        message = script_documents.decode(delivery.data)
        outcome = await run.go_on(message)
    except Rejected as error:
        topic, project = script_documents.TOPIC, delivery.attributes.get("projectId")
        entry = SetAside(error, delivery.data, SERVICE, topic, delivery.message_id, project_id=project)
        await set_aside([entry], trace)
        return
    log(
        "ERROR" if outcome == "failed" else "INFO",
        "deployment",
        trace=trace,
        **delivery.named(),
        deployment=message.deployment_id,
        outcome=outcome,
        ms=round((time.perf_counter() - started) * 1000),
    )
