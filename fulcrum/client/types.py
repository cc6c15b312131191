"""The objects that the API takes and answers, as typed dictionaries.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class About(TypedDict):
    """What answers here."""

    name: str
    version: str


class Accepted(TypedDict):
    """An event that is on its way: it is never lost, and takes effect within moments."""

    status: str
    eventId: str
    deviceId: str
    time: int
    path: NotRequired[str]


class Ack(TypedDict):
    """Somebody took notice of an event record."""

    id: str
    time: int
    data: NotRequired[Any]
    userId: NotRequired[str]


class AckCreate(TypedDict):
    """An acknowledgement of an event record."""

    type: NotRequired[str]
    data: NotRequired[Any]


class Actor(TypedDict):
    """Who acted."""

    kind: Literal["user", "apiAccess", "platform"]
    id: str
    name: NotRequired[str]


class Adoption(TypedDict):
    """What an unknown device becomes: a device with that outside name."""

    blueprintId: str
    systemId: str
    name: NotRequired[str]
    parentDeviceId: NotRequired[str]
    messageRouteId: NotRequired[str]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]


class ApiAccess(TypedDict):
    """An API key; its secret is never read again."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    name: str
    desc: NotRequired[str]
    narrowed: NotRequired[bool]
    expires: NotRequired[int]
    revoked: NotRequired[bool]
    metadata: NotRequired[dict[str, Any]]
    lastUsed: NotRequired[int]


class ApiAccessCreate(TypedDict):
    """A new API key. Without roles it may do everything in the project, unless it is ``narrowed``."""

    name: str
    desc: NotRequired[str]
    narrowed: NotRequired[bool]
    expires: NotRequired[int]
    revoked: NotRequired[bool]
    metadata: NotRequired[dict[str, Any]]


class ApiAccessPage(TypedDict):
    """Page[ApiAccess]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[ApiAccess]
    refs: NotRequired[dict[str, dict[str, Any]]]


class ApiAccessSecret(TypedDict):
    """A key with its secret, shown this once."""

    key: ApiAccess
    secret: NotRequired[str]
    token: NotRequired[str]


class Applied(TypedDict):
    """A change that was carried out, or had nothing to do."""

    revision: int
    base: str
    changed: int
    deleted: NotRequired[int]
    jobId: NotRequired[str]


class ApplyAsked(TypedDict):
    """What the project is to be, and why."""

    document: dict[str, Any]
    base: NotRequired[str]
    message: NotRequired[str]
    force: NotRequired[bool]


class Attribute(TypedDict):
    """An attribute. Its path, type and unit, and what a relationship does with its devices, stay as they are:"""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    name: str
    path: str
    parentPath: NotRequired[str]
    type: str
    unit: NotRequired[str]
    values: NotRequired[list[str | int | float]]
    min: NotRequired[float]
    max: NotRequired[float]
    isCollection: NotRequired[bool]
    source: NotRequired[Literal["Device", "User"]]
    desc: NotRequired[str]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]
    targetBlueprintId: NotRequired[str]
    relationshipType: NotRequired[Literal["oneToOne", "oneToMany", "manyToOne", "manyToMany"]]
    owned: NotRequired[bool]
    forwardData: NotRequired[bool]
    mirrorPath: NotRequired[str]
    blueprintId: str
    sourceBlueprintId: NotRequired[str]
    mirrorId: NotRequired[str]


class AttributeCreate(TypedDict):
    """A new attribute of a blueprint."""

    name: str
    path: str
    parentPath: NotRequired[str]
    type: str
    unit: NotRequired[str]
    values: NotRequired[list[str | int | float]]
    min: NotRequired[float]
    max: NotRequired[float]
    isCollection: NotRequired[bool]
    source: NotRequired[Literal["Device", "User"]]
    desc: NotRequired[str]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]
    targetBlueprintId: NotRequired[str]
    relationshipType: NotRequired[Literal["oneToOne", "oneToMany", "manyToOne", "manyToMany"]]
    owned: NotRequired[bool]
    forwardData: NotRequired[bool]
    mirrorPath: NotRequired[str]


class AttributePage(TypedDict):
    """Page[Attribute]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Attribute]
    refs: NotRequired[dict[str, dict[str, Any]]]


class AuditEntry(TypedDict):
    """One resource changed by one request."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    time: int
    requestId: str
    actor: Actor
    verb: str
    kind: str
    resourceId: str
    name: NotRequired[str]
    systemId: NotRequired[str]
    changes: NotRequired[list[ChangedField]]


class AuditEntryPage(TypedDict):
    """Page[AuditEntry]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[AuditEntry]
    refs: NotRequired[dict[str, dict[str, Any]]]


class Blueprint(TypedDict):
    """A blueprint; its attributes are resources of their own."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    name: str
    alias: str
    desc: NotRequired[str]
    purpose: NotRequired[Literal["device", "organization"]]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]
    messageRoute: NotRequired[dict[str, Any]]
    messageRouteId: NotRequired[str]
    checkMode: NotRequired[Literal["off", "warn", "strict"]]
    retention: NotRequired[BlueprintRetention]
    attributes: NotRequired[list[Attribute]]


class BlueprintCreate(TypedDict):
    """A new blueprint."""

    name: str
    alias: str
    desc: NotRequired[str]
    purpose: NotRequired[Literal["device", "organization"]]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]
    messageRoute: NotRequired[dict[str, Any]]
    messageRouteId: NotRequired[str]
    checkMode: NotRequired[Literal["off", "warn", "strict"]]
    retention: NotRequired[BlueprintRetention]


class BlueprintPage(TypedDict):
    """Page[Blueprint]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Blueprint]
    refs: NotRequired[dict[str, dict[str, Any]]]


class BlueprintRetention(TypedDict):
    """For how long history and events of a blueprint's devices are kept, where not as the project says."""

    history: NotRequired[HistoryRetention]
    events: NotRequired[StoreRetention]


class CanAnswer(TypedDict):
    """Whether it is allowed."""

    can: bool


class CanAsked(TypedDict):
    """Who may do what on which resource. One of ``permission``, ``permissions`` and ``condition``."""

    user: NotRequired[str]
    permission: NotRequired[str]
    permissions: NotRequired[list[str]]
    condition: NotRequired[Condition]
    resource: NotRequired[OnResource]
    resources: NotRequired[list[OnResource]]


class ChangeAsked(TypedDict):
    """What the project is to be."""

    document: dict[str, Any]
    base: NotRequired[str]


class ChangePassword(TypedDict):
    """A new password of the caller's own."""

    old: str
    new: str


class ChangedField(TypedDict):
    """A field that was changed; ``hidden`` stands in place of the values of a secret."""

    path: str
    before: NotRequired[Any]
    after: NotRequired[Any]
    hidden: NotRequired[bool]


class Condition(TypedDict):
    """Permissions and conditions, of which all must hold (``and``) or one (``or``)."""

    type: Literal["and", "or"]
    permissions: NotRequired[list[str]]
    conditions: NotRequired[list[Condition]]


