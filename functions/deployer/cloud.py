"""Calls of Cloud Functions and Cloud Run, with the meaning of their errors.

Transient where the same call may work later; Rejected (``deploy.refused``) where it is refused for good.
What belongs to the work (not there, there already, busy) is told by the value.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Sequence
from typing import Any, Literal

import msgspec

from fulcrum.script.wire import Description
from functions.deployer import wanted
from functions.deployer.wanted import Place
from shared.clients import functions as clients
from shared.clients import script_calls
from shared.config import settings
from shared.errors import Rejected, Transient

_CALL_SECONDS = 20.0
_UPLOAD_SECONDS = 20.0
_POLICY_TRIES = 5
_PASSING = frozenset(
    {"UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "RESOURCE_EXHAUSTED", "CANCELLED", "ABORTED"}
)
_DESCRIBE = b'{"describe":true}'

Begun = Literal["busy", "there", "gone"]


def place() -> Place:
    """Where scripts run, as the settings say; accounts are called after what they are for by default."""
    config = settings()
    domain = f"{config.cloud_project}.iam.gserviceaccount.com"
    own = config.text("SCRIPT_INVOKERS", "") or f"reason@{domain},deployer@{domain}"
    return Place(
        config.cloud_project,
        config.text("SCRIPT_REGION", "") or "europe-west1",
        config.text("SCRIPT_RUNTIME", "") or "python312",
        config.text("SCRIPT_SERVICE_ACCOUNT", "") or f"scripts@{domain}",
        tuple(f"serviceAccount:{email.strip()}" for email in own.split(",") if email.strip()),
        config.text("SCRIPT_VPC_CONNECTOR", ""),
    )


async def function(name: str) -> Any | None:
    """A function as it is now; None if there is none."""
    try:
        return await _call((await clients.functions()).get_function(name=name, timeout=_CALL_SECONDS))
    except _Code as error:
        if error.code == "NOT_FOUND":
            return None
        raise error.meaning() from error


def is_busy(found: Any) -> bool:
    """Whether an operation on a function is under way."""
    return found.state.name in ("DEPLOYING", "DELETING")


async def upload(parent: str, archive: bytes) -> dict[str, str]:
    """Upload a zip; where it is, as a function's source takes it."""
    import httpx

    try:
        place = await _call(
            (await clients.functions()).generate_upload_url(request={"parent": parent}, timeout=_CALL_SECONDS)
        )
    except _Code as error:
        raise error.meaning() from error
    try:
        async with httpx.AsyncClient(timeout=_UPLOAD_SECONDS) as client:
            # The URL is signed for this header and no other.
            answer = await client.put(
                place.upload_url, content=archive, headers={"content-type": "application/zip"}
            )
    except httpx.HTTPError as error:
        raise Transient(f"the code could not be uploaded: {error!r}") from error
    if answer.status_code != 200:
        raise Transient(f"the code could not be uploaded: {answer.status_code}: {answer.text[:300]}")
    return {"bucket": place.storage_source.bucket, "object_": place.storage_source.object_}


async def begin(function: dict[str, Any], parent: str, exists: bool) -> str | Begun:
    """Create or update a function: the operation's name; ``busy``, ``there`` or ``gone`` where it cannot."""
    service = await clients.functions()
    if exists:
        call = service.update_function(function=function, timeout=_CALL_SECONDS)
    else:
        function_id = function["name"].rpartition("/")[2]
        call = service.create_function(
            parent=parent, function=function, function_id=function_id, timeout=_CALL_SECONDS
        )
    return await _begun(call)


async def delete(name: str) -> str | Begun:
    """Delete a function: the operation's name, ``busy`` or ``gone``."""
    return await _begun((await clients.functions()).delete_function(name=name, timeout=_CALL_SECONDS))


async def _begun(call: Awaitable[Any]) -> str | Begun:
    expected: dict[str, Begun] = {"ABORTED": "busy", "ALREADY_EXISTS": "there", "NOT_FOUND": "gone"}
    try:
        return str((await _call(call)).operation.name)
    except _Code as error:
        if error.code in expected:
            return expected[error.code]
        raise error.meaning() from error


async def operation(name: str) -> Any | None:
    """An operation as it is now; None if it is not known (any more)."""
    from google.longrunning.operations_pb2 import GetOperationRequest

    service = await clients.functions()
    try:
        return await _call(service.get_operation(GetOperationRequest(name=name), timeout=_CALL_SECONDS))
    except _Code as error:
        if error.code == "NOT_FOUND":
            return None
        raise error.meaning() from error


def stages(found: Any) -> list[tuple[str, str]]:
    """The stages of an operation: their names and states."""
    from google.cloud.functions_v2 import types

    told = types.OperationMetadata()
    found.metadata.Unpack(types.OperationMetadata.pb(told))
    return [(stage.name.name, stage.state.name) for stage in told.stages]


async def prepare() -> None:
    """Make ready what :func:`allow` needs: that takes a while, which a build takes anyway."""
    await clients.run()


async def allow(service: str, members: Sequence[str]) -> None:
    """Give members the right to call a service."""
    for attempt in range(_POLICY_TRIES):
        try:
            return await _allow(service, members)
        except _Code as error:
            # Somebody else has changed the policy meanwhile: it is read and changed anew.
            if error.code != "ABORTED" or attempt == _POLICY_TRIES - 1:
                raise error.meaning() from error
        await asyncio.sleep(random.uniform(0.05, 0.2) * 2**attempt)


async def _allow(service: str, members: Sequence[str]) -> None:
    from google.iam.v1 import iam_policy_pb2

    run = await clients.run()
    policy = await _call(
        run.get_iam_policy(iam_policy_pb2.GetIamPolicyRequest(resource=service), timeout=_CALL_SECONDS)
    )
    if wanted.invokers(policy, members):
        # With the etag that was read: what somebody else gives meanwhile is not taken away.
        request = iam_policy_pb2.SetIamPolicyRequest(resource=service, policy=policy)
        await _call(run.set_iam_policy(request, timeout=_CALL_SECONDS))


async def describe(url: str) -> Description:
    """What the code at a URL offers, and what keeps it in. Transient while nothing answers."""
    answer = await script_calls.call(url, _DESCRIBE, _CALL_SECONDS)
    try:
        return msgspec.json.decode(answer, type=Description)
    except msgspec.DecodeError as error:
        raise Rejected("deploy.noScript", f"the function does not describe itself: {error}") from error


class _Code(Exception):
    """A call that failed, with the canonical code."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code

    def meaning(self) -> Transient | Rejected:
        """The error for whoever did not expect it."""
        if self.code in _PASSING:
            return Transient(str(self))
        return Rejected("deploy.refused", str(self)[:900])


async def _call(call: Awaitable[Any]) -> Any:
    from google.api_core import exceptions

    try:
        return await call
    except exceptions.GoogleAPICallError as error:
        code = error.grpc_status_code
        raise _Code(code.name if code is not None else "UNKNOWN", str(error.message)) from error
    except (TimeoutError, exceptions.RetryError) as error:
        raise _Code("DEADLINE_EXCEEDED", repr(error)) from error
