"""What a command talks to: a running local stack, or what the environment names."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from local import stack_files
from shared.config import settings


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """A parser of ``python -m cli.<name>`` with the option ``--stack``."""
    made = argparse.ArgumentParser(
        prog=f"python -m cli.{name}",
        description=f"{description} "
        "Without --stack it talks to what the environment names: emulators, or Google Cloud.",
    )
    made.add_argument("--stack", type=Path, help="folder of a running local stack (its stack.env)")
    return made


def use(args: argparse.Namespace) -> None:
    """Point the clients of this process where ``--stack`` says; StartError if no stack runs there."""
    if args.stack is not None:
        os.environ.update(stack_files.read_environment(args.stack))
        settings.cache_clear()