class Contact(TypedDict):
    """Whom to ask about a system. Only a name is needed."""

    name: str
    email: NotRequired[str]
    phone: NotRequired[str]
    role: NotRequired[str]


class ContactPage(TypedDict):
    """Page[Contact]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Contact]
    refs: NotRequired[dict[str, dict[str, Any]]]


class Curation(TypedDict):
    """How far the curation of a store is, or what it came to."""

    run: str
    store: str
    state: Literal["running", "done", "failed"]
    now: int
    started: int
    lastModified: int
    result: dict[str, int]
    reason: NotRequired[str]


class CurationStarted(TypedDict):
    """A curation that was asked for and begins a moment later."""

    status: NotRequired[Literal["accepted"]]
    run: str
    now: int


class Dashboard(TypedDict):
    """A dashboard. ``owner`` is the person whose alone it is; nothing for a shared one."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    name: str
    desc: NotRequired[str]
    scope: NotRequired[Literal["personal", "role", "page", "blueprint", "default"]]
    scopeId: NotRequired[str]
    layout: NotRequired[dict[str, Any]]
    tags: NotRequired[list[str]]
    owner: NotRequired[str]


class DashboardCreate(TypedDict):
    """A new dashboard."""

    name: str
    desc: NotRequired[str]
    scope: NotRequired[Literal["personal", "role", "page", "blueprint", "default"]]
    scopeId: NotRequired[str]
    layout: NotRequired[dict[str, Any]]
    tags: NotRequired[list[str]]


class DashboardPage(TypedDict):
    """Page[Dashboard]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Dashboard]
    refs: NotRequired[dict[str, dict[str, Any]]]


class Deleted(TypedDict):
    """A deletion: the resource is gone; ``jobId`` names the job that clears what hung on it."""

    status: str
    id: str
    systemId: NotRequired[str]
    jobId: NotRequired[str]


class DeletedMany(TypedDict):
    """Several deletions at once; ``jobIds`` names the jobs that clear what hung on them."""

    status: str
    ids: list[str]
    jobIds: NotRequired[list[str]]


class DeployAsked(TypedDict):
    """Which version to deploy. The draft, as a new version, if none is named."""

    version: NotRequired[int]
    note: NotRequired[str]


class Device(TypedDict):
    """A device with its current state. What events write (``data`` and the times) no request changes."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    name: str
    networkId: NotRequired[str]
    networkAliases: NotRequired[dict[str, Any]]
    messageRoute: NotRequired[dict[str, Any]]
    messageRouteId: NotRequired[str]
    metadata: NotRequired[dict[str, Any]]
    tags: NotRequired[list[str]]
    simulated: NotRequired[bool]
    simNetworkId: NotRequired[str]
    blueprintId: str
    parentDeviceId: NotRequired[str]
    systemId: str
    purpose: NotRequired[Literal["device", "organization"]]
    links: NotRequired[list[str]]
    forwardTo: NotRequired[list[str]]
    data: NotRequired[dict[str, Any]]
    firstSeen: NotRequired[int]
    lastSeen: NotRequired[int]
    lastEventTime: NotRequired[int]


class DeviceCreate(TypedDict):
    """A new device of a system."""

    name: str
    networkId: NotRequired[str]
    networkAliases: NotRequired[dict[str, Any]]
    messageRoute: NotRequired[dict[str, Any]]
    messageRouteId: NotRequired[str]
    metadata: NotRequired[dict[str, Any]]
    tags: NotRequired[list[str]]
    simulated: NotRequired[bool]
    simNetworkId: NotRequired[str]
    blueprintId: str
    parentDeviceId: NotRequired[str]


class DeviceMessage(TypedDict):
    """A message to a device, and what became of it."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    deviceId: str
    networkId: str
    transport: Literal["rest", "poll", "custom"]
    message: Any
    state: Literal["queued", "sent", "acked", "failed", "expired", "replaced", "cancelled"]
    expireTime: int
    changed: int
    attempts: NotRequired[int]
    nextTry: NotRequired[int]
    sentTime: NotRequired[int]
    sentInfo: NotRequired[Any]
    response: NotRequired[Any]
    error: NotRequired[str]
    key: NotRequired[str]
    by: NotRequired[str]
    source: NotRequired[str]
    userId: NotRequired[str]


class DeviceMessageCreate(TypedDict):
    """A message to a device. It is given up at ``expireTime``, or after ``ttl`` ms; else after a day."""

    message: Any
    msgId: NotRequired[str]
    expireTime: NotRequired[int]
    ttl: NotRequired[int]
    key: NotRequired[str]


class DeviceMessagePage(TypedDict):
    """Page[DeviceMessage]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[DeviceMessage]
    refs: NotRequired[dict[str, dict[str, Any]]]


class DevicePage(TypedDict):
    """Page[Device]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Device]
    refs: NotRequired[dict[str, dict[str, Any]]]


class DeviceState(TypedDict):
    """The state of a device at an instant."""

    deviceId: str
    at: int
    lastEventTime: NotRequired[int]
    data: dict[str, Any]


class Done(TypedDict):
    """It is done."""

    status: str


class Drift(TypedDict):
    """Numbers go off by up to ``perHour`` an hour, each up or down, until the device restarts."""

    perHour: float
    paths: NotRequired[list[str]]


class Email(TypedDict):
    """A mail with placeholders such as ``{{name}}``: Jinja2's language, in a sandbox."""

    subject: str
    html: NotRequired[str]
    text: NotRequired[str]


class ErrorBody(TypedDict):
    """The one shape of every error."""

    status: int
    error: str
    message: str
    description: str
    requestId: str


class Event(TypedDict):
    """An event record."""

    id: str
    type: str
    time: int
    deviceId: str
    systemId: NotRequired[str]
    blueprintId: NotRequired[str]
    data: NotRequired[Any]
    userId: NotRequired[str]


class EventCreate(TypedDict):
    """An event record to be created; its id is made by the server."""

    type: NotRequired[str]
    time: NotRequired[int]
    data: NotRequired[Any]


class EventTrace(TypedDict):
    """The way of one event: of one device, with one content."""

    deviceId: NotRequired[str]
    contentHash: NotRequired[str]
    received: NotRequired[int]
    totalMs: float
    steps: list[TraceStep]


class Exported(TypedDict):
    """The document of a project, and what to send along when it is changed."""

    revision: int
    base: str
    document: dict[str, Any]


class Faults(TypedDict):
    """What goes wrong in a real fleet: events lost and sent twice, late ones, clocks, restarts, sensors."""

    lost: NotRequired[float]
    repeated: NotRequired[float]
    skewMs: NotRequired[int]
    late: NotRequired[Late]
    resets: NotRequired[Resets]
    drift: NotRequired[Drift]


class FieldChange(TypedDict):
    """One field of a resource that changes."""

    field: str
    before: NotRequired[Any]
    after: NotRequired[Any]


