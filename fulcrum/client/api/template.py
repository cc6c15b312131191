"""Operations on ``template``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class Template:
    """Operations on ``template``."""

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
    ) -> types.TemplatePage:
        """List the templates of a project.

        A page of the project's templates, by id; by name if asked for a name.

        Needs: template.list.
        """
        return cast(
            "types.TemplatePage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/templates",
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
    ) -> Iterator[types.Template]:
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
        self, project_id: str, body: types.TemplateCreate, *, idempotency_key: str | None = None
    ) -> types.Template:
        """Create a template.

        Creates a template in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: template.create.
        """
        return cast(
            "types.Template",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/templates",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def get(self, template_id: str) -> types.Template:
        """Read a template.

        One template; its ETag says its version.

        Needs: template.read.
        """
        return cast(
            "types.Template", self._sender.send(Request("GET", f"/v1/template/{segment(template_id)}"))
        )

    def update(
        self,
        template_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Template:
        """Change a template.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        alias, desc, email, name, sms, tags. With If-Match, only if nobody was faster.

        Needs: template.update.
        """
        return cast(
            "types.Template",
            self._sender.send(
                Request(
                    "PATCH", f"/v1/template/{segment(template_id)}", headers={"If-Match": if_match}, body=body
                )
            ),
        )

    def delete(self, template_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a template.

        The template is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: template.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/template/{segment(template_id)}", headers={"If-Match": if_match})
            ),
        )

    def preview(self, template_id: str, body: types.TemplateSample) -> types.TemplatePreview:
        """Fill a template from a sample.

        What the template comes to with this context: subject, html, text and sms as they would be sent, or
        what is wrong with a part, with its line; and the names that it takes from the context. With `email`
        or `sms` a draft is filled in place of what is stored. Nothing is sent or stored.

        Needs: template.read.
        """
        return cast(
            "types.TemplatePreview",
            self._sender.send(Request("POST", f"/v1/template/{segment(template_id)}/preview", body=body)),
        )


class AsyncTemplate:
    """Operations on ``template``."""

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
    ) -> types.TemplatePage:
        """List the templates of a project.

        A page of the project's templates, by id; by name if asked for a name.

        Needs: template.list.
        """
        return cast(
            "types.TemplatePage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/templates",
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
    ) -> AsyncIterator[types.Template]:
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
        self, project_id: str, body: types.TemplateCreate, *, idempotency_key: str | None = None
    ) -> types.Template:
        """Create a template.

        Creates a template in the project. With an Idempotency-Key it is created once, however often the
        request is sent.

        Needs: template.create.
        """
        return cast(
            "types.Template",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/templates",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def get(self, template_id: str) -> types.Template:
        """Read a template.

        One template; its ETag says its version.

        Needs: template.read.
        """
        return cast(
            "types.Template", await self._sender.send(Request("GET", f"/v1/template/{segment(template_id)}"))
        )

    async def update(
        self,
        template_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.Template:
        """Change a template.

        Changes what the body names: an array of {path, value, op}, or a plain object. May be changed:
        alias, desc, email, name, sms, tags. With If-Match, only if nobody was faster.

        Needs: template.update.
        """
        return cast(
            "types.Template",
            await self._sender.send(
                Request(
                    "PATCH", f"/v1/template/{segment(template_id)}", headers={"If-Match": if_match}, body=body
                )
            ),
        )

    async def delete(self, template_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a template.

        The template is gone at once; a job clears what hung on it. With If-Match, only if nobody changed it
        meanwhile.

        Needs: template.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/template/{segment(template_id)}", headers={"If-Match": if_match})
            ),
        )

    async def preview(self, template_id: str, body: types.TemplateSample) -> types.TemplatePreview:
        """Fill a template from a sample.

        What the template comes to with this context: subject, html, text and sms as they would be sent, or
        what is wrong with a part, with its line; and the names that it takes from the context. With `email`
        or `sms` a draft is filled in place of what is stored. Nothing is sent or stored.

        Needs: template.read.
        """
        return cast(
            "types.TemplatePreview",
            await self._sender.send(
                Request("POST", f"/v1/template/{segment(template_id)}/preview", body=body)
            ),
        )
