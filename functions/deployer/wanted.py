"""What is asked of Cloud Functions, and what its answers mean in plain words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from fulcrum.script.wire import Description
from shared.script_package import ENTRY_POINT, function_id

# Room for the host and for the script in its limits. A host runs one call after the other: calls that come at
# once get an instance each.
MEMORY = "1Gi"
CPU = "1"
CONCURRENCY = 1
TIMEOUT_SECONDS = 60
MAX_INSTANCES = 20
INVOKER = "roles/run.invoker"
_LABEL = "fulcrum-deployment"
_PROGRESS = {"BUILD": 20, "SERVICE": 60}
_WORDS = {"BUILD": "is being built", "SERVICE": "is being started"}


@dataclass(frozen=True)
class Place:
    """Where scripts run. ``connector``: the VPC connector that all their traffic goes out by; empty: none."""

    project: str
    region: str
    runtime: str
    service_account: str
    invokers: tuple[str, ...]
    connector: str = ""

    @property
    def parent(self) -> str:
        """What functions stand below."""
        return f"projects/{self.project}/locations/{self.region}"

    def function(self, project_id: str, script_id: str) -> str:
        """The resource name of a script's function."""
        return f"{self.parent}/functions/{function_id(project_id, script_id)}"


def label(deployment_id: str) -> str:
    """A deployment as labels can hold it: small letters and digits."""
    return blake2b(deployment_id.encode(), digest_size=16).hexdigest()


def function(
    place: Place, project_id: str, script_id: str, version: int, deployment_id: str, source: Any
) -> dict[str, Any]:
    """The Function, as google-cloud-functions takes it: no roles, called from inside, one way out."""
    service: dict[str, Any] = {
        "service_account_email": place.service_account,
        "available_memory": MEMORY,
        "available_cpu": CPU,
        "timeout_seconds": TIMEOUT_SECONDS,
        "max_instance_count": MAX_INSTANCES,
        "max_instance_request_concurrency": CONCURRENCY,
        "ingress_settings": "ALLOW_INTERNAL_ONLY",
        "all_traffic_on_latest_revision": True,
    }
    if place.connector:
        service |= {"vpc_connector": place.connector, "vpc_connector_egress_settings": "ALL_TRAFFIC"}
    return {
        "name": place.function(project_id, script_id),
        "description": f"Script {script_id} of the Fulcrum project {project_id}, version {version}",
        "environment": "GEN_2",
        "build_config": {
            "runtime": place.runtime,
            "entry_point": ENTRY_POINT,
            "source": {"storage_source": source},
        },
        "service_config": service,
        "labels": {
            "fulcrum-kind": "script",
            "fulcrum-version": str(version),
            _LABEL: label(deployment_id),
        },
    }


def is_of(found: Any, deployment_id: str) -> bool:
    """Whether a function is what a deployment has made of it."""
    return dict(found.labels).get(_LABEL) == label(deployment_id)


def invokers(policy: Any, members: Sequence[str]) -> bool:
    """Give members the right to call in a policy, unless they have it; whether that changed it."""
    for binding in policy.bindings:
        if binding.role == INVOKER:
            missing = [member for member in members if member not in binding.members]
            binding.members.extend(missing)
            return bool(missing)
    policy.bindings.add(role=INVOKER, members=members)
    return True


def progress(version: int, stages: Sequence[tuple[str, str]]) -> tuple[int, str]:
    """(progress, message) of an operation by its stages: (``BUILD``, ``IN_PROGRESS``) and so on."""
    value, words = 10, "is waiting to be built"
    for name, state in stages:
        if name in _PROGRESS and state != "NOT_STARTED":
            value, words = _PROGRESS[name], _WORDS[name]
    return value, f"version {version} {words}"


def failure(version: int, text: str) -> tuple[str, str]:
    """(message, log) of how an operation ended: what was wrong in a line, and all that was said.

    That line is the first that pip calls an error, or the last: a host that cannot load code ends with it.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR: ")]
    told = (errors or lines[-1:] or ["Cloud Functions did not say why"])[0]
    return f"version {version} could not be deployed: {told}", text


def serving(version: int, description: Description) -> str:
    """The message of a deployment that serves: entry points, and what keeps the code in, or does not."""
    entries = ", ".join(sorted(entry.name for entry in description.entries))
    told = f"version {version} serves: {entries or 'no entry points'}"
    if description.isolation:
        told += f"; isolated by {', '.join(description.isolation)}"
    if description.missing:
        told += f"; NOT isolated by {'; '.join(description.missing)}"
    return told
