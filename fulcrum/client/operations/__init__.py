"""The resources that have operations, and what each is.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

RESOURCES: dict[str, str] = {
    "about": "What answers here, and its description.",
    "api_access": "API keys: servers that call without a person.",
    "attribute": "Attributes and relationships of blueprints.",
    "audit": "Who changed what, and when.",
    "blueprint": "Blueprints: what devices of one sort have in common.",
    "dashboard": "Dashboards of the console.",
    "device": "Devices: their definition, their current state and how they are related.",
    "device_message": "Messages to devices: sent, followed and cancelled.",
    "device_token": "Tokens by which single devices report.",
    "interface": "Devices reached along their relationships, by the names of their blueprints.",
    "job": "Jobs that go on after an answer, such as what a deletion clears.",
    "live": "What changes, as it changes.",
    "member": "Users of the platform who work in a project.",
    "message_route": "Message routes: along which services an event goes.",
    "network": "Networks: from where devices report.",
    "network_key": "Keys by which gateways of a network report.",
    "outbox": "Messages to people: what was sent, to whom, and what became of it.",
    "pending_user": "Roles that wait for people who have not signed in yet.",
    "permission": "The permissions that roles are made of, and whether somebody has one.",
    "project": "Projects: the tenants, above everything else.",
    "project_code": "The project as code: exported, planned, applied and rolled back.",
    "quarantine": "What could not be processed: shown, processed again, or thrown away.",
    "retention": "For how long a project keeps what: settings, previews and curations.",
    "role": "Roles: sets of permissions.",
    "scenario": "Scenarios that simulated devices play.",
    "script": "Scripts that events run through.",
    "session": "Signing in and out, and the sessions that are open.",
    "system": "Systems: buckets of devices, wholly separate from each other.",
    "template": "Templates of mail and text messages.",
    "timer": "Timers: when something is to happen, and what.",
    "unknown_device": "Outside names that no device has: listed and adopted.",
    "user": "Users of the platform, and accounts of a project.",
    "user_role": "Roles given: who has which role on what. They hold for all that is below.",
    "view": "Saved settings of tables.",
}
