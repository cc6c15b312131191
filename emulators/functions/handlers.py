"""The methods of FunctionService, Operations, and of Cloud Run's Services what the invoker right needs."""

from __future__ import annotations

import asyncio
import time
import uuid
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

from google.cloud.functions_v2 import types
from google.iam.v1 import iam_policy_pb2
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2, field_mask_pb2

from emulators.functions import errors, names
from emulators.functions.deploying import Deploying
from emulators.functions.state import Function, Policy, State
from emulators.kit.faults import Faults
from emulators.kit.rpc import Service, Unary

INVOKER = "roles/run.invoker"
UPLOADS = "/_uploads/"
_empty: Any = empty_pb2
_iam: Any = iam_policy_pb2
_lro: Any = operations_pb2
_masks: Any = field_mask_pb2
_MAX_PAGE = 1_000
_WAIT_SECONDS = 30.0
# What the service has and this emulator does not do: refused, rather than silently left out.
_REFUSED = {
    "": ("event_trigger", "kms_key_name"),
    "service_config": ("secret_environment_variables", "secret_volumes", "binary_authorization_policy"),
    "build_config": ("worker_pool", "environment_variables", "docker_repository", "on_deploy_update_policy"),
}
_MEMBERS = ("user:", "serviceAccount:", "group:", "domain:", "principal:", "principalSet:", "allUsers")


def services(state: State, deploying: Deploying, faults: Faults) -> list[Service]:
    """All three gRPC services."""
    functions, operations, run = Functions(state, deploying), Operations(state), Run(state)
    return [
        Service("google.cloud.functions.v2.FunctionService", functions.methods(), faults),
        Service("google.longrunning.Operations", operations.methods(), faults),
        Service("google.cloud.run.v2.Services", run.methods(), faults),
    ]


def page(items: Iterable[str], request: Any) -> tuple[list[str], str]:
    """The names of one page, in order, and the token of the next: the last name of this one."""
    ordered = sorted(items)
    start = bisect_right(ordered, request.page_token) if request.page_token else 0
    end = start + min(request.page_size or _MAX_PAGE, _MAX_PAGE)
    return ordered[start:end], ordered[end - 1] if end < len(ordered) else ""


class Functions:
    """google.cloud.functions.v2.FunctionService."""

    def __init__(self, state: State, deploying: Deploying) -> None:
        self._state = state
        self._deploying = deploying

    def methods(self) -> dict[str, Any]:
        """Method name → how it is served."""
        return {
            "GenerateUploadUrl": Unary(types.GenerateUploadUrlRequest.pb(), self.generate_upload_url),
            "CreateFunction": Unary(types.CreateFunctionRequest.pb(), self.create),
            "UpdateFunction": Unary(types.UpdateFunctionRequest.pb(), self.update),
            "GetFunction": Unary(types.GetFunctionRequest.pb(), self.get),
            "ListFunctions": Unary(types.ListFunctionsRequest.pb(), self.list),
            "DeleteFunction": Unary(types.DeleteFunctionRequest.pb(), self.delete),
        }

    async def generate_upload_url(self, request: Any) -> Any:
        names.location(request.parent)
        if request.kms_key_name:
            raise errors.unsupported("GenerateUploadUrlRequest.kms_key_name")
        _, project, _, location = request.parent.split("/")
        upload = self._state.new_upload(f"gcf-v2-uploads-{project}-{location}")
        answer = types.GenerateUploadUrlResponse.pb()(
            upload_url=f"{self._deploying.base}{UPLOADS}{upload.object}"
        )
        answer.storage_source.bucket, answer.storage_source.object_ = upload.bucket, upload.object
        return answer

    async def create(self, request: Any) -> Any:
        name = names.function(request.parent, request.function_id)
        if request.function.name not in ("", name):
            raise errors.invalid(f"function.name is '{request.function.name}': want '{name}', or none")
        if name in self._state.functions:
            raise errors.already_exists(name)
        if any(known.endswith(f"/functions/{request.function_id}") for known in self._state.functions):
            raise errors.unsupported("one function_id at two locations")
        wanted = Function()
        wanted.CopyFrom(request.function)
        wanted.name = name
        wanted.create_time.GetCurrentTime()
        self._check(wanted)
        return self._deploying.begin("create", wanted)

    async def update(self, request: Any) -> Any:
        current = self._state.function(request.function.name)
        serving = self._deploying.serving(current.name)
        wanted = Function()
        wanted.CopyFrom(current if serving is None else serving.function)
        paths = list(request.update_mask.paths) or _given(request.function)
        mask = _masks.FieldMask(paths=[path for path in paths if path != "name"])
        if not mask.IsValidForDescriptor(Function.DESCRIPTOR):
            raise errors.invalid(f"Invalid update_mask: {', '.join(paths)}")
        mask.MergeMessage(request.function, wanted, replace_message_field=True, replace_repeated_field=True)
        wanted.create_time.CopyFrom(current.create_time)
        self._check(wanted)
        return self._deploying.begin("update", wanted)

    async def get(self, request: Any) -> Any:
        names.parts(request.name, "functions")
        return self._state.function(request.name)

    async def list(self, request: Any) -> Any:
        if request.filter or request.order_by:
            raise errors.unsupported("ListFunctionsRequest.filter and order_by")
        prefix = f"{names.location(request.parent)}/functions/"
        found, token = page((name for name in self._state.functions if name.startswith(prefix)), request)
        functions = [self._state.functions[name] for name in found]
        return types.ListFunctionsResponse.pb()(functions=functions, next_page_token=token)

    async def delete(self, request: Any) -> Any:
        names.parts(request.name, "functions")
        return self._deploying.begin("delete", self._state.function(request.name))

    def _check(self, wanted: Any) -> None:
        for place, fields in _REFUSED.items():
            message = getattr(wanted, place) if place else wanted
            for descriptor, _ in message.ListFields():
                if descriptor.name in fields:
                    raise errors.unsupported(f"Function.{place + '.' if place else ''}{descriptor.name}")
        build, service = wanted.build_config, wanted.service_config
        if not build.runtime.startswith("python3"):
            raise errors.unsupported(f"runtime '{build.runtime}': Python alone")
        if not build.entry_point.isidentifier():
            raise errors.invalid(f"Invalid build_config.entry_point '{build.entry_point}'")
        if service.timeout_seconds < 0 or service.timeout_seconds > 3_600:
            raise errors.invalid("service_config.timeout_seconds must be between 1 and 3600")
        if service.max_instance_request_concurrency > 1 and float(service.available_cpu or 0) < 1:
            raise errors.invalid("max_instance_request_concurrency above 1 needs available_cpu of 1 or more")
        source = build.source.storage_source
        upload = self._state.upload(source.object_)
        if upload is None or not upload.done or upload.bucket != source.bucket:
            raise errors.invalid(f"Could not find the source: gs://{source.bucket}/{source.object_}")


