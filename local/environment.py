"""What a stack's processes see in their environment: emulators instead of Google, nothing of the caller's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from emulators.sendgrid import signing
from local.processes import ROOT
from local.topology import Function
from local.watchdog import MARK

# Variables of the caller that would reach Google, or change what a function does.
_FOREIGN = (
    "BIGQUERY_EMULATOR_HOST",
    "CLOUDSDK_",
    "FIRESTORE_EMULATOR_HOST",
    "FULCRUM_",
    "FUNCTION_",
    "GCLOUD_PROJECT",
    "GOOGLE_",
    "GUNICORN_",
    "K_",
    "PUBSUB_EMULATOR_HOST",
    "PYTHONPATH",
)

# An account of the stand-in of Twilio (see emulators.twilio.app), and a number that it sends from.
TWILIO = {"FULCRUM_TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "FULCRUM_TWILIO_FROM": "+15005550006"}
# Who sends the stack's mail, to the stand-in of SendGrid.
MAIL_FROM = "Fulcrum <fulcrum@example.com>"

# Where functions are, as it stands in tasks and jobs, which outlive the stack.
FUNCTIONS_URL = "http://functions.fulcrum.local/"


def loopback_direct(inherited: Mapping[str, str]) -> dict[str, str]:
    """What keeps a company's proxy out of calls on this machine: Google's clients ask it for http, too."""
    names = (inherited.get("no_proxy") or inherited.get("NO_PROXY") or "").split(",")
    without = ",".join(dict.fromkeys([*(name for name in names if name), "127.0.0.1", "localhost"]))
    return {"no_proxy": without, "NO_PROXY": without}


@dataclass(frozen=True)
class Endpoints:
    """Where the emulators listen: host:port for gRPC, URLs for HTTP. ``control`` is empty for Google's."""

    pubsub: str
    firestore: str
    bigquery: str
    bigquery_storage: str
    logging: str = ""
    functions: str = ""
    tasks: str = ""
    scheduler: str = ""
    twilio: str = ""
    sendgrid: str = ""
    control: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """The variables that point Google's clients and Fulcrum's own at the emulators."""
        return {
            "PUBSUB_EMULATOR_HOST": self.pubsub,
            "FIRESTORE_EMULATOR_HOST": self.firestore,
            "BIGQUERY_EMULATOR_HOST": self.bigquery,
            "FULCRUM_BIGQUERY_STORAGE_ENDPOINT": self.bigquery_storage,
        }


@dataclass(frozen=True)
class Surroundings:
    """What all processes of one stack share."""

    inherited: Mapping[str, str]
    project: str
    mark: str
    clock_file: Path | None
    # Secrets by name, which functions get that declare them.
    secrets: Mapping[str, str] = field(default_factory=dict)
    # The users' own topics, which routes and timers may name.
    custom_topics: tuple[str, ...] = ()
    # With a function's name behind it, where the platform itself posts to that; new at each start.
    push_base: str = ""
    # Where the front is, for what is to come back from outside.
    public_url: str = ""
    # After which a function without a request ends; 0: never.
    idle_seconds: float = 900.0

    def common(self) -> dict[str, str]:
        """The environment of every process of the stack."""
        kept = {
            key: value
            for key, value in self.inherited.items()
            if not any(key == name or (name.endswith("_") and key.startswith(name)) for name in _FOREIGN)
        }
        kept |= {
            **loopback_direct(self.inherited),
            "GOOGLE_CLOUD_PROJECT": self.project,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            MARK: self.mark,
        }
        if self.clock_file is not None:
            kept["FULCRUM_CLOCK_FILE"] = str(self.clock_file)
        return kept

    def function(self, function: Function, endpoints: Endpoints) -> dict[str, str]:
        """The environment of a function's process."""
        settings = {f"FULCRUM_{name}": value for name, value in function.settings.items()}
        settings |= {f"FULCRUM_{name}": self.secrets[name] for name in function.secrets}
        if "FULCRUM_CUSTOM_TOPICS" in settings:
            settings["FULCRUM_CUSTOM_TOPICS"] = ",".join(self.custom_topics)
        if "logging-read" in function.stores:
            settings["FULCRUM_LOGGING_ENDPOINT"] = endpoints.logging
        if "tasks" in function.stores:
            settings["FULCRUM_TASKS_ENDPOINT"] = endpoints.tasks
        if "schedules" in function.stores:
            settings["FULCRUM_SCHEDULER_ENDPOINT"] = endpoints.scheduler
        if "FULCRUM_TASKS_TARGET" in settings:
            settings["FULCRUM_TASKS_TARGET"] = FUNCTIONS_URL + function.name
        if "FULCRUM_TWILIO_ACCOUNT_SID" in settings:
            # Never somebody's own account: a stack on a laptop sends nothing to anybody's telephone.
            settings |= TWILIO | {"FULCRUM_TWILIO_ENDPOINT": endpoints.twilio}
        if "FULCRUM_MAIL_FROM" in settings:
            settings |= {"FULCRUM_MAIL_FROM": MAIL_FROM, "FULCRUM_SENDGRID_ENDPOINT": endpoints.sendgrid}
        if "FULCRUM_SENDGRID_WEBHOOK_KEY" in settings and "SENDGRID_API_KEY" in self.secrets:
            settings["FULCRUM_SENDGRID_WEBHOOK_KEY"] = signing.public_key(self.secrets["SENDGRID_API_KEY"])
        if "FULCRUM_CALLBACK_URL" in settings:
            settings["FULCRUM_CALLBACK_URL"] = self.public_url
        if "functions" in function.stores:
            settings["FULCRUM_FUNCTIONS_ENDPOINT"] = endpoints.functions
        return {
            **self.common(),
            **endpoints.environment(),
            **settings,
            "K_SERVICE": function.name,
            "FULCRUM_LOG_FORMAT": "json",
        }

    def google_emulator(self) -> dict[str, str]:
        """The environment of gcloud, which needs the caller's own settings of it."""
        own = {key: value for key, value in self.inherited.items() if key.startswith("CLOUDSDK_")}
        return {**self.common(), **own}
