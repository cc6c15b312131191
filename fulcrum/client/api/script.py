"""Operations on ``script``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Literal, cast

import httpx

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Script:
    """Operations on ``script``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        name: str | None = None,
        alias: str | None = None,
        tags: str | None = None,
    ) -> types.ScriptPage:
        """List the scripts of a project.

        A page of the project's scripts, by id; by name if asked for a name.

        Needs: script.list.
        """
        return cast(
            "types.ScriptPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/scripts",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "alias": alias,
                        "tags": tags,
                    },
                )
            ),
        )

    def list_all(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        total: bool | None = None,
        name: str | None = None,
        alias: str | None = None,
        tags: str | None = None,
    ) -> Iterator[types.Script]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(
                project_id, per_page=per_page, total=total, name=name, alias=alias, tags=tags, cursor=cursor
            )
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(
        self, project_id: str, body: types.ScriptCreate, *, idempotency_key: str | None = None
    ) -> types.Script:
        """Create a script.

        Creates a script in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: script.create.
        """
        return cast(
            "types.Script",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/scripts",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def get(self, script_id: str) -> types.Script:
        """Read a script.

        One script; its ETag says its version.

        Needs: script.read.
        """
        return cast("types.Script", self._sender.send(Request("GET", f"/v1/script/{segment(script_id)}")))

    def update(
        self,
        script_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Script:
        """Change a script.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        alias, code, desc, files, metadata, name, requirements, tags. With If-Match, only if nobody was
        faster.

        Needs: script.update.
        """
        return cast(
            "types.Script",
            self._sender.send(
                Request(
                    "PATCH", f"/v1/script/{segment(script_id)}", headers={"If-Match": if_match}, body=body
                )
            ),
        )

    def delete(self, script_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a script.

        The script is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: script.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/script/{segment(script_id)}", headers={"If-Match": if_match})
            ),
        )

    def replay_input_stream(
        self,
        script_id: str,
        body: types.ReplayAsked,
        *,
        accept: Literal["application/x-ndjson"] = "application/x-ndjson",
    ) -> AbstractContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson'."""
        return self._sender.stream(
            Request("POST", f"/v1/script/{segment(script_id)}/replayInput", body=body, accept=accept)
        )

    def set_code(self, script_id: str, body: types.SetCode, *, if_match: str | None = None) -> types.Script:
        """Set the code of a script.

        Replaces the draft: the text of main.py, all further files, all packages. What is deployed runs on
        until the draft is deployed. Refused if main.py is no Python. With If-Match, only if nobody was
        faster.

        Needs: script.update.
        """
        return cast(
            "types.Script",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/script/{segment(script_id)}/setCode",
                    headers={"If-Match": if_match},
                    body=body,
                )
            ),
        )

    def check(self, script_id: str, body: types.ScriptCheck) -> types.ScriptChecked:
        """Check a script.

        What is wrong with the draft, or with the code that is sent along, and which functions of it can be
        run. Nothing is run, and nothing saved.

        Needs: script.update.
        """
        return cast(
            "types.ScriptChecked",
            self._sender.send(Request("POST", f"/v1/script/{segment(script_id)}/check", body=body)),
        )

    def deploy(
        self, script_id: str, body: types.DeployAsked, *, idempotency_key: str | None = None
    ) -> types.ScriptDeployment:
        """Deploy a script.

        Makes the draft a version, unless it is one already, and begins to deploy it, or a version that is
        named. The answer says how to follow it; the version before runs until the new one does. A
        deployment of another version that is under way is given up for this one. With an Idempotency-Key it
        is asked for once.

        Needs: script.deploy.
        """
        return cast(
            "types.ScriptDeployment",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/script/{segment(script_id)}/deploy",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def undeploy(self, script_id: str, *, idempotency_key: str | None = None) -> types.ScriptDeployment:
        """Undeploy a script.

        Events reach the script no more, and its function is removed. What then comes to it is set aside in
        quarantine, and can be sent again once it is deployed. Its versions stay.

        Needs: script.deploy.
        """
        return cast(
            "types.ScriptDeployment",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/script/{segment(script_id)}/undeploy",
                    headers={"Idempotency-Key": idempotency_key},
                    once=True,
                )
            ),
        )

    def rollback(
        self, script_id: str, body: types.ScriptRollback, *, idempotency_key: str | None = None
    ) -> types.ScriptDeployment:
        """Go back to an older version of a script.

        Deploys an older version: the one that ran before the present one, if none is named. The draft stays
        as it is.

        Needs: script.deploy.
        """
        return cast(
            "types.ScriptDeployment",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/script/{segment(script_id)}/rollback",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def versions_list(
        self,
        script_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.ScriptVersionPage:
        """List the versions of a script.

        A page of the script's versions, the newest first, without their code.

        Needs: script.read.
        """
        return cast(
            "types.ScriptVersionPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/script/{segment(script_id)}/versions",
                    query={"perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    def versions_list_all(
        self, script_id: str, *, per_page: int | None = None, total: bool | None = None
    ) -> Iterator[types.ScriptVersion]:
        """All pages of :meth:`versions_list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.versions_list(script_id, per_page=per_page, total=total, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def version_get(self, script_id: str, number: int) -> types.ScriptVersionCode:
        """Read a version of a script.

        A version with its code.

        Needs: script.read.
        """
        return cast(
            "types.ScriptVersionCode",
            self._sender.send(Request("GET", f"/v1/script/{segment(script_id)}/versions/{segment(number)}")),
        )

    def version_difference(
        self, script_id: str, number: int, *, against: int | None = None
    ) -> types.VersionDifference:
        """Compare two versions of a script.

        How a version differs from another one, or from the draft, as a unified diff of all files.

        Needs: script.read.
        """
        return cast(
            "types.VersionDifference",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/script/{segment(script_id)}/versions/{segment(number)}/difference",
                    query={"against": against},
                )
            ),
        )

    def deployments_list(
        self,
        script_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.ScriptDeploymentPage:
        """List the deployments of a script.

        A page of the script's deployments, the latest first.

        Needs: script.read.
        """
        return cast(
            "types.ScriptDeploymentPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/script/{segment(script_id)}/deployments",
                    query={"perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    def deployments_list_all(
        self, script_id: str, *, per_page: int | None = None, total: bool | None = None
    ) -> Iterator[types.ScriptDeployment]:
        """All pages of :meth:`deployments_list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.deployments_list(script_id, per_page=per_page, total=total, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def deployment_get(self, script_id: str, deployment_id: str) -> types.ScriptDeployment:
        """Read a deployment of a script.

        How far a deployment is. One that nothing has touched for long is started again.

        Needs: script.read.
        """
        return cast(
            "types.ScriptDeployment",
            self._sender.send(
                Request("GET", f"/v1/script/{segment(script_id)}/deployments/{segment(deployment_id)}")
            ),
        )

    def run(
        self, script_id: str, body: types.RunAsked, *, idempotency_key: str | None = None
    ) -> types.RunAccepted:
        """Run a script.

        Runs the deployed version, for a device whose data the caller may write or for none, as a timer
        would. It is safe when this is answered; what came of it stands in the logs a moment later. With an
        id or an Idempotency-Key it runs once.

        Needs: script.run.
        """
        return cast(
            "types.RunAccepted",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/script/{segment(script_id)}/run",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def logs(
        self,
        script_id: str,
        *,
        since: str | None = None,
        until: str | None = None,
        version: int | None = None,
        device: str | None = None,
        event: str | None = None,
        entry: str | None = None,
        status: Literal["done", "unmet", "failed"] | None = None,
        level: Literal["info", "error"] | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
    ) -> types.ScriptRuns:
        """Read the logs of a script.

        The runs of the script with what they logged and why they failed, the latest first: those for
        devices whose history the caller may read. A run can be read a moment after it.

        Needs: script.readLogs.
        """
        return cast(
            "types.ScriptRuns",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/script/{segment(script_id)}/logs",
                    query={
                        "since": since,
                        "until": until,
                        "version": version,
                        "device": device,
                        "event": event,
                        "entry": entry,
                        "status": status,
                        "level": level,
                        "perPage": per_page,
                        "cursor": cursor,
                    },
                )
            ),
        )

    def logs_all(
        self,
        script_id: str,
        *,
        since: str | None = None,
        until: str | None = None,
        version: int | None = None,
        device: str | None = None,
        event: str | None = None,
        entry: str | None = None,
        status: Literal["done", "unmet", "failed"] | None = None,
        level: Literal["info", "error"] | None = None,
        per_page: int | None = None,
    ) -> Iterator[types.ScriptRun]:
        """All pages of :meth:`logs`, item by item."""
        cursor: str | None = None
        while True:
            page = self.logs(
                script_id,
                since=since,
                until=until,
                version=version,
                device=device,
                event=event,
                entry=entry,
                status=status,
                level=level,
                per_page=per_page,
                cursor=cursor,
            )
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def metrics(
        self,
        script_id: str,
        *,
        since: str | None = None,
        until: str | None = None,
        version: int | None = None,
        device: str | None = None,
        entry: str | None = None,
        by: Literal["version", "device"] | None = None,
        interval: int | None = None,
    ) -> types.ScriptMetrics:
        """Read the metrics of a script.

        How often the script ran, failed and had effects, and how long it took: in all, by version or
        device, and by time, for devices whose history the caller may read.

        Needs: script.readLogs.
        """
        return cast(
            "types.ScriptMetrics",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/script/{segment(script_id)}/metrics",
                    query={
                        "since": since,
                        "until": until,
                        "version": version,
                        "device": device,
                        "entry": entry,
                        "by": by,
                        "interval": interval,
                    },
                )
            ),
        )


class AsyncScript:
    """Operations on ``script``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
        name: str | None = None,
        alias: str | None = None,
        tags: str | None = None,
    ) -> types.ScriptPage:
        """List the scripts of a project.

        A page of the project's scripts, by id; by name if asked for a name.

        Needs: script.list.
        """
        return cast(
            "types.ScriptPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/scripts",
                    query={
                        "perPage": per_page,
                        "cursor": cursor,
                        "total": total,
                        "name": name,
                        "alias": alias,
                        "tags": tags,
                    },
                )
            ),
        )

    async def list_all(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        total: bool | None = None,
        name: str | None = None,
        alias: str | None = None,
        tags: str | None = None,
    ) -> AsyncIterator[types.Script]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(
                project_id, per_page=per_page, total=total, name=name, alias=alias, tags=tags, cursor=cursor
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(
        self, project_id: str, body: types.ScriptCreate, *, idempotency_key: str | None = None
    ) -> types.Script:
        """Create a script.

        Creates a script in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: script.create.
        """
        return cast(
            "types.Script",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/scripts",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def get(self, script_id: str) -> types.Script:
        """Read a script.

        One script; its ETag says its version.

        Needs: script.read.
        """
        return cast(
            "types.Script", await self._sender.send(Request("GET", f"/v1/script/{segment(script_id)}"))
        )

    async def update(
        self,
        script_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Script:
        """Change a script.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        alias, code, desc, files, metadata, name, requirements, tags. With If-Match, only if nobody was
        faster.

        Needs: script.update.
        """
        return cast(
            "types.Script",
            await self._sender.send(
                Request(
                    "PATCH", f"/v1/script/{segment(script_id)}", headers={"If-Match": if_match}, body=body
                )
            ),
        )

    async def delete(self, script_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a script.

        The script is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: script.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/script/{segment(script_id)}", headers={"If-Match": if_match})
            ),
        )

    def replay_input_stream(
        self,
        script_id: str,
        body: types.ReplayAsked,
        *,
        accept: Literal["application/x-ndjson"] = "application/x-ndjson",
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """The answer of the operation as it comes in, in one of the types 'application/x-ndjson'."""
        return self._sender.stream(
            Request("POST", f"/v1/script/{segment(script_id)}/replayInput", body=body, accept=accept)
        )

    async def set_code(
        self, script_id: str, body: types.SetCode, *, if_match: str | None = None
    ) -> types.Script:
        """Set the code of a script.

        Replaces the draft: the text of main.py, all further files, all packages. What is deployed runs on
        until the draft is deployed. Refused if main.py is no Python. With If-Match, only if nobody was
        faster.

        Needs: script.update.
        """
        return cast(
            "types.Script",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/script/{segment(script_id)}/setCode",
                    headers={"If-Match": if_match},
                    body=body,
                )
            ),
        )

    async def check(self, script_id: str, body: types.ScriptCheck) -> types.ScriptChecked:
        """Check a script.

        What is wrong with the draft, or with the code that is sent along, and which functions of it can be
        run. Nothing is run, and nothing saved.

        Needs: script.update.
        """
        return cast(
            "types.ScriptChecked",
            await self._sender.send(Request("POST", f"/v1/script/{segment(script_id)}/check", body=body)),
        )

    async def deploy(
        self, script_id: str, body: types.DeployAsked, *, idempotency_key: str | None = None
    ) -> types.ScriptDeployment:
        """Deploy a script.

        Makes the draft a version, unless it is one already, and begins to deploy it, or a version that is
        named. The answer says how to follow it; the version before runs until the new one does. A
        deployment of another version that is under way is given up for this one. With an Idempotency-Key it
        is asked for once.

        Needs: script.deploy.
        """
        return cast(
            "types.ScriptDeployment",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/script/{segment(script_id)}/deploy",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def undeploy(self, script_id: str, *, idempotency_key: str | None = None) -> types.ScriptDeployment:
        """Undeploy a script.

        Events reach the script no more, and its function is removed. What then comes to it is set aside in
        quarantine, and can be sent again once it is deployed. Its versions stay.

        Needs: script.deploy.
        """
        return cast(
            "types.ScriptDeployment",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/script/{segment(script_id)}/undeploy",
                    headers={"Idempotency-Key": idempotency_key},
                    once=True,
                )
            ),
        )

    async def rollback(
        self, script_id: str, body: types.ScriptRollback, *, idempotency_key: str | None = None
    ) -> types.ScriptDeployment:
        """Go back to an older version of a script.

        Deploys an older version: the one that ran before the present one, if none is named. The draft stays
        as it is.

        Needs: script.deploy.
        """
        return cast(
            "types.ScriptDeployment",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/script/{segment(script_id)}/rollback",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def versions_list(
        self,
        script_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.ScriptVersionPage:
        """List the versions of a script.

        A page of the script's versions, the newest first, without their code.

        Needs: script.read.
        """
        return cast(
            "types.ScriptVersionPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/script/{segment(script_id)}/versions",
                    query={"perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    async def versions_list_all(
        self, script_id: str, *, per_page: int | None = None, total: bool | None = None
    ) -> AsyncIterator[types.ScriptVersion]:
        """All pages of :meth:`versions_list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.versions_list(script_id, per_page=per_page, total=total, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def version_get(self, script_id: str, number: int) -> types.ScriptVersionCode:
        """Read a version of a script.

        A version with its code.

        Needs: script.read.
        """
        return cast(
            "types.ScriptVersionCode",
            await self._sender.send(
                Request("GET", f"/v1/script/{segment(script_id)}/versions/{segment(number)}")
            ),
        )

    async def version_difference(
        self, script_id: str, number: int, *, against: int | None = None
    ) -> types.VersionDifference:
        """Compare two versions of a script.

        How a version differs from another one, or from the draft, as a unified diff of all files.

        Needs: script.read.
        """
        return cast(
            "types.VersionDifference",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/script/{segment(script_id)}/versions/{segment(number)}/difference",
                    query={"against": against},
                )
            ),
        )

    async def deployments_list(
        self,
        script_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.ScriptDeploymentPage:
        """List the deployments of a script.

        A page of the script's deployments, the latest first.

        Needs: script.read.
        """
        return cast(
            "types.ScriptDeploymentPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/script/{segment(script_id)}/deployments",
                    query={"perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    async def deployments_list_all(
        self, script_id: str, *, per_page: int | None = None, total: bool | None = None
    ) -> AsyncIterator[types.ScriptDeployment]:
        """All pages of :meth:`deployments_list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.deployments_list(script_id, per_page=per_page, total=total, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def deployment_get(self, script_id: str, deployment_id: str) -> types.ScriptDeployment:
        """Read a deployment of a script.

        How far a deployment is. One that nothing has touched for long is started again.

        Needs: script.read.
        """
        return cast(
            "types.ScriptDeployment",
            await self._sender.send(
                Request("GET", f"/v1/script/{segment(script_id)}/deployments/{segment(deployment_id)}")
            ),
        )

    async def run(
        self, script_id: str, body: types.RunAsked, *, idempotency_key: str | None = None
    ) -> types.RunAccepted:
        """Run a script.

        Runs the deployed version, for a device whose data the caller may write or for none, as a timer
        would. It is safe when this is answered; what came of it stands in the logs a moment later. With an
        id or an Idempotency-Key it runs once.

        Needs: script.run.
        """
        return cast(
            "types.RunAccepted",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/script/{segment(script_id)}/run",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def logs(
        self,
        script_id: str,
        *,
        since: str | None = None,
        until: str | None = None,
        version: int | None = None,
        device: str | None = None,
        event: str | None = None,
        entry: str | None = None,
        status: Literal["done", "unmet", "failed"] | None = None,
        level: Literal["info", "error"] | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
    ) -> types.ScriptRuns:
        """Read the logs of a script.

        The runs of the script with what they logged and why they failed, the latest first: those for
        devices whose history the caller may read. A run can be read a moment after it.

        Needs: script.readLogs.
        """
        return cast(
            "types.ScriptRuns",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/script/{segment(script_id)}/logs",
                    query={
                        "since": since,
                        "until": until,
                        "version": version,
                        "device": device,
                        "event": event,
                        "entry": entry,
                        "status": status,
                        "level": level,
                        "perPage": per_page,
                        "cursor": cursor,
                    },
                )
            ),
        )

    async def logs_all(
        self,
        script_id: str,
        *,
        since: str | None = None,
        until: str | None = None,
        version: int | None = None,
        device: str | None = None,
        event: str | None = None,
        entry: str | None = None,
        status: Literal["done", "unmet", "failed"] | None = None,
        level: Literal["info", "error"] | None = None,
        per_page: int | None = None,
    ) -> AsyncIterator[types.ScriptRun]:
        """All pages of :meth:`logs`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.logs(
                script_id,
                since=since,
                until=until,
                version=version,
                device=device,
                event=event,
                entry=entry,
                status=status,
                level=level,
                per_page=per_page,
                cursor=cursor,
            )
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def metrics(
        self,
        script_id: str,
        *,
        since: str | None = None,
        until: str | None = None,
        version: int | None = None,
        device: str | None = None,
        entry: str | None = None,
        by: Literal["version", "device"] | None = None,
        interval: int | None = None,
    ) -> types.ScriptMetrics:
        """Read the metrics of a script.

        How often the script ran, failed and had effects, and how long it took: in all, by version or
        device, and by time, for devices whose history the caller may read.

        Needs: script.readLogs.
        """
        return cast(
            "types.ScriptMetrics",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/script/{segment(script_id)}/metrics",
                    query={
                        "since": since,
                        "until": until,
                        "version": version,
                        "device": device,
                        "entry": entry,
                        "by": by,
                        "interval": interval,
                    },
                )
            ),
        )