class ForgotPassword(TypedDict):
    """Who wants a mail with a link to set a new password."""

    username: str
    projectId: NotRequired[str]


class Frame(TypedDict):
    """A value at an instant, and how the values from here to the next frame are found."""

    t: int
    value: Any
    interp: NotRequired[Literal["step", "linear", "sine", "random", "walk", "noise"]]
    every: NotRequired[int]
    spread: NotRequired[float]


class HeldRole(TypedDict):
    """A role as somebody has it on one resource."""

    id: str
    name: str
    userRoleId: str


class HistoryRetention(TypedDict):
    """For how long history is kept; the rule with the longest path that fits decides."""

    enabled: NotRequired[bool]
    days: NotRequired[int]
    paths: NotRequired[list[PathRetention]]


class Holder(TypedDict):
    """A user who has roles on a resource."""

    id: str
    username: str
    platform: bool
    roles: list[HeldRole]
    metadata: NotRequired[dict[str, Any]]


class HolderAdd(TypedDict):
    """The roles that a user is given on a resource."""

    roles: list[str]
    metadata: NotRequired[dict[str, Any]]


class HolderCreate(TypedDict):
    """A new account of the project, and the roles that it has on a resource."""

    roles: list[str]
    metadata: NotRequired[dict[str, Any]]
    user: UserCreate


class HolderPage(TypedDict):
    """Page[Holder]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Holder]
    refs: NotRequired[dict[str, dict[str, Any]]]


class HolderUpdate(TypedDict):
    """The roles that a user has on a resource from now on: those that are not named are taken back."""

    roles: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]


class ImportRefused(TypedDict):
    """The one shape of errors, with the report: nothing was written."""

    status: int
    error: str
    message: str
    description: str
    requestId: str
    report: ImportReport


class ImportReport(TypedDict):
    """What an import did, or with ``dryRun`` would do."""

    dryRun: bool
    rows: int
    created: NotRequired[int]
    updated: NotRequired[int]
    unchanged: NotRequired[int]
    failed: NotRequired[int]
    errors: NotRequired[list[RowError]]


class Job(TypedDict):
    """A job. ``kind`` and ``resourceId`` say what was deleted and is being cleared."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    type: NotRequired[Literal["delete"]]
    kind: str
    resourceId: str
    name: NotRequired[str]
    state: Literal["waiting", "running", "done", "failed"]
    done: NotRequired[int]
    step: NotRequired[str]
    reason: NotRequired[str]


class JobPage(TypedDict):
    """Page[Job]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Job]
    refs: NotRequired[dict[str, dict[str, Any]]]


class Key(TypedDict):
    """A key of a network, without its secret."""

    id: str
    name: NotRequired[str]
    created: int
    expires: NotRequired[int]
    revoked: NotRequired[bool]
    valid: bool


class KeyCreate(TypedDict):
    """A new key of a network. Several may be valid at once."""

    name: NotRequired[str]
    expires: NotRequired[int]


class KeyValue(TypedDict):
    """Several values, by their paths."""

    keyValue: dict[str, Any]


class Keys(TypedDict):
    """The keys of a network or the tokens of a device, the latest first."""

    count: int
    items: list[Key]


class Late(TypedDict):
    """In this share of its stretches of ``forMs`` a device cannot send until the stretch is over."""

    share: float
    forMs: int


class Line(TypedDict):
    """A way along great circles, of which the position is sent every ``every`` ms as ``{lat, lon}``."""

    points: list[Point]
    speed: float
    every: int
    atEnd: NotRequired[Literal["stay", "back", "again"]]
    spread: NotRequired[float]
    headingPath: NotRequired[str]
    speedPath: NotRequired[str]
    distancePath: NotRequired[str]


class Link(TypedDict):
    """A link to be made: which relationship of the parent's blueprint, and the child."""

    relation: str
    childId: str


class MailDelivery(TypedDict):
    """How far a mail is to one of its recipients, as the provider tells it."""

    to: str
    state: Literal["processed", "deferred", "delivered", "bounced", "dropped"]
    time: int
    text: NotRequired[str]


class MemberAdd(TypedDict):
    """A user of the platform who becomes a member of the project; named by id or by user name."""

    roles: list[str]
    metadata: NotRequired[dict[str, Any]]
    userId: NotRequired[str]
    username: NotRequired[str]


class MessageRoute(TypedDict):
    """A message route. What it says holds for all that refer to it, from ten seconds after the change on."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    name: str
    desc: NotRequired[str]
    route: dict[str, Any]
    tags: NotRequired[list[str]]


class MessageRouteCreate(TypedDict):
    """A new message route."""

    name: str
    desc: NotRequired[str]
    route: dict[str, Any]
    tags: NotRequired[list[str]]


class MessageRoutePage(TypedDict):
    """Page[MessageRoute]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[MessageRoute]
    refs: NotRequired[dict[str, dict[str, Any]]]


class MisfitDevice(TypedDict):
    """A device whose value would not fit."""

    blueprint: str
    path: str
    deviceId: str
    deviceName: str
    value: Any
    problem: str


class Module(TypedDict):
    """A kind of thing, and what can be done with it."""

    name: str
    displayName: str
    category: Literal["custom", "project", "imagine"]
    verbs: list[str]


class ModuleList(TypedDict):
    """All modules of the platform."""

    count: int
    items: list[Module]


class NamedElsewhere(TypedDict):
    """Something that still names an attribute which would go."""

    what: str
    where: str


class Network(TypedDict):
    """A network, without its keys."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    name: str
    desc: NotRequired[str]
    aliasKeys: NotRequired[list[str]]
    rateLimit: NotRequired[RateLimit]
    outbound: NotRequired[Outbound]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]


class NetworkCreate(TypedDict):
    """A new network. Its keys are made afterwards, and shown once."""

    id: str
    name: str
    desc: NotRequired[str]
    aliasKeys: NotRequired[list[str]]
    rateLimit: NotRequired[RateLimit]
    outbound: NotRequired[Outbound]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]


class NetworkPage(TypedDict):
    """Page[Network]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Network]
    refs: NotRequired[dict[str, dict[str, Any]]]


class NewKey(TypedDict):
    """A key with its text, which is shown this once and kept nowhere."""

    id: str
    name: NotRequired[str]
    created: int
    expires: NotRequired[int]
    revoked: NotRequired[bool]
    valid: bool
    text: str


class NewToken(TypedDict):
    """A token with its text, which is shown this once and kept nowhere."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    deviceId: str
    networkId: str
    name: NotRequired[str]
    expires: NotRequired[int]
    revoked: NotRequired[bool]
    valid: NotRequired[bool]
    text: str


class NotSimulated(TypedDict):
    """A device that does not do what was asked, and why."""

    deviceId: str
    error: str


class OnResource(TypedDict):
    """A resource on which a permission may be held."""

    kind: Literal["project", "system", "device"]
    id: str


class Once(TypedDict):
    """Fires once: ``delay`` ms after its start, or at an instant."""

    type: Literal["once"]
    delay: NotRequired[int]
    when: NotRequired[int]


class Outbound(TypedDict):
    """How messages reach a network's devices."""

    transport: Literal["rest", "poll", "custom"]
    urlTemplate: NotRequired[str]
    method: NotRequired[Literal["POST", "PUT", "PATCH"]]
    headers: NotRequired[dict[str, Any]]
    body: NotRequired[Any]
    expectsAck: NotRequired[bool]


