"""Where documents stand in Firestore, and how topics are called: the only place that spells these names.

networks/{networkId}                            whose it is, its keys (hashes), limits; read by ingest
deviceTokens/{tokenId}                          which device a token speaks for (hash)
aliases/{digest of the triple}                  outside name → device
projects/{p}                                    name, revision (grows with every change that the event
                                                path must learn of)
projects/{p}/blueprints/{b}
projects/{p}/messageRoutes/{r}                  a message route that blueprints and devices refer to
projects/{p}/devices/{d}                        the device with its current state
projects/{p}/deletions/{kind}:{id}              what was deleted, and when; it stays
projects/{p}/unknownDevices/{digest of the triple}
projects/{p}/quarantine/{id}                    what could not be processed
projects/{p}/runningTimers/{digest of the id}   a timer that was set: when it fires next, or how it ended
projects/{p}/timerCancels/recent                what cancelled many timers at once
projects/{p}/outbox/{id}                        mail and SMS on their way out
projects/{p}/curations/{run}-{store}            how far the curation of a store is, or what it came to
projects/{p}/sendLimits/{id}                    what one recipient got lately, where messages have limits
projects/{p}/simulations/{deviceId}             what a simulated device plays; see shared/simulations.py
projects/{p}/outbound/{msgId}                   a message to a device
"""

from __future__ import annotations

from fulcrum.core import ids
from shared.config import settings

# The project under which is quarantined what names no project.
NO_PROJECT = "none"


def database() -> str:
    """The Firestore database of this deployment."""
    return f"projects/{settings().cloud_project}/databases/(default)"


def document(*segments: str) -> str:
    """The full name of a document from its path's segments, collection and id in turn."""
    return f"{database()}/documents/{'/'.join(segments)}"


def network(network_id: str) -> str:
    """The document of a network."""
    return document("networks", network_id)


def device_token(token_id: str) -> str:
    """The document of a device's token."""
    return document("deviceTokens", token_id)


def alias(network_id: str, alias_key: str, value: str) -> str:
    """The document of an alias triple."""
    return document("aliases", ids.alias_id(network_id, alias_key, value))


def project(project_id: str) -> str:
    """The document of a project."""
    return document("projects", project_id)


def blueprint(project_id: str, blueprint_id: str) -> str:
    """The document of a blueprint."""
    return document("projects", project_id, "blueprints", blueprint_id)


def message_route(project_id: str, route_id: str) -> str:
    """The document of a message route that blueprints and devices refer to."""
    return document("projects", project_id, "messageRoutes", route_id)


def device(project_id: str, device_id: str) -> str:
    """The document of a device."""
    return document("projects", project_id, "devices", device_id)


def deletion(project_id: str, kind: str, resource_id: str) -> str:
    """The document that says when a resource was deleted."""
    return document("projects", project_id, "deletions", f"{kind}:{resource_id}")


def unknown_device(project_id: str, network_id: str, alias_key: str, value: str) -> str:
    """The record of an outside name that no device has."""
    return document("projects", project_id, "unknownDevices", ids.alias_id(network_id, alias_key, value))


def quarantined(project_id: str, entry_id: str) -> str:
    """The record of something that could not be processed."""
    return document("projects", project_id, "quarantine", entry_id)


def timer(project_id: str, timer_id: str) -> str:
    """A timer as its project has it, which people start and stop."""
    return document("projects", project_id, "timers", timer_id)


def running_timer(project_id: str, timer_id: str) -> str:
    """The document of a timer that was set, by whatever text names it."""
    return document("projects", project_id, "runningTimers", ids.digest("timer", timer_id))


def timer_cancels(project_id: str) -> str:
    """The document of what cancelled many timers of a project at once, lately."""
    return document("projects", project_id, "timerCancels", "recent")


def outbound(project_id: str, msg_id: str) -> str:
    """The record of a message to a device."""
    return document("projects", project_id, "outbound", msg_id)


def queue(name: str) -> str:
    """The full name of a queue of Cloud Tasks."""
    return f"projects/{settings().cloud_project}/locations/{settings().location}/queues/{name}"


def job(name: str) -> str:
    """The full name of a job of Cloud Scheduler."""
    return f"projects/{settings().cloud_project}/locations/{settings().location}/jobs/{name}"


def topic(name: str) -> str:
    """The full name of a topic."""
    return f"projects/{settings().cloud_project}/topics/{name}"