def _given(function: Any) -> list[str]:
    """The fields that a function without a mask brings: all that are set, each setting of the two parts."""
    paths = []
    for descriptor, value in function.ListFields():
        if descriptor.name in ("build_config", "service_config"):
            paths += [f"{descriptor.name}.{inner.name}" for inner, _ in value.ListFields()]
        else:
            paths.append(descriptor.name)
    return paths


class Operations:
    """google.longrunning.Operations."""

    def __init__(self, state: State) -> None:
        self._state = state

    def methods(self) -> dict[str, Any]:
        """Method name → how it is served."""
        return {
            "GetOperation": Unary(_lro.GetOperationRequest, self.get),
            "WaitOperation": Unary(_lro.WaitOperationRequest, self.wait),
            "ListOperations": Unary(_lro.ListOperationsRequest, self.list),
        }

    async def get(self, request: Any) -> Any:
        return self._state.operation(request.name)

    async def wait(self, request: Any) -> Any:
        seconds = request.timeout.ToTimedelta().total_seconds() or _WAIT_SECONDS
        deadline = time.monotonic() + min(seconds, _WAIT_SECONDS)
        # It may be replaced or forgotten meanwhile, so it is looked up each time.
        while not self._state.operation(request.name).done and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return self._state.operation(request.name)

    async def list(self, request: Any) -> Any:
        if request.filter:
            raise errors.unsupported("ListOperationsRequest.filter")
        prefix = f"{names.location(request.name)}/operations/"
        found, token = page((name for name in self._state.operations if name.startswith(prefix)), request)
        operations = [self._state.operations[name] for name in found]
        return _lro.ListOperationsResponse(operations=operations, next_page_token=token)


class Run:
    """google.cloud.run.v2.Services: the policies of the services that functions are."""

    def __init__(self, state: State) -> None:
        self._state = state

    def methods(self) -> dict[str, Any]:
        """Method name → how it is served."""
        return {
            "GetIamPolicy": Unary(_iam.GetIamPolicyRequest, self.get),
            "SetIamPolicy": Unary(_iam.SetIamPolicyRequest, self.set),
        }

    def _known(self, service: str) -> str:
        parent, service_id = names.parts(service, "services")
        self._state.function(f"{parent}/functions/{service_id}")
        return service

    async def get(self, request: Any) -> Any:
        return self._state.policy(self._known(request.resource))

    async def set(self, request: Any) -> Any:
        service = self._known(request.resource)
        policy = request.policy
        if policy.etag and policy.etag != self._state.policy(service).etag:
            raise errors.stale_policy()
        made = Policy(version=max(1, policy.version), etag=uuid.uuid4().bytes)
        for binding in policy.bindings:
            if not binding.role.startswith("roles/") and "/roles/" not in binding.role:
                raise errors.invalid(f"Role {binding.role} is not supported for this resource.")
            if binding.HasField("condition"):
                raise errors.unsupported("a binding's condition")
            for member in binding.members:
                if not member.startswith(_MEMBERS) and member != "allAuthenticatedUsers":
                    raise errors.invalid(f"Invalid member: {member}")
            if binding.members:
                made.bindings.add(role=binding.role, members=sorted(set(binding.members)))
        self._state.put_policy(service, made)
        return made


def may_be_invoked(state: State, service: str) -> bool:
    """Whether anybody at all has the right to call a service: who calls is not known here."""
    return any(binding.role == INVOKER and binding.members for binding in state.policy(service).bindings)