OutboxContent = TypedDict(
    "OutboxContent",
    {
        "id": "str",
        "created": "NotRequired[int]",
        "lastModified": "NotRequired[int]",
        "version": "NotRequired[int]",
        "kind": "Literal['email', 'sms']",
        "state": "NotRequired[Literal['kept', 'sending', 'waiting', 'sent', 'delivered', 'undelivered', 'failed', 'limited']]",
        "time": "NotRequired[int]",
        "sentTime": "NotRequired[int]",
        "reportTime": "NotRequired[int]",
        "nextTry": "NotRequired[int]",
        "attempt": "NotRequired[int]",
        "error": "NotRequired[SendingProblem]",
        "providerId": "NotRequired[str]",
        "firstLimited": "NotRequired[bool]",
        "recipients": "NotRequired[list[str]]",
        "to": "NotRequired[list[str]]",
        "cc": "NotRequired[list[str]]",
        "bcc": "NotRequired[list[str]]",
        "deliveries": "NotRequired[list[MailDelivery]]",
        "template": "NotRequired[str]",
        "source": "NotRequired[str]",
        "confidential": "NotRequired[bool]",
        "from": "NotRequired[str]",
        "subject": "NotRequired[str]",
        "text": "NotRequired[str]",
        "html": "NotRequired[str]",
        "message": "NotRequired[str]",
        "context": "NotRequired[dict[str, Any]]",
        "attachments": "NotRequired[list[OutboxFile]]",
        "limitOptions": "NotRequired[dict[str, Any]]",
    },
)


class OutboxFile(TypedDict):
    """A file that goes with a mail, without its bytes."""

    filename: NotRequired[str]
    url: NotRequired[str]
    contentType: NotRequired[str]


class OutboxMessage(TypedDict):
    """A message to people, without what it says."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    kind: Literal["email", "sms"]
    state: NotRequired[
        Literal["kept", "sending", "waiting", "sent", "delivered", "undelivered", "failed", "limited"]
    ]
    time: NotRequired[int]
    sentTime: NotRequired[int]
    reportTime: NotRequired[int]
    nextTry: NotRequired[int]
    attempt: NotRequired[int]
    error: NotRequired[SendingProblem]
    providerId: NotRequired[str]
    firstLimited: NotRequired[bool]
    recipients: NotRequired[list[str]]
    to: NotRequired[list[str]]
    cc: NotRequired[list[str]]
    bcc: NotRequired[list[str]]
    deliveries: NotRequired[list[MailDelivery]]
    template: NotRequired[str]
    source: NotRequired[str]
    confidential: NotRequired[bool]


class OutboxMessagePage(TypedDict):
    """Page[OutboxMessage]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[OutboxMessage]
    refs: NotRequired[dict[str, dict[str, Any]]]


class PatchOperation(TypedDict):
    """One change. ``path`` has ``/`` between its segments; one may stand before the first."""

    path: str
    value: NotRequired[Any]
    op: NotRequired[Literal["set", "remove", "add"]]


class PathRetention(TypedDict):
    """For how long what is at or below a path is kept."""

    path: str
    days: int


class PendingUser(TypedDict):
    """Roles that wait for somebody."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    issuer: str
    emailOrName: str
    perm: NotRequired[Literal["role"]]
    permValue: str
    contextType: NotRequired[Literal["project", "system", "device"]]
    contextId: NotRequired[str]


class PendingUserCreate(TypedDict):
    """Roles for somebody who has not signed in yet: he gets them when he first does."""

    issuer: str
    emailOrName: str
    perm: NotRequired[Literal["role"]]
    permValue: str
    contextType: NotRequired[Literal["project", "system", "device"]]
    contextId: NotRequired[str]


class PendingUserPage(TypedDict):
    """Page[PendingUser]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[PendingUser]
    refs: NotRequired[dict[str, dict[str, Any]]]


class Permission(TypedDict):
    """One action that a role may allow."""

    name: str
    module: str
    verb: str
    displayName: str
    category: Literal["custom", "project", "imagine"]
    generated: bool
    blueprintId: NotRequired[str]
    attributeId: NotRequired[str]


class PermissionList(TypedDict):
    """All permissions of a project."""

    count: int
    items: list[Permission]


class Place(TypedDict):
    """A system or device that a user was given roles on."""

    id: str
    name: NotRequired[str]
    roleIds: list[str]


class PlacePage(TypedDict):
    """Page[Place]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Place]
    refs: NotRequired[dict[str, dict[str, Any]]]


class Plan(TypedDict):
    """What a change would do, to the project and to its fleet. Nothing is changed yet."""

    base: str
    revision: int
    changes: list[ResourceChange]
    breaking: bool
    blocked: list[str]
    misfits: list[MisfitDevice]
    misfitCount: int
    devicesRead: int
    references: list[NamedElsewhere]


class PlatformUserCreate(TypedDict):
    """A new user of the platform."""

    username: str
    name: NotRequired[str]
    email: NotRequired[str]
    metadata: NotRequired[dict[str, Any]]
    admin: NotRequired[bool]
    projects: NotRequired[list[str]]
    password: NotRequired[str]


class PlayScenario(TypedDict):
    """Which scenario a device is to play, from its beginning."""

    seed: NotRequired[int]
    faults: NotRequired[Faults]
    stagger: NotRequired[int]
    scenarioId: str


class Point(TypedDict):
    """A place on a line. ``speed`` holds from here on; ``halt`` is how long it stands here before, in ms."""

    lat: float
    lon: float
    speed: NotRequired[float]
    halt: NotRequired[int]


class Project(TypedDict):
    """A project. Its ``revision`` grows with every change that the way of an event must learn of."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    name: str
    desc: NotRequired[str]
    revision: NotRequired[int]
    jwtTokenExpiration: NotRequired[int]
    retention: NotRequired[Retention]
    metadata: NotRequired[dict[str, Any]]


class ProjectCreate(TypedDict):
    """A new project. Its id is chosen by you, or made if left out."""

    id: NotRequired[str]
    name: str
    desc: NotRequired[str]
    jwtTokenExpiration: NotRequired[int]
    retention: NotRequired[Retention]
    metadata: NotRequired[dict[str, Any]]


