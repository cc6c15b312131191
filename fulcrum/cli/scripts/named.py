"""The script that a command is about: named by its id or its alias, in the project in use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from fulcrum.cli.connection import Connection, Options

Name = Annotated[str, typer.Argument(metavar="SCRIPT", help="The script's id or alias")]


@dataclass(frozen=True)
class Script:
    """A script of the project: sends requests below ``/v1/script/{id}``."""

    connection: Connection
    name: str
    id: str

    def get(self, path: str = "", **query: Any) -> Any:
        """The answer to ``GET``."""
        return self._send("GET", path, {key: value for key, value in query.items() if value is not None})

    def post(self, path: str, body: Any = None) -> Any:
        """The answer to ``POST``, sent so that a repeat does nothing twice."""
        return self._send("POST", path, {}, body)

    def created(self, body: Any) -> Any:
        """A new script of the project, as it is answered."""
        from fulcrum.client.request import Request, segment

        path = f"/v1/project/{segment(self.connection.project)}/scripts"
        return self.connection.send(Request("POST", path, body=body, once=True))

    def _send(self, method: str, path: str, query: dict[str, Any], body: Any = None) -> Any:
        from fulcrum.client.request import Request, segment

        where = f"/v1/script/{segment(self.id)}" + (f"/{path}" if path else "")
        once = path in ("deploy", "undeploy", "rollback", "run")
        return self.connection.send(Request(method, where, query, body=body, once=once))


@contextmanager
def opened(ctx: typer.Context, name: str, project: str | None) -> Iterator[Script]:
    """The script of a command; the connection is closed behind it."""
    connection = Connection(ctx.find_object(Options) or Options(), project)
    try:
        yield Script(connection, name, find(connection, name))
    finally:
        connection.close()


def find(connection: Connection, name: str) -> str:
    """The id of a script; a name that is no alias is taken for an id."""
    from fulcrum.client.request import Request, segment

    path = f"/v1/project/{segment(connection.project)}/scripts"
    found = connection.send(Request("GET", path, {"alias": name, "perPage": 1}))
    return str(found["items"][0]["id"]) if found["items"] else name
