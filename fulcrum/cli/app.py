"""The tree of commands: those that are written, and those that are made of the API's operations.

A command that is written stands in ``WRITTEN`` with the module that it is in; it is imported when it is asked
for. To add one, write its function in a module of its own and enter it here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup

from fulcrum.cli import generated, scripts

# What is typed → module:function. Words with a blank are verbs of a resource.
WRITTEN: dict[str, str] = {
    "setup": "fulcrum.cli.account:setup",
    "login": "fulcrum.cli.account:login",
    "logout": "fulcrum.cli.account:logout",
    "use": "fulcrum.cli.account:use",
    "status": "fulcrum.cli.account:status",
    "send": "fulcrum.cli.send:send",
    "tail": "fulcrum.cli.tail:tail",
    "history": "fulcrum.cli.history:history",
    "events": "fulcrum.cli.history:events",
    "search": "fulcrum.cli.search:search",
    "trace": "fulcrum.cli.trace:trace",
    "simulate": "fulcrum.cli.simulate:simulate",
    **{name: f"fulcrum.cli.project_code:{name}" for name in ("export", "plan", "apply", "rollback")},
    "revisions": "fulcrum.cli.project_code:revisions",
    "device show": "fulcrum.cli.device:show",
    "device export": "fulcrum.cli.device_table:export",
    "device import": "fulcrum.cli.device_table:import_",
    "quarantine show": "fulcrum.cli.quarantine:show",
    "quarantine redrive": "fulcrum.cli.quarantine:redrive",
    "quarantine purge": "fulcrum.cli.quarantine:purge",
    "retention preview": "fulcrum.cli.retention:preview",
    "retention curate": "fulcrum.cli.retention:curate",
    **scripts.COMMANDS,
}


class Root(TyperGroup):
    """``fulcrum``: the commands that are written, then the resources."""

    def list_commands(self, ctx: Any) -> list[str]:
        written = [name for name in WRITTEN if " " not in name]
        return [*written, *(name for name in generated.resources() if name not in written)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in WRITTEN and " " not in cmd_name:
            return _command(cmd_name, _imported(WRITTEN[cmd_name]))
        text = generated.resources().get(cmd_name)
        if text is None and not _verbs(cmd_name):
            return None
        return Resource(name=cmd_name, help=text or "", no_args_is_help=True, rich_markup_mode=None)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        names = self.list_commands(ctx)
        for title, is_made in (("Commands", False), ("Resources of the API, each with its verbs", True)):
            rows = []
            for name in names:
                command = self.get_command(ctx, name)
                if isinstance(command, Resource) is is_made:
                    rows.append((name, command.get_short_help_str(200)))
            with formatter.section(title):
                formatter.write_dl(rows)


class Resource(TyperGroup):
    """``fulcrum device``: the verbs of one resource."""

    def list_commands(self, ctx: Any) -> list[str]:
        name = self.name or ""
        made = list(generated.operations(name)) if name in generated.resources() else []
        return sorted({*made, *_verbs(name)})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        name = self.name or ""
        if cmd_name in _verbs(name):
            return _command(cmd_name, _imported(_verbs(name)[cmd_name]))
        operation = generated.operations(name).get(cmd_name) if name in generated.resources() else None
        return operation and _command(cmd_name, generated.function(operation))


def _verbs(resource: str) -> dict[str, str]:
    start = f"{resource} "
    return {name.removeprefix(start): where for name, where in WRITTEN.items() if name.startswith(start)}


def _imported(where: str) -> Callable[..., Any]:
    module, _, name = where.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def _command(name: str, function: Callable[..., Any]) -> Any:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name)(function)
    return typer.main.get_command(app)
