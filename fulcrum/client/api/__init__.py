"""Every resource of the API, as attributes of the two clients.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from fulcrum.client.api.about import About, AsyncAbout
from fulcrum.client.api.api_access import ApiAccess, AsyncApiAccess
from fulcrum.client.api.attribute import AsyncAttribute, Attribute
from fulcrum.client.api.audit import AsyncAudit, Audit
from fulcrum.client.api.blueprint import AsyncBlueprint, Blueprint
from fulcrum.client.api.dashboard import AsyncDashboard, Dashboard
from fulcrum.client.api.device import AsyncDevice, Device
from fulcrum.client.api.device_message import AsyncDeviceMessage, DeviceMessage
from fulcrum.client.api.device_token import AsyncDeviceToken, DeviceToken
from fulcrum.client.api.interface import AsyncInterface, Interface
from fulcrum.client.api.job import AsyncJob, Job
from fulcrum.client.api.live import AsyncLive, Live
from fulcrum.client.api.member import AsyncMember, Member
from fulcrum.client.api.message_route import AsyncMessageRoute, MessageRoute
from fulcrum.client.api.network import AsyncNetwork, Network
from fulcrum.client.api.network_key import AsyncNetworkKey, NetworkKey
from fulcrum.client.api.outbox import AsyncOutbox, Outbox
from fulcrum.client.api.pending_user import AsyncPendingUser, PendingUser
from fulcrum.client.api.permission import AsyncPermission, Permission
from fulcrum.client.api.project import AsyncProject, Project
from fulcrum.client.api.project_code import AsyncProjectCode, ProjectCode
from fulcrum.client.api.quarantine import AsyncQuarantine, Quarantine
from fulcrum.client.api.retention import AsyncRetention, Retention
from fulcrum.client.api.role import AsyncRole, Role
from fulcrum.client.api.scenario import AsyncScenario, Scenario
from fulcrum.client.api.script import AsyncScript, Script
from fulcrum.client.api.session import AsyncSession, Session
from fulcrum.client.api.system import AsyncSystem, System
from fulcrum.client.api.template import AsyncTemplate, Template
from fulcrum.client.api.timer import AsyncTimer, Timer
from fulcrum.client.api.unknown_device import AsyncUnknownDevice, UnknownDevice
from fulcrum.client.api.user import AsyncUser, User
from fulcrum.client.api.user_role import AsyncUserRole, UserRole
from fulcrum.client.api.view import AsyncView, View
from fulcrum.client.send import AsyncSender, Sender


class Resources:
    """What a client can do, by resource."""

    def __init__(self, sender: Sender) -> None:
        self.about = About(sender)
        self.api_access = ApiAccess(sender)
        self.attribute = Attribute(sender)
        self.audit = Audit(sender)
        self.blueprint = Blueprint(sender)
        self.dashboard = Dashboard(sender)
        self.device = Device(sender)
        self.device_message = DeviceMessage(sender)
        self.device_token = DeviceToken(sender)
        self.interface = Interface(sender)
        self.job = Job(sender)
        self.live = Live(sender)
        self.member = Member(sender)
        self.message_route = MessageRoute(sender)
        self.network = Network(sender)
        self.network_key = NetworkKey(sender)
        self.outbox = Outbox(sender)
        self.pending_user = PendingUser(sender)
        self.permission = Permission(sender)
        self.project = Project(sender)
        self.project_code = ProjectCode(sender)
        self.quarantine = Quarantine(sender)
        self.retention = Retention(sender)
        self.role = Role(sender)
        self.scenario = Scenario(sender)
        self.script = Script(sender)
        self.session = Session(sender)
        self.system = System(sender)
        self.template = Template(sender)
        self.timer = Timer(sender)
        self.unknown_device = UnknownDevice(sender)
        self.user = User(sender)
        self.user_role = UserRole(sender)
        self.view = View(sender)


class AsyncResources:
    """What a client can do, by resource."""

    def __init__(self, sender: AsyncSender) -> None:
        self.about = AsyncAbout(sender)
        self.api_access = AsyncApiAccess(sender)
        self.attribute = AsyncAttribute(sender)
        self.audit = AsyncAudit(sender)
        self.blueprint = AsyncBlueprint(sender)
        self.dashboard = AsyncDashboard(sender)
        self.device = AsyncDevice(sender)
        self.device_message = AsyncDeviceMessage(sender)
        self.device_token = AsyncDeviceToken(sender)
        self.interface = AsyncInterface(sender)
        self.job = AsyncJob(sender)
        self.live = AsyncLive(sender)
        self.member = AsyncMember(sender)
        self.message_route = AsyncMessageRoute(sender)
        self.network = AsyncNetwork(sender)
        self.network_key = AsyncNetworkKey(sender)
        self.outbox = AsyncOutbox(sender)
        self.pending_user = AsyncPendingUser(sender)
        self.permission = AsyncPermission(sender)
        self.project = AsyncProject(sender)
        self.project_code = AsyncProjectCode(sender)
        self.quarantine = AsyncQuarantine(sender)
        self.retention = AsyncRetention(sender)
        self.role = AsyncRole(sender)
        self.scenario = AsyncScenario(sender)
        self.script = AsyncScript(sender)
        self.session = AsyncSession(sender)
        self.system = AsyncSystem(sender)
        self.template = AsyncTemplate(sender)
        self.timer = AsyncTimer(sender)
        self.unknown_device = AsyncUnknownDevice(sender)
        self.user = AsyncUser(sender)
        self.user_role = AsyncUserRole(sender)
        self.view = AsyncView(sender)