class ProjectPage(TypedDict):
    """Page[Project]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Project]
    refs: NotRequired[dict[str, dict[str, Any]]]


class PublishTopic(TypedDict):
    """Publishes a message to a topic: one that is declared for users, or ``reason``, which runs a script."""

    type: Literal["publishTopic"]
    topic: str
    message: NotRequired[dict[str, Any]]
    options: NotRequired[dict[str, Any]]


class QuarantineChoice(TypedDict):
    """Which entries: some by their ids, or all that the filters leave."""

    ids: NotRequired[list[str]]
    all: NotRequired[bool]
    errorType: NotRequired[str]
    service: NotRequired[str]
    since: NotRequired[int]
    until: NotRequired[int]


class QuarantineContent(TypedDict):
    """An entry with its original bytes, as text if they are UTF-8."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    errorType: NotRequired[str]
    message: NotRequired[str]
    scriptId: NotRequired[str]
    scriptVersion: NotRequired[int]
    service: NotRequired[str]
    topic: NotRequired[str]
    subscription: NotRequired[str]
    time: NotRequired[int]
    publishTime: NotRequired[int]
    sourceMessageId: NotRequired[str]
    index: NotRequired[int]
    projectId: NotRequired[str]
    networkId: NotRequired[str]
    attributes: NotRequired[dict[str, Any]]
    size: NotRequired[int]
    detail: NotRequired[str]
    encoding: Literal["utf-8", "base64"]
    data: str


class QuarantineDone(TypedDict):
    """What became of entries."""

    done: int
    failed: NotRequired[int]
    problems: NotRequired[list[QuarantineProblem]]
    more: NotRequired[bool]


class QuarantineEntry(TypedDict):
    """Something that could not be processed, without its bytes."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    errorType: NotRequired[str]
    message: NotRequired[str]
    scriptId: NotRequired[str]
    scriptVersion: NotRequired[int]
    service: NotRequired[str]
    topic: NotRequired[str]
    subscription: NotRequired[str]
    time: NotRequired[int]
    publishTime: NotRequired[int]
    sourceMessageId: NotRequired[str]
    index: NotRequired[int]
    projectId: NotRequired[str]
    networkId: NotRequired[str]
    attributes: NotRequired[dict[str, Any]]
    size: NotRequired[int]
    detail: NotRequired[str]


class QuarantineEntryPage(TypedDict):
    """Page[QuarantineEntry]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[QuarantineEntry]
    refs: NotRequired[dict[str, dict[str, Any]]]


class QuarantineProblem(TypedDict):
    """An entry that could not be dealt with."""

    id: str
    error: str
    message: str


class QueryUrl(TypedDict):
    """Calls a URL."""

    type: Literal["queryUrl"]
    url: str
    method: NotRequired[Literal["GET", "POST", "PUT", "PATCH", "DELETE"]]
    header: NotRequired[dict[str, Any]]
    body: NotRequired[Any]


class RateLimit(TypedDict):
    """How many events a second ingest takes; the deployment's own limits hold where nothing is said."""

    networkPerSecond: NotRequired[int]
    devicePerSecond: NotRequired[int]


class RecordScenario(TypedDict):
    """What of a device's history becomes a scenario: from ``start`` to ``end``, all paths or some."""

    name: str
    start: int
    end: int
    paths: NotRequired[list[str]]
    loop: NotRequired[bool]


class Redrive(TypedDict):
    """Where an entry goes."""

    topic: NotRequired[str]


class RedriveMany(TypedDict):
    """Which entries to send again."""

    topic: NotRequired[str]
    ids: NotRequired[list[str]]
    all: NotRequired[bool]
    errorType: NotRequired[str]
    service: NotRequired[str]
    since: NotRequired[int]
    until: NotRequired[int]


class Refresh(TypedDict):
    """A session goes on. A page leaves the body out: its cookie says it."""

    refreshToken: NotRequired[str]


class Repeating(TypedDict):
    """Fires every ``delay`` ms, and at its start too if asked."""

    type: Literal["repeating"]
    delay: int
    runImmediately: NotRequired[bool]


class ReplayAsked(TypedDict):
    """Which events, and how a script meets them that never ran on them."""

    since: NotRequired[str | int]
    until: NotRequired[str | int]
    devices: NotRequired[list[str]]
    blueprintId: NotRequired[str]
    eventId: NotRequired[str]
    events: NotRequired[Literal["ran", "all"]]
    entry: NotRequired[str]
    params: NotRequired[dict[str, Any]]


class ResetPassword(TypedDict):
    """A new password, by the token of the mail."""

    token: str
    password: str


class Resets(TypedDict):
    """A device restarts so often: it is silent for ``downMs``, its clock unset for ``unsetMs`` more."""

    perHour: float
    downMs: NotRequired[int]
    unsetMs: NotRequired[int]


class ResourceChange(TypedDict):
    """One resource that changes."""

    action: Literal["create", "update", "replace", "delete"]
    section: str
    name: list[str]
    fields: list[FieldChange]


class Retention(TypedDict):
    """For how long a project keeps what, by store."""

    history: NotRequired[HistoryRetention]
    events: NotRequired[StoreRetention]
    runs: NotRequired[StoreRetention]
    logs: NotRequired[StoreRetention]
    outbound: NotRequired[StoreRetention]
    outbox: NotRequired[StoreRetention]
    unknownDevices: NotRequired[StoreRetention]
    quarantine: NotRequired[StoreRetention]
    timers: NotRequired[StoreRetention]
    scriptVersions: NotRequired[StoreRetention]


class RetentionDay(TypedDict):
    """What of a day of the history would go."""

    day: int
    rows: int
    bytes: int
    shortened: int
    shortenedBytes: int


class RetentionPreview(TypedDict):
    """What a curation at an instant would let go, of all that is there now."""

    at: int
    stores: list[StorePreview]


class RetentionStatus(TypedDict):
    """A project's settings, those of its blueprints, and its last curations, the newest first."""

    retention: Retention
    blueprints: dict[str, BlueprintRetention]
    curations: list[Curation]


class RevisionDetail(TypedDict):
    """A revision with its document."""

    number: int
    time: int
    actor: dict[str, Any]
    message: str
    base: str
    document: dict[str, Any]


class RevisionList(TypedDict):
    """Revisions, the newest first."""

    count: int
    perPage: int
    next: NotRequired[int]
    items: list[RevisionSummary]


class RevisionSummary(TypedDict):
    """A revision without its document."""

    number: int
    time: int
    actor: dict[str, Any]
    message: str
    base: str


class Role(TypedDict):
    """A role: a set of permissions, which its holder has wherever the role was given to him."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    name: str
    displayName: NotRequired[str]
    desc: NotRequired[str]
    category: NotRequired[Literal["custom", "project", "imagine"]]
    permissions: NotRequired[list[str]]


class RoleCreate(TypedDict):
    """A new role."""

    name: str
    displayName: NotRequired[str]
    desc: NotRequired[str]
    category: NotRequired[Literal["custom", "project", "imagine"]]
    permissions: NotRequired[list[str]]


class RolePage(TypedDict):
    """Page[Role]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Role]
    refs: NotRequired[dict[str, dict[str, Any]]]


