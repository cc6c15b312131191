"""Setting up, signing in and out, and which project is in use."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from fulcrum.cli import asking, credentials, output, profiles, values
from fulcrum.cli.connection import Connection, Options
from fulcrum.cli.problems import NOT_SIGNED_IN, Problem, usage
from fulcrum.cli.profiles import Profile

Username = Annotated[str | None, typer.Option("--username", "-u", help="Asked for if left out")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON: one document")]


def setup(
    ctx: typer.Context,
    url: Annotated[str | None, typer.Argument(help="The address of the API, as https://...")] = None,
    stack: Annotated[
        Path | None, typer.Option("--stack", help="Folder of a local stack, which says address and token")
    ] = None,
    username: Username = None,
) -> None:
    """Make the first administrator of a new deployment, and sign in.

    It takes the deployment's secret SETUP_TOKEN: from FULCRUM_SETUP_TOKEN, of the local stack, or asked for.
    The password comes from FULCRUM_PASSWORD, a prompt, or the first line of standard input.
    """
    from fulcrum.client.request import Request

    told = _stack_settings(stack) if stack else {}
    address = url or told.get("FULCRUM_URL") or os.environ.get("FULCRUM_URL")
    if not address:
        raise usage("no address was given", "as in: fulcrum setup https://api.example.com")
    token = (
        told.get("FULCRUM_SETUP_TOKEN")
        or os.environ.get("FULCRUM_SETUP_TOKEN")
        or asking.secret("Setup token")
    )
    username = username or asking.text("Username")
    password = _password(confirm=True)
    body = {"token": token, "username": username, "password": password}
    connection = Connection(_options(ctx), url=address)
    try:
        connection.send_as("", Request("POST", "/v1/setup", body=body))
    finally:
        connection.close()
    output.note(f"{username} is the first administrator of {address}")
    _sign_in(_options(ctx), address, username, password, "")


def login(
    ctx: typer.Context,
    url: Annotated[str | None, typer.Option("--url", help="The address of the API; kept")] = None,
    username: Username = None,
    project: Annotated[
        str | None, typer.Option("--project", help="Sign in to this project, as one of its accounts must")
    ] = None,
) -> None:
    """Sign in, and keep the session until it ends or fulcrum logout.

    The password comes from FULCRUM_PASSWORD, a prompt, or the first line of standard input; never from the
    command line, where others see it.
    """
    options = _options(ctx)
    known = profiles.read(options.profile)
    address = Connection(options, url=url).url
    username = username or (known.username if known.url == address else "") or asking.text("Username")
    _sign_in(options, address, username, _password(confirm=False), project or "")


def logout(ctx: typer.Context) -> None:
    """End the session, here and on the server."""
    from fulcrum.client.request import Request

    options = _options(ctx)
    if not profiles.read(options.profile).id_token:
        output.note("nobody is signed in")
        return
    connection = Connection(options)
    try:
        connection.send(Request("POST", "/v1/logout"))
    except Problem as problem:
        # A session that has ended already needs no end.
        if problem.code != NOT_SIGNED_IN:
            raise
    finally:
        connection.close()
    _change(options, credentials.signed_out)
    output.note("signed out")


def use(
    ctx: typer.Context,
    project: Annotated[str, typer.Argument(help="The id of the project")],
) -> None:
    """Choose the project that commands are about from now on."""
    from fulcrum.client.request import Request, segment

    connection = Connection(_options(ctx), project)
    try:
        found = connection.send(Request("GET", f"/v1/project/{segment(project)}"))
    finally:
        connection.close()
    _change(_options(ctx), lambda profile: replace(profile, project=project))
    output.note(f"using project {found['name']} ({project})")


def status(ctx: typer.Context, json: Json = False) -> None:
    """Say where commands go, in which project, and who is signed in."""
    from fulcrum.client.request import Request

    connection = Connection(_options(ctx))
    try:
        about = connection.send(Request("GET", "/v1/about"))
        told: dict[str, Any] = {"url": connection.url, "version": about["version"]}
        if connection.chosen_project:
            told["project"] = connection.chosen_project
        if connection.is_signed_in:
            told["user"] = _who(connection)
    finally:
        connection.close()
    output.show(told, output.Shape(json=json))
    if "user" not in told:
        raise Problem("nobody is signed in", "sign in with: fulcrum login", NOT_SIGNED_IN)


def _who(connection: Connection) -> str:
    from fulcrum.client.request import Request
    from fulcrum.errors import Denied

    try:
        return str(connection.send(Request("GET", "/v1/user/me"))["username"])
    except Denied as error:
        if error.error == "user.none":
            return "an API key"
        raise


def _sign_in(options: Options, url: str, username: str, password: str, project: str) -> None:
    from fulcrum.client.request import Request

    body = {"username": username, "password": password} | ({"projectId": project} if project else {})
    connection = Connection(options, project or None, url=url)
    try:
        answer = connection.send_as("", Request("POST", "/v1/login", body=body))
    finally:
        connection.close()

    def signed_in(profile: Profile) -> Profile:
        kept = profile if profile.url == url else Profile(url=url)
        kept = replace(kept, username=username, project=project or kept.project)
        return credentials.signed_in(kept, answer)

    _change(options, signed_in)
    output.note(f"signed in as {username}; the session ends {values.instant(answer['refreshExpires'])}")


def _change(options: Options, change: Any) -> None:
    with profiles.lock():
        profiles.write(options.profile, change(profiles.read(options.profile)))


def _options(ctx: typer.Context) -> Options:
    return ctx.find_object(Options) or Options()


def _stack_settings(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / "stack.env").read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise Problem(f"no stack runs in {folder}: {error.strerror}", "start one with: make run") from error
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _password(confirm: bool) -> str:
    return os.environ.get("FULCRUM_PASSWORD") or asking.secret("Password", confirm=confirm)
