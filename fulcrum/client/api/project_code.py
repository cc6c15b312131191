"""Operations on ``project_code``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from typing import cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class ProjectCode:
    """Operations on ``project_code``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def export(self, project_id: str) -> types.Exported:
        """Export a project as code.

        Blueprints with their attributes, relationships and scenarios, networks, message routes, systems
        that have an alias, templates, scripts and roles, without ids and secrets: the document fits any
        project.

        Needs: project.read.
        """
        return cast(
            "types.Exported", self._sender.send(Request("GET", f"/v1/project/{segment(project_id)}/export"))
        )

    def plan(self, project_id: str, body: types.ChangeAsked) -> types.Plan:
        """Show what a change would do.

        Compares the document with the project, and looks at every device of the blueprints whose types
        change: which stored values would not fit. Nothing is changed.

        Needs: project.read.
        """
        return cast(
            "types.Plan",
            self._sender.send(Request("POST", f"/v1/project/{segment(project_id)}/plan", body=body)),
        )

    def apply(self, project_id: str, body: types.ApplyAsked) -> types.Applied:
        """Change a project to what a document says.

        All at once or not at all, as a numbered revision. A change that breaks what devices hold is refused
        without force. It needs the permission for each kind of resource that it touches.

        Needs: project.update.
        """
        return cast(
            "types.Applied",
            self._sender.send(Request("POST", f"/v1/project/{segment(project_id)}/apply", body=body)),
        )

    def rollback(self, project_id: str, body: types.RollbackAsked) -> types.Applied:
        """Go back to a revision.

        Makes the project what it was at that revision, as a new revision.

        Needs: project.update.
        """
        return cast(
            "types.Applied",
            self._sender.send(Request("POST", f"/v1/project/{segment(project_id)}/rollback", body=body)),
        )

    def revisions(
        self, project_id: str, *, per_page: int | None = None, before: int | None = None
    ) -> types.RevisionList:
        """List revisions.

        The newest first, without their documents.

        Needs: project.read.
        """
        return cast(
            "types.RevisionList",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/revisions",
                    query={"perPage": per_page, "before": before},
                )
            ),
        )

    def revision(self, project_id: str, number: int) -> types.RevisionDetail:
        """Read a revision.

        A revision with its document.

        Needs: project.read.
        """
        return cast(
            "types.RevisionDetail",
            self._sender.send(
                Request("GET", f"/v1/project/{segment(project_id)}/revisions/{segment(number)}")
            ),
        )


class AsyncProjectCode:
    """Operations on ``project_code``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def export(self, project_id: str) -> types.Exported:
        """Export a project as code.

        Blueprints with their attributes, relationships and scenarios, networks, message routes, systems
        that have an alias, templates, scripts and roles, without ids and secrets: the document fits any
        project.

        Needs: project.read.
        """
        return cast(
            "types.Exported",
            await self._sender.send(Request("GET", f"/v1/project/{segment(project_id)}/export")),
        )

    async def plan(self, project_id: str, body: types.ChangeAsked) -> types.Plan:
        """Show what a change would do.

        Compares the document with the project, and looks at every device of the blueprints whose types
        change: which stored values would not fit. Nothing is changed.

        Needs: project.read.
        """
        return cast(
            "types.Plan",
            await self._sender.send(Request("POST", f"/v1/project/{segment(project_id)}/plan", body=body)),
        )

    async def apply(self, project_id: str, body: types.ApplyAsked) -> types.Applied:
        """Change a project to what a document says.

        All at once or not at all, as a numbered revision. A change that breaks what devices hold is refused
        without force. It needs the permission for each kind of resource that it touches.

        Needs: project.update.
        """
        return cast(
            "types.Applied",
            await self._sender.send(Request("POST", f"/v1/project/{segment(project_id)}/apply", body=body)),
        )

    async def rollback(self, project_id: str, body: types.RollbackAsked) -> types.Applied:
        """Go back to a revision.

        Makes the project what it was at that revision, as a new revision.

        Needs: project.update.
        """
        return cast(
            "types.Applied",
            await self._sender.send(
                Request("POST", f"/v1/project/{segment(project_id)}/rollback", body=body)
            ),
        )

    async def revisions(
        self, project_id: str, *, per_page: int | None = None, before: int | None = None
    ) -> types.RevisionList:
        """List revisions.

        The newest first, without their documents.

        Needs: project.read.
        """
        return cast(
            "types.RevisionList",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/revisions",
                    query={"perPage": per_page, "before": before},
                )
            ),
        )

    async def revision(self, project_id: str, number: int) -> types.RevisionDetail:
        """Read a revision.

        A revision with its document.

        Needs: project.read.
        """
        return cast(
            "types.RevisionDetail",
            await self._sender.send(
                Request("GET", f"/v1/project/{segment(project_id)}/revisions/{segment(number)}")
            ),
        )
