"""Where ``fulcrum`` starts: options before the command, and what becomes of errors."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from fulcrum.cli import problems, profiles, values
from fulcrum.cli.app import Root
from fulcrum.cli.connection import Options
from fulcrum.errors import ClientError

_HELP = """Everything that Fulcrum does, from a shell.

Begin with: fulcrum login --url https://... Then fulcrum use PROJECT, and fulcrum RESOURCE VERB.

Exit codes: 0 done, 1 refused or failed, 2 wrong command line, 3 not signed in, 4 not found, 5 conflict,
6 unreachable, 130 ended by Ctrl-C. FULCRUM_URL, FULCRUM_TOKEN and FULCRUM_PROJECT stand above what the
profile says.
"""


class Command(Root):
    """The whole command; errors of the client end here."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            _quiet()
            raise typer.Exit(problems.OK) from error
        except ClientError as error:
            raise typer.Exit(_told(error)) from error


app = typer.Typer(
    cls=Command, help=_HELP, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
)


def _version(asked: bool) -> None:
    if not asked:
        return
    from importlib import metadata

    try:
        sys.stdout.write(f"fulcrum {metadata.version('fulcrum')}\n")
    except metadata.PackageNotFoundError as error:
        raise problems.Problem("this runs from a folder, and no version is installed") from error
    raise typer.Exit


@app.callback()
def start(
    ctx: typer.Context,
    profile: Annotated[
        str, typer.Option("--profile", envvar="FULCRUM_PROFILE", help="Which profile of the config file")
    ] = profiles.DEFAULT,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Tell every request on stderr, without what is secret in it"),
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Keep what every command wants to know."""
    ctx.obj = Options(profile, verbose)


def main() -> None:
    """Run the command, and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding does not have must not end a command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="fulcrum")
    except ClientError as error:
        sys.exit(_told(error))
    finally:
        _flush()


def _told(error: ClientError) -> int:
    """Say what went wrong; the code to exit with."""
    for text in problems.lines_of(error):
        # An error may quote what devices, scripts and people wrote.
        sys.stderr.write(f"fulcrum: {values.lines(text)}\n")
    return problems.code_of(error)


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _quiet()


def _quiet() -> None:
    """Nobody reads what is written any more, as behind ``| head``: no error of ours."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