class RollbackAsked(TypedDict):
    """The revision to go back to."""

    revision: int
    force: NotRequired[bool]


class Rotation(TypedDict):
    """A new key or token in place of another, which stays valid for a while."""

    overlapSeconds: NotRequired[int]
    expires: NotRequired[int]


class RowError(TypedDict):
    """What is wrong with a row."""

    row: int
    column: NotRequired[str]
    error: str
    message: str


class RunAccepted(TypedDict):
    """The occasion is on its way; what came of it stands in the script's logs."""

    status: str
    id: str
    scriptId: str
    deviceId: NotRequired[str]
    time: int


class RunAsked(TypedDict):
    """An occasion to run a script."""

    deviceId: NotRequired[str]
    targetFunction: NotRequired[str]
    params: NotRequired[dict[str, Any]]
    id: NotRequired[str]


class RunFailure(TypedDict):
    """Why a run came to nothing."""

    kind: str
    type: NotRequired[str]
    message: NotRequired[str]
    traceback: NotRequired[str]


class RunLine(TypedDict):
    """One line that a script logged."""

    level: NotRequired[Literal["info", "error"]]
    text: str


class Scenario(TypedDict):
    """A scenario."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    name: str
    desc: NotRequired[str]
    duration: int
    loop: NotRequired[bool]
    tracks: list[Track]
    faults: NotRequired[Faults]
    tags: NotRequired[list[str]]
    blueprintId: str


class ScenarioCreate(TypedDict):
    """A new scenario."""

    name: str
    desc: NotRequired[str]
    duration: int
    loop: NotRequired[bool]
    tracks: list[Track]
    faults: NotRequired[Faults]
    tags: NotRequired[list[str]]
    blueprintId: str


class ScenarioPage(TypedDict):
    """Page[Scenario]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Scenario]
    refs: NotRequired[dict[str, dict[str, Any]]]


class Scheduled(TypedDict):
    """Fires when the clocks of a time zone say what the cron expression says."""

    type: Literal["scheduled"]
    cron: str
    timezone: NotRequired[str]


class Script(TypedDict):
    """A script."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    name: str
    alias: str
    desc: NotRequired[str]
    code: str
    files: NotRequired[dict[str, str]]
    requirements: NotRequired[str]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]
    state: NotRequired[ScriptState]


class ScriptBreaker(TypedDict):
    """Whether the script is run at all: after repeated failures it is not, and what it was to run is set"""

    state: NotRequired[Literal["closed", "open", "halfOpen"]]
    reason: NotRequired[str]
    failures: NotRequired[int]
    openedAt: NotRequired[int]
    until: NotRequired[int]


class ScriptCheck(TypedDict):
    """The code to check; the draft if it is left out."""

    code: NotRequired[str]
    files: NotRequired[dict[str, str]]
    requirements: NotRequired[str]


class ScriptChecked(TypedDict):
    """What a check of a script found, without running it."""

    ok: bool
    entries: list[ScriptEntry]
    problems: list[ScriptProblem]
    warnings: list[ScriptProblem]


class ScriptCreate(TypedDict):
    """A new script: Python text with ``def run(message, context)``. It does nothing until it is deployed."""

    name: str
    alias: str
    desc: NotRequired[str]
    code: str
    files: NotRequired[dict[str, str]]
    requirements: NotRequired[str]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]


class ScriptDeployment(TypedDict):
    """One deployment, or undeployment, of a script, and how far it is."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    scriptId: str
    action: Literal["deploy", "undeploy"]
    state: Literal["queued", "building", "serving", "failed", "done"]
    progress: NotRequired[int]
    message: NotRequired[str]
    log: NotRequired[str]
    note: NotRequired[str]
    createdBy: NotRequired[dict[str, str]]


class ScriptDeploymentPage(TypedDict):
    """Page[ScriptDeployment]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[ScriptDeployment]
    refs: NotRequired[dict[str, dict[str, Any]]]


class ScriptEntry(TypedDict):
    """A function of a script that can be run, and what it needs."""

    name: str
    needs: NotRequired[dict[str, Any]]


class ScriptFigures(TypedDict):
    """The figures of some runs."""

    version: NotRequired[int]
    deviceId: NotRequired[str]
    start: NotRequired[int]
    runs: int
    done: int
    unmet: int
    failed: int
    failures: dict[str, int]
    wallUs: NotRequired[Times]
    cpuUs: NotRequired[Times]
    cpuUsSum: NotRequired[int]
    effects: dict[str, int]


class ScriptMetrics(TypedDict):
    """The figures of a script's runs from ``since`` until before ``until``."""

    since: int
    until: int
    interval: NotRequired[int]
    total: ScriptFigures
    groups: NotRequired[list[ScriptFigures]]
    buckets: NotRequired[list[ScriptFigures]]


class ScriptPage(TypedDict):
    """Page[Script]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Script]
    refs: NotRequired[dict[str, dict[str, Any]]]


class ScriptProblem(TypedDict):
    """Something that is wrong with a script."""

    file: str
    line: NotRequired[int]
    message: str


class ScriptRollback(TypedDict):
    """The version to go back to."""

    version: NotRequired[int]
    note: NotRequired[str]


class ScriptRun(TypedDict):
    """One run of a script for one event."""

    runKey: str
    time: int
    version: int
    entry: str
    deviceId: NotRequired[str]
    eventId: NotRequired[str]
    eventTime: NotRequired[int]
    messageId: NotRequired[str]
    callId: NotRequired[str]
    status: str
    repeated: NotRequired[bool]
    result: NotRequired[str]
    effects: NotRequired[int]
    lines: NotRequired[list[RunLine]]
    failure: NotRequired[RunFailure]
    cpuUs: NotRequired[int]
    wallUs: NotRequired[int]


class ScriptRuns(TypedDict):
    """A page of runs, the latest first."""

    count: int
    perPage: int
    next: NotRequired[str]
    items: list[ScriptRun]


class ScriptState(TypedDict):
    """What of a script is running."""

    state: NotRequired[Literal["undeployed", "deployed"]]
    version: NotRequired[int]
    entries: NotRequired[list[ScriptEntry]]
    deployment: NotRequired[str]
    breaker: NotRequired[ScriptBreaker]


class ScriptVersion(TypedDict):
    """A version of a script. It never changes."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    scriptId: str
    digest: NotRequired[str]
    entries: NotRequired[list[ScriptEntry]]
    note: NotRequired[str]
    createdBy: NotRequired[dict[str, str]]


class ScriptVersionCode(TypedDict):
    """A version of a script with its code."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    scriptId: str
    digest: NotRequired[str]
    entries: NotRequired[list[ScriptEntry]]
    note: NotRequired[str]
    createdBy: NotRequired[dict[str, str]]
    code: str
    files: NotRequired[dict[str, str]]
    requirements: NotRequired[str]


class ScriptVersionPage(TypedDict):
    """Page[ScriptVersion]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[ScriptVersion]
    refs: NotRequired[dict[str, dict[str, Any]]]


