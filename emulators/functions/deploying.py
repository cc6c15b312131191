"""Operations: build a revision, start it, and only then give it the traffic; or take a function away."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import traceback
from collections.abc import Mapping
from typing import Any

import aiohttp
from google.cloud.functions_v2 import types
from google.protobuf import timestamp_pb2

from emulators.functions import errors, names, processes
from emulators.functions.builds import Builder
from emulators.functions.leash import Leash
from emulators.functions.serving import Serving
from emulators.functions.state import Function, Metadata, Operation, State, metadata, requested

_Stage: Any = types.Stage.pb()
_Message: Any = types.StateMessage.pb()
_Kind = types.OperationType
_timestamps: Any = timestamp_pb2


class Deploying:
    """Carries out operations, one at a time for each function, and holds what serves."""

    def __init__(
        self,
        state: State,
        builder: Builder,
        session: aiohttp.ClientSession,
        leash: Leash,
        mark: Mapping[str, str],
        idle: float,
    ) -> None:
        self._state = state
        self._builder = builder
        self._session = session
        self._leash = leash
        self._mark = mark
        self._idle = idle
        # Where functions are called; known once the HTTP side listens.
        self.base = ""
        self._serving: dict[str, Serving] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def restore(self) -> None:
        """Go on with the operations that the process before this one has left."""
        for operation in list(self._state.operations.values()):
            if not operation.done:
                self._spawn(self._carry_out(operation))

    def serving(self, name: str) -> Serving | None:
        """What serves a function; None for one that has no revision yet."""
        found, build = self._serving.get(name), self._state.builds.get(name)
        if found is None and build is not None:
            found = self._serving[name] = self._served(self._state.functions[name], build)
        return found

    def _served(self, function: Any, build: Any) -> Serving:
        return Serving(function, build, self._leash, self._mark, self._session, self._idle)

    # Operations

    def begin(self, verb: str, function: Any) -> Any:
        """Queue a ``create``, ``update`` or ``delete`` of a function as it shall be; ABORTED if busy."""
        if self._state.running(function.name):
            raise errors.busy()
        parent, _ = names.parts(function.name, "functions")
        made = Metadata(
            target=function.name,
            verb=verb,
            api_version="v2",
            create_time=_now(),
            operation_type=_Kind[f"{verb.upper()}_FUNCTION"],
        )
        made.request_resource.Pack(function)
        if verb != "delete":
            made.stages.add(name=types.Stage.Name.BUILD, state=types.Stage.State.NOT_STARTED)
            made.stages.add(name=types.Stage.Name.SERVICE, state=types.Stage.State.NOT_STARTED)
        operation = Operation(name=f"{parent}/operations/operation-{secrets.token_hex(12)}")
        operation.metadata.Pack(made)
        self._show(function, verb)
        self._state.put_operation(operation)
        self._spawn(self._carry_out(operation))
        return operation

    def _show(self, function: Any, verb: str) -> None:
        """What GetFunction says while the operation is under way."""
        shown = Function()
        known = self._state.functions.get(function.name)
        shown.CopyFrom(function if known is None else known)
        shown.state = types.Function.State.DELETING if verb == "delete" else types.Function.State.DEPLOYING
        self._state.put_function(shown)

    async def _carry_out(self, operation: Any) -> None:
        found, wanted = metadata(operation), requested(operation)
        error = None
        try:
            if found.verb == "delete":
                await self._delete(wanted.name)
            else:
                error = await self._deploy(operation, found, wanted)
        except Exception as broken:
            # A mistake of the emulator's own: who waits for the operation is told, and the log has the rest.
            traceback.print_exc()
            error = errors.internal(broken)
        found.end_time.CopyFrom(_now())
        operation.metadata.Pack(found)
        operation.done = True
        if error is not None:
            operation.error.CopyFrom(error)
        elif found.verb == "delete":
            operation.response.type_url = "type.googleapis.com/google.protobuf.Empty"
        else:
            operation.response.Pack(self._state.functions[wanted.name])
        self._state.put_operation(operation)

    async def _deploy(self, operation: Any, found: Any, wanted: Any) -> Any:
        """Build and start; the error as a status, None if it serves."""
        revision = f"{names.parts(wanted.name, 'functions')[1]}-{secrets.token_hex(4)}"
        folder = self._state.revisions(wanted.name) / revision
        self._stage(operation, found, 0, types.Stage.State.IN_PROGRESS)
        try:
            archive = self._state.archive(wanted.build_config.source.storage_source.object_)
            build = await self._builder.build(archive, folder)
        except errors.BuildError as error:
            return self._failed(wanted, folder, errors.build_failed(str(error)))
        self._stage(operation, found, 0, types.Stage.State.COMPLETE)
        self._stage(operation, found, 1, types.Stage.State.IN_PROGRESS)
        self._complete(wanted, revision)
        made = self._served(wanted, build)
        try:
            await made.start()
        except processes.StartError as error:
            service = names.parts(wanted.name, "functions")[1]
            return self._failed(wanted, folder, errors.unhealthy(service, revision, error.port, str(error)))
        except asyncio.CancelledError:
            await made.close()
            raise
        self._stage(operation, found, 1, types.Stage.State.COMPLETE)
        before = self._serving.get(wanted.name)
        older = [path for path in self._state.revisions(wanted.name).iterdir() if path != folder]
        self._serving[wanted.name] = made
        self._state.put_function(wanted, build)
        self._spawn(_retire(before, older))
        return None

    def _complete(self, wanted: Any, revision: str) -> None:
        """What the service itself writes into a function that serves."""
        name = names.parts(wanted.name, "functions")[1]
        wanted.state = types.Function.State.ACTIVE
        del wanted.state_messages[:]
        wanted.environment = types.Environment.GEN_2
        wanted.url = f"{self.base}/{name}"
        wanted.update_time.CopyFrom(_now())
        wanted.service_config.uri = wanted.url
        wanted.service_config.service = names.service(wanted.name)
        wanted.service_config.revision = revision
        wanted.service_config.all_traffic_on_latest_revision = True

    def _failed(self, wanted: Any, folder: Any, error: Any) -> Any:
        """Leave what served before, or a function that says why it never did."""
        shutil.rmtree(folder, ignore_errors=True)
        shown = Function()
        before = self.serving(wanted.name)
        shown.CopyFrom(wanted if before is None else before.function)
        shown.state = types.Function.State.FAILED if before is None else types.Function.State.ACTIVE
        del shown.state_messages[:]
        shown.state_messages.add(
            severity=types.StateMessage.Severity.ERROR,
            type_="CloudRunServiceNotReady",
            message=error.message[:2000],
        )
        self._state.put_function(shown)
        return error

    async def _delete(self, name: str) -> None:
        serving = self._serving.pop(name, None)
        if serving is not None:
            await serving.close()
        self._state.remove_function(name, names.service(name))

    def _stage(self, operation: Any, found: Any, index: int, state: Any) -> None:
        found.stages[index].state = state
        operation.metadata.Pack(found)
        self._state.put_operation(operation)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "an operation broke", "exception": error}
            )

    async def reset(self) -> None:
        """End everything and forget it."""
        await self.close()
        self._state.clear()

    async def close(self) -> None:
        """End operations and processes; what is on disk stays."""
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        served, self._serving = list(self._serving.values()), {}
        await asyncio.gather(*(item.close() for item in served))


async def _retire(serving: Serving | None, folders: Any) -> None:
    if serving is not None:
        await serving.retire()
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _now() -> Any:
    made = _timestamps.Timestamp()
    made.GetCurrentTime()
    return made
