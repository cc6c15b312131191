"""How a stack is to run: options of ``python -m local`` and of :class:`local.stack.Stack`."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from local.processes import ROOT
from local.topology import SERVICES

STACK_DIR = ROOT / ".fulcrum" / "run"
PREFERRED_PORT = 8080
PROJECT = "fulcrum-local"
# What Google takes as the id of a project.
_PROJECT_FORM = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
# The first project that `make run` makes, so that there is something to send to.
DEMO_PROJECT = "demo"
DEMO_NETWORK = "demo-gateways"


@dataclass(frozen=True)
class Options:
    """``port`` None: 8080 if it is free, else another; 0: any. ``data`` None: state is thrown away.

    ``leash``: the stack ends when its standard input does.
    """

    stack_dir: Path = STACK_DIR
    port: int | None = None
    data: Path | None = None
    emulators: Literal["embedded", "google"] = "embedded"
    idle_seconds: float = 900.0
    movable_clock: bool = False
    project: str = PROJECT
    services: Path = SERVICES
    leash: bool = False

    def arguments(self) -> list[str]:
        """The command line that gives these options."""
        line = ["--stack", str(self.stack_dir), "--emulators", self.emulators]
        line += ["--idle-seconds", f"{self.idle_seconds:g}", "--project", self.project]
        line += ["--services", str(self.services)]
        if self.port is not None:
            line += ["--port", str(self.port)]
        if self.data is not None:
            line += ["--data", str(self.data)]
        if self.movable_clock:
            line += ["--clock", "movable"]
        if self.leash:
            line += ["--leash"]
        return line


def parse(arguments: Sequence[str], env: Mapping[str, str]) -> Options:
    """Options from a command line; ``EMULATORS`` of the environment is the default of ``--emulators``."""
    parser = argparse.ArgumentParser(
        prog="python -m local", description="Run all of Fulcrum on this machine until Ctrl-C."
    )
    add = parser.add_argument
    add("--port", type=_port, help=f"of the front; default {PREFERRED_PORT} if it is free, else any; 0: any")
    add("--data", type=Path, help="keep the emulators' state in this folder; default: thrown away")
    add("--stack", type=Path, default=STACK_DIR, help="folder for stack.json and stack.env (%(default)s)")
    add(
        "--emulators",
        choices=("embedded", "google"),
        default=env.get("EMULATORS") or "embedded",
        help="google: Google's own Pub/Sub and Firestore emulators, through gcloud",
    )
    add(
        "--idle-seconds",
        type=_seconds,
        default=900.0,
        help="end a function after that; 0: never (%(default)g)",
    )
    add("--clock", choices=("real", "movable"), default="real", help="movable: tests may move it forward")
    add("--project", type=_project, default=PROJECT, help="name of the cloud project (%(default)s)")
    add("--services", type=Path, default=SERVICES, help="another list of functions and topics")
    add("--leash", action="store_true", help="end when standard input ends")
    args = parser.parse_args(arguments)
    for option, folder in (("--stack", args.stack), ("--data", args.data)):
        if folder is not None and (in_the_way := _no_folder(folder)):
            parser.error(f"{option} {folder}: {in_the_way} is no folder")
    if not args.services.is_file():
        parser.error(f"--services {args.services}: there is no such file")
    if args.emulators not in ("embedded", "google"):
        parser.error(f"EMULATORS is {args.emulators!r}: set it to embedded or google")
    if args.emulators == "google" and args.data is not None:
        parser.error("Google's emulators keep no state: leave out --data, or use --emulators embedded")
    if args.emulators == "google" and args.clock == "movable":
        parser.error("Google's emulators have a clock of their own: leave out --clock movable")
    return Options(
        stack_dir=args.stack.absolute(),
        port=args.port,
        data=args.data.absolute() if args.data else None,
        emulators=args.emulators,
        idle_seconds=args.idle_seconds,
        movable_clock=args.clock == "movable",
        project=args.project,
        services=args.services.absolute(),
        leash=args.leash,
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is no port: give one from 0 to 65535")
    return port


def _seconds(text: str) -> float:
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds >= 0):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds: give 0 or more")
    return seconds


def _project(text: str) -> str:
    if not _PROJECT_FORM.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no id of a project: 6 to 30 lower case letters, digits and hyphens, a letter first"
        )
    return text


def _no_folder(path: Path) -> Path | None:
    """What stands in the way of a folder at ``path``."""
    return next((one for one in (path, *path.parents) if one.exists() and not one.is_dir()), None)


# argparse says "invalid ... value" with these names for what is no number at all.
_port.__name__, _seconds.__name__ = "int", "float"