class SearchPage(TypedDict):
    """A page of devices that match. A page that BigQuery found may hold fewer than it says, or none, and"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[dict[str, Any]]
    aggregations: NotRequired[dict[str, Any]]
    source: str
    at: NotRequired[int]


class SecretHeaderNames(TypedDict):
    """The names of a network's secret headers."""

    names: list[str]


class SecretHeaders(TypedDict):
    """Headers whose values nobody reads again: they are kept sealed."""

    headers: dict[str, Any]


class SendLimit(TypedDict):
    """What one recipient has got under one key. Nobody changes it but by lifting it."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    kind: Literal["email", "sms"]
    recipient: str
    key: NotRequired[str]
    until: int


class SendLimitPage(TypedDict):
    """Page[SendLimit]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[SendLimit]
    refs: NotRequired[dict[str, dict[str, Any]]]


class SendingProblem(TypedDict):
    """Why a message has not arrived, or not yet."""

    code: str
    text: NotRequired[str]


class Session(TypedDict):
    """One open session of the caller."""

    id: str
    current: bool
    projectId: NotRequired[str]
    created: int
    refreshed: NotRequired[int]
    expires: int
    source: NotRequired[str]
    userAgent: NotRequired[str]


class SessionPage(TypedDict):
    """Page[Session]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Session]
    refs: NotRequired[dict[str, dict[str, Any]]]


class SetCode(TypedDict):
    """The new draft, in place of all of the old one."""

    code: str
    files: NotRequired[dict[str, str]]
    requirements: NotRequired[str]


class Setup(TypedDict):
    """The first administrator of the platform."""

    token: str
    username: str
    password: str


class SignIn(TypedDict):
    """Who signs in. With ``projectId``: an account of that project, else a user of the platform who works"""

    username: str
    password: str
    projectId: NotRequired[str]


class SignedIn(TypedDict):
    """An open session. With ``session=cookie`` the tokens are in cookies, and not here."""

    profile: User
    sessionId: str
    expires: int
    refreshExpires: int
    idToken: NotRequired[str]
    refreshToken: NotRequired[str]
    csrfToken: NotRequired[str]


class SimulateBlueprint(TypedDict):
    """What the simulated devices of a blueprint are to do, of one system or all."""

    seed: NotRequired[int]
    faults: NotRequired[Faults]
    stagger: NotRequired[int]
    scenarioId: NotRequired[str]
    action: Literal["play", "start", "pause", "reset", "stop"]
    systemId: NotRequired[str]
    after: NotRequired[str]


class SimulateMany(TypedDict):
    """What many devices are to do: those that are named, or the simulated ones of a system or a blueprint."""

    seed: NotRequired[int]
    faults: NotRequired[Faults]
    stagger: NotRequired[int]
    scenarioId: NotRequired[str]
    action: Literal["play", "start", "pause", "reset", "stop"]
    systemId: NotRequired[str]
    after: NotRequired[str]
    deviceIds: NotRequired[list[str]]
    blueprintId: NotRequired[str]


class Simulation(TypedDict):
    """What a device plays, and where it is in it."""

    deviceId: str
    state: NotRequired[Literal["playing", "paused", "stopped", "finished"]]
    scenarioId: NotRequired[str]
    seed: NotRequired[int]
    started: NotRequired[int]
    position: NotRequired[int]
    duration: NotRequired[int]
    loop: NotRequired[bool]


class SimulationAccepted(TypedDict):
    """What was asked for is safe, and done a moment later."""

    status: NotRequired[Literal["accepted"]]
    deviceId: str
    scenarioId: NotRequired[str]
    time: int


class SimulationPage(TypedDict):
    """Page[Simulation]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Simulation]
    refs: NotRequired[dict[str, dict[str, Any]]]


class SimulationsAccepted(TypedDict):
    """How many devices were asked; ``refused``: those that were named and cannot."""

    accepted: int
    refused: NotRequired[list[NotSimulated]]
    next: NotRequired[str]
    time: int


class Solar(TypedDict):
    """Fires at sunrise or sunset of a place, ``offset`` ms later (or earlier, if negative)."""

    type: Literal["solar"]
    latitude: float
    longitude: float
    fromSunrise: NotRequired[bool]
    offset: NotRequired[int]
    cron: NotRequired[str]


class StartSim(TypedDict):
    """What a device is to play if it is not paused: what it played last, or the one that its blueprint has,"""

    seed: NotRequired[int]
    faults: NotRequired[Faults]
    stagger: NotRequired[int]
    scenarioId: NotRequired[str]


class StorePreview(TypedDict):
    """What of a store would go."""

    store: str
    exact: bool
    rows: NotRequired[int]
    bytes: NotRequired[int]
    shortened: NotRequired[int]
    snapshotRows: NotRequired[int]
    expiring: NotRequired[int]
    days: NotRequired[list[RetentionDay]]


class StoreRetention(TypedDict):
    """For how long a store is kept."""

    enabled: NotRequired[bool]
    days: NotRequired[int]


class System(TypedDict):
    """A system; its devices are resources of their own."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    name: str
    alias: NotRequired[str]
    desc: NotRequired[str]
    contacts: NotRequired[list[Contact]]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]


class SystemCreate(TypedDict):
    """A new system."""

    name: str
    alias: NotRequired[str]
    desc: NotRequired[str]
    contacts: NotRequired[list[Contact]]
    tags: NotRequired[list[str]]
    metadata: NotRequired[dict[str, Any]]


class SystemPage(TypedDict):
    """Page[System]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[System]
    refs: NotRequired[dict[str, dict[str, Any]]]


class Template(TypedDict):
    """A template."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    name: str
    alias: str
    desc: NotRequired[str]
    email: NotRequired[Email]
    sms: NotRequired[str]
    tags: NotRequired[list[str]]


class TemplateCreate(TypedDict):
    """A new template: for mail, for text messages, or for both."""

    name: str
    alias: str
    desc: NotRequired[str]
    email: NotRequired[Email]
    sms: NotRequired[str]
    tags: NotRequired[list[str]]


class TemplatePage(TypedDict):
    """Page[Template]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Template]
    refs: NotRequired[dict[str, dict[str, Any]]]


class TemplatePreview(TypedDict):
    """What a template comes to: the parts that could be filled, and what is wrong with the others."""

    subject: NotRequired[str]
    html: NotRequired[str]
    text: NotRequired[str]
    sms: NotRequired[str]
    names: NotRequired[list[str]]
    problems: NotRequired[list[TemplateProblem]]


class TemplateProblem(TypedDict):
    """What is wrong with a part of a template."""

    part: Literal["subject", "html", "text", "sms"]
    message: str


class TemplateSample(TypedDict):
    """What a template is filled from to be looked at, and a draft in place of what is stored."""

    context: NotRequired[dict[str, Any]]
    email: NotRequired[Email]
    sms: NotRequired[str]


