"""Which modules answer which paths: each group of routes is an application of its own, made when first asked.

All routes together take longer to import and to build than one request should wait at a cold start; a
function that was woken for one device pays for the devices' routes alone. A test walks all routes and
holds that each is found in the group that its path leads to.
"""

from __future__ import annotations

import importlib
from functools import cache

from fastapi import FastAPI

from functions.api.app import make
from functions.api.router import Router
from shared import collector

# Group → the modules that it is made of; each has a ``router``.
MODULES: dict[str, tuple[str, ...]] = {
    "device": ("devices.item_routes",),
    "devices": ("devices.routes",),
    "data": ("devices.data_routes",),
    "relations": ("devices.relation_routes", "devices.interface_routes"),
    "about": ("about",),
    "access": ("access.session_routes", "access.password_routes", "access.user_routes", "roles.people"),
    "keys": ("access.api_key_routes",),
    "projects": ("resources.projects",),
    "systems": ("resources.systems",),
    "verify": ("resources.verify",),
    "blueprints": ("resources.blueprints",),
    "routing": ("resources.routing",),
    "automation": ("resources.automation",),
    "screens": ("resources.screens",),
    "audit": ("resources.audit",),
    "history": ("history.routes",),
    "replay": ("replay.routes",),
    "tracing": ("tracing.routes",),
    "scripts": ("scripts.life_routes", "scripts.read_routes"),
    "timers": ("timers.routes",),
    "templates": ("templates.routes",),
    "simulation": ("simulation.routes",),
    "messages": ("messages.routes", "messages.secret_headers"),
    "roles": (
        *("roles.routes", "roles.permissions", "roles.given", "roles.can"),
        *("roles.members", "roles.pending"),
    ),
    "live": ("live.routes",),
    "project_code": ("project_code.routes",),
    "csv": ("joining.csv_routes",),
    "jobs": ("joining.jobs",),
    "unknown": ("joining.unknown",),
    "credentials": ("joining.network_keys", "joining.device_tokens"),
    "quarantine": ("joining.quarantine",),
    "retention": ("retention.routes",),
    "search": ("search.routes",),
    "outbox": ("outbox.routes",),
    "callbacks": ("callbacks.twilio", "callbacks.sendgrid"),
}

# The word of a path that decides, → group: the last collection named in it, ``/v1/project/{p}/blueprints``
# by its fourth segment, ``/v1/blueprint/{b}`` by its second; where that is not enough, both with a slash.
WORDS: dict[str, str] = {
    "setup": "access",
    "login": "access",
    "logout": "access",
    "sessions": "access",
    "user": "access",
    "users": "access",
    "user/systems": "access",
    "userDevices": "access",
    "user/devices": "access",
    "accounts": "access",
    "apiAccess": "keys",
    "device": "device",
    "devices": "devices",
    "devices.search": "search",
    "data": "data",
    "setValue": "data",
    "relations": "relations",
    "interface": "relations",
    "project": "projects",
    "system": "systems",
    "systems": "systems",
    "project/verify": "verify",
    "system/verify": "verify",
    "blueprint": "blueprints",
    "blueprints": "blueprints",
    "attribute": "blueprints",
    "attributes": "blueprints",
    "messageRoute": "routing",
    "messageRoutes": "routing",
    "network": "routing",
    "networks": "routing",
    **dict.fromkeys(("template", "templates", "scenario", "scenarios"), "automation"),
    **dict.fromkeys(("timer", "timers", "script", "scripts"), "automation"),
    **dict.fromkeys(("dashboard", "dashboards", "view", "views"), "screens"),
    "audit": "audit",
    "role": "roles",
    "permission": "roles",
    "module": "roles",
    "userRole": "roles",
    "can": "roles",
    "members": "roles",
    "pendingUser": "roles",
    "pendingUsers": "roles",
    "history": "history",
    "events": "history",
    "events.search": "history",
    "getHistorical": "history",
    "replayInput": "replay",
    "trace": "tracing",
    **{
        f"script/{verb}": "scripts"
        for verb in (
            *("setCode", "check", "deploy", "undeploy", "rollback", "versions", "deployments", "run"),
            *("logs", "metrics"),
        )
    },
    **{f"timer/{verb}": "timers" for verb in ("start", "stop", "state")},
    "template/preview": "templates",
    **dict.fromkeys(
        ("simulations", "device/simulation", "device/recordScenario", "blueprint/simulate"), "simulation"
    ),
    **{
        f"device/{verb}": "simulation"
        for verb in ("startSim", "pauseSim", "resetSim", "playScenario", "stopScenario")
    },
    "device/messages": "messages",
    "network/secretHeaders": "messages",
    "live": "live",
    **dict.fromkeys(("export", "plan", "apply", "rollback", "revisions"), "project_code"),
    "job": "jobs",
    "jobs": "jobs",
    "unknownDevice": "unknown",
    "unknownDevices": "unknown",
    "keys": "credentials",
    "devices/import": "csv",
    "devices/export": "csv",
    "tokens": "credentials",
    "quarantine": "quarantine",
    "retention": "retention",
    "outbox": "outbox",
    "callback": "callbacks",
}


def group_of(path: str) -> str:
    """The group that a path belongs to; ``about`` for whatever no group knows."""
    segments = path.strip("/").split("/")
    # What follows /interface are names that people chose.
    chosen = len(segments) > 1 and segments[1] == "interface"
    if not chosen and len(segments) > 3:
        for word in (f"{segments[1]}/{segments[3]}", "/".join(segments[3:5]), segments[3]):
            if word in WORDS:
                return WORDS[word]
    return WORDS.get(segments[1], "about") if len(segments) > 1 else "about"


def application(path: str) -> FastAPI:
    """The application that answers a path."""
    return _made(group_of(path))


@cache
def _made(group: str) -> FastAPI:
    with collector.paused():
        return make(_router(module) for module in MODULES[group])


@cache
def whole() -> FastAPI:
    """The application of all routes: what the OpenAPI document describes."""
    return make(_router(module) for modules in MODULES.values() for module in modules)


def _router(module: str) -> Router:
    router = importlib.import_module(f"functions.api.{module}").router
    if not isinstance(router, Router):
        raise TypeError(f"functions.api.{module}.router is no Router")
    return router
