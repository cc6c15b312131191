"""Operations on ``retention``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from typing import cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Retention:
    """Operations on ``retention``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def get(self, project_id: str) -> types.RetentionStatus:
        """For how long a project keeps what.

        The settings of the project and of its blueprints, and its last curations with what each of them let
        go. The settings are changed with the project and the blueprint themselves.

        Needs: project.read.
        """
        return cast(
            "types.RetentionStatus",
            self._sender.send(Request("GET", f"/v1/project/{segment(project_id)}/retention")),
        )

    def preview(self, project_id: str, *, at: int | None = None) -> types.RetentionPreview:
        """What a curation would let go.

        Of the history exactly, day by day with sizes, as long as nothing more comes in and the settings
        stay; of documents what is old enough now. Nothing is changed.

        Needs: project.read.
        """
        return cast(
            "types.RetentionPreview",
            self._sender.send(
                Request("GET", f"/v1/project/{segment(project_id)}/retention/preview", query={"at": at})
            ),
        )

    def curate(self, project_id: str) -> types.CurationStarted:
        """Let go now what is no longer kept.

        Does now what the night's curation would do. What it comes to stands in the project's retention.
        What goes does not come back.

        Needs: project.update.
        """
        return cast(
            "types.CurationStarted",
            self._sender.send(Request("POST", f"/v1/project/{segment(project_id)}/retention/curate")),
        )


class AsyncRetention:
    """Operations on ``retention``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def get(self, project_id: str) -> types.RetentionStatus:
        """For how long a project keeps what.

        The settings of the project and of its blueprints, and its last curations with what each of them let
        go. The settings are changed with the project and the blueprint themselves.

        Needs: project.read.
        """
        return cast(
            "types.RetentionStatus",
            await self._sender.send(Request("GET", f"/v1/project/{segment(project_id)}/retention")),
        )

    async def preview(self, project_id: str, *, at: int | None = None) -> types.RetentionPreview:
        """What a curation would let go.

        Of the history exactly, day by day with sizes, as long as nothing more comes in and the settings
        stay; of documents what is old enough now. Nothing is changed.

        Needs: project.read.
        """
        return cast(
            "types.RetentionPreview",
            await self._sender.send(
                Request("GET", f"/v1/project/{segment(project_id)}/retention/preview", query={"at": at})
            ),
        )

    async def curate(self, project_id: str) -> types.CurationStarted:
        """Let go now what is no longer kept.

        Does now what the night's curation would do. What it comes to stands in the project's retention.
        What goes does not come back.

        Needs: project.update.
        """
        return cast(
            "types.CurationStarted",
            await self._sender.send(Request("POST", f"/v1/project/{segment(project_id)}/retention/curate")),
        )