class Timer(TypedDict):
    """A timer."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    name: str
    desc: NotRequired[str]
    timer: Once | Repeating | Scheduled | Solar
    action: PublishTopic | QueryUrl
    systemId: NotRequired[str]
    scriptId: NotRequired[str]
    tags: NotRequired[list[str]]
    deviceId: NotRequired[str]


class TimerAccepted(TypedDict):
    """What was asked for is safe, and done a moment later."""

    status: NotRequired[Literal["accepted"]]
    id: str
    time: int


class TimerCreate(TypedDict):
    """A new timer. It does nothing until it is started."""

    name: str
    desc: NotRequired[str]
    timer: Once | Repeating | Scheduled | Solar
    action: PublishTopic | QueryUrl
    systemId: NotRequired[str]
    scriptId: NotRequired[str]
    tags: NotRequired[list[str]]
    deviceId: NotRequired[str]


class TimerPage(TypedDict):
    """Page[Timer]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[Timer]
    refs: NotRequired[dict[str, dict[str, Any]]]


class TimerRun(TypedDict):
    """Whether a timer runs, and when it fires."""

    id: str
    state: Literal["stopped", "running", "finished"]
    started: NotRequired[int]
    next: NotRequired[list[int]]
    lastFired: NotRequired[int]
    occurrences: NotRequired[int]


class Times(TypedDict):
    """How long runs took, in µs; approximate where there are many."""

    p50: int
    p95: int


class Token(TypedDict):
    """A device's token, without its secret."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    deviceId: str
    networkId: str
    name: NotRequired[str]
    expires: NotRequired[int]
    revoked: NotRequired[bool]
    valid: NotRequired[bool]


class TokenCreate(TypedDict):
    """A new token, with which one device speaks for itself on one network."""

    networkId: NotRequired[str]
    name: NotRequired[str]
    expires: NotRequired[int]


class Tokens(TypedDict):
    """The tokens of a device, the latest first."""

    count: int
    items: list[Token]


class TraceStep(TypedDict):
    """One thing that happened to an event, or to what came of it."""

    id: str
    parent: NotRequired[str]
    time: int
    sinceMs: float
    service: str
    what: Literal[
        "received",
        "published",
        "routed",
        "unknownDevice",
        "stored",
        "input",
        "copied",
        "ran",
        "effect",
        "sent",
        "setAside",
        "failed",
        "handled",
    ]
    text: str
    messageId: NotRequired[str]
    attempt: NotRequired[int]
    ms: NotRequired[float]
    deviceId: NotRequired[str]
    eventId: NotRequired[str]
    scriptId: NotRequired[str]
    scriptVersion: NotRequired[int]
    errorType: NotRequired[str]
    error: NotRequired[str]
    entryId: NotRequired[str]
    certain: NotRequired[bool]


class Traces(TypedDict):
    """All events with an id: an id is one event's for each device and content."""

    eventId: str
    count: int
    traces: list[EventTrace]
    logs: Literal["found", "none", "unavailable"]
    notes: NotRequired[list[str]]


class Track(TypedDict):
    """The values of one path of the device's data: by frames, or along a line on the map."""

    path: str
    frames: NotRequired[list[Frame]]
    line: NotRequired[Line]
    min: NotRequired[float]
    max: NotRequired[float]
    decimals: NotRequired[int]


class UnknownDevice(TypedDict):
    """An outside name that no device has. Its events are dropped until it is adopted."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    networkId: NotRequired[str]
    aliasKey: NotRequired[str]
    value: NotRequired[str]
    firstSeen: NotRequired[int]
    lastSeen: NotRequired[int]
    count: NotRequired[int]
    sample: NotRequired[Any]


class UnknownDevicePage(TypedDict):
    """Page[UnknownDevice]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[UnknownDevice]
    refs: NotRequired[dict[str, dict[str, Any]]]


class User(TypedDict):
    """A user. ``admin`` and ``projects`` are of users of the platform alone, ``projectId`` of accounts."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    username: str
    name: NotRequired[str]
    email: NotRequired[str]
    metadata: NotRequired[dict[str, Any]]
    projectId: NotRequired[str]
    admin: NotRequired[bool]
    projects: NotRequired[list[str]]
    passwordChanged: NotRequired[int]


class UserCreate(TypedDict):
    """A new account of a project. Without a password he sets one by ``forgotPassword``."""

    username: str
    name: NotRequired[str]
    email: NotRequired[str]
    metadata: NotRequired[dict[str, Any]]
    password: NotRequired[str]


class UserPage(TypedDict):
    """Page[User]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[User]
    refs: NotRequired[dict[str, dict[str, Any]]]


class UserRole(TypedDict):
    """A role that a user or an API key holds on a resource, and so on all that is below it."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    subjectKind: Literal["user", "apiAccess"]
    subjectId: str
    roleId: str
    resourceKind: Literal["project", "system", "device"]
    resourceId: str
    metadata: NotRequired[dict[str, Any]]


class UserRoleCreate(TypedDict):
    """A role given to a user or an API key on the project, a system or a device."""

    subjectKind: NotRequired[Literal["user", "apiAccess"]]
    subjectId: str
    roleId: str
    resourceKind: NotRequired[Literal["project", "system", "device"]]
    resourceId: NotRequired[str]
    metadata: NotRequired[dict[str, Any]]


class UserRolePage(TypedDict):
    """Page[UserRole]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[UserRole]
    refs: NotRequired[dict[str, dict[str, Any]]]


class ValueAt(TypedDict):
    """A value at a path of a device's data."""

    path: str
    value: NotRequired[Any]
    op: NotRequired[Literal["set", "replace", "delete"]]


class Values(TypedDict):
    """Several values."""

    values: list[ValueAt]


class Verified(TypedDict):
    """What a check of a resource found."""

    id: str
    ok: bool
    problems: NotRequired[list[str]]


class VersionDifference(TypedDict):
    """How two versions of a script differ."""

    before: int
    after: int
    same: bool
    text: str


class View(TypedDict):
    """A view. ``owner`` is the person whose alone it is; nothing for a shared one."""

    id: str
    created: NotRequired[int]
    lastModified: NotRequired[int]
    version: NotRequired[int]
    name: str
    desc: NotRequired[str]
    table: str
    scope: NotRequired[Literal["personal", "shared"]]
    settings: NotRequired[dict[str, Any]]
    tags: NotRequired[list[str]]
    owner: NotRequired[str]


class ViewCreate(TypedDict):
    """A new view, for everybody of the project or for the one who saves it."""

    name: str
    desc: NotRequired[str]
    table: str
    scope: NotRequired[Literal["personal", "shared"]]
    settings: NotRequired[dict[str, Any]]
    tags: NotRequired[list[str]]


class ViewPage(TypedDict):
    """Page[View]"""

    count: int
    perPage: int
    total: NotRequired[int]
    next: NotRequired[str]
    items: list[View]
    refs: NotRequired[dict[str, dict[str, Any]]]
