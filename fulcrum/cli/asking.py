"""Asking people: for secrets, which never stand on a command line, and whether they are sure."""

from __future__ import annotations

import sys

import typer

from fulcrum.cli.problems import usage


def secret(what: str, *, confirm: bool = False) -> str:
    """A secret: from a prompt that does not show it, or the next line of standard input; Problem if none."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, confirmation_prompt=confirm, err=True))
    found = sys.stdin.readline().rstrip("\r\n")
    if not found:
        raise usage(f"no {what.lower()} was given", "write it to standard input, or run this in a terminal")
    return found


def text(what: str) -> str:
    """A text that was not given; Problem where nobody can be asked."""
    if not sys.stdin.isatty():
        raise usage(f"the {what.lower()} must be given", f"add --{what.lower()}")
    return str(typer.prompt(what, err=True))


def sure(question: str, yes: bool) -> None:
    """Ask before something is gone; Problem if nobody can be asked, Abort if the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise usage("this deletes something, and nobody can be asked", "repeat it with --yes")
    typer.confirm(question, abort=True, err=True)
