"""Roles, who is given them where, and the permissions that they are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from shared.model.base import Description, Identifier, Kind, Metadata, Model, Name, Resource, Unique
from shared.model.user import UserCreate

# Of a role: every permission of the project, those that come later included.
EVERYTHING = "*"
ADMIN, MEMBER, ACCOUNT = "admin", "member", "account"

ResourceKind = Literal["project", "system", "device"]
SubjectKind = Literal["user", "apiAccess"]
Category = Literal["custom", "project", "imagine"]

PermissionName = Annotated[
    str,
    Field(
        pattern=r"^(\*|[a-z][A-Za-z]{0,49}\.[a-z][A-Za-z]{0,49}(:[A-Za-z0-9_\-]{1,128})?)$",
        description="<module>.<verb>, or <module>.<verb>:<id> of what it is generated for; * is all of them",
        examples=["device.readData"],
    ),
]
Permissions = Annotated[
    list[PermissionName], Field(max_length=2000, examples=[["device.list", "device.read", "device.readData"]])
]
RoleName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,99}$",
        description="Unique in its project",
        examples=["operator"],
    ),
]


class RoleCreate(Model):
    """A new role."""

    name: RoleName
    display_name: Name | None = Field(default=None, examples=["Operator"])
    desc: Description | None = None
    category: Category = "custom"
    permissions: Permissions = Field(default_factory=list)


class Role(Resource):
    """A role: a set of permissions, which its holder has wherever the role was given to him."""

    name: RoleName
    display_name: Name | None = Field(default=None, examples=["Operator"])
    desc: Description | None = None
    category: Category = "custom"
    permissions: Permissions | None = Field(
        default=None, description="Left out of a list unless includePermissions=true"
    )


class UserRoleCreate(Model):
    """A role given to a user or an API key on the project, a system or a device."""

    subject_kind: SubjectKind = "user"
    subject_id: Identifier = Field(examples=["7dNv2QmXc5LpA9sKf0RtYw"])
    role_id: Identifier
    resource_kind: ResourceKind = Field(default="project", examples=["system"])
    resource_id: Identifier | None = Field(
        default=None, description="The project itself if left out", examples=["5hPz0WkTn3JqB8vGd1MxCe"]
    )
    metadata: Metadata | None = None


class UserRole(Resource):
    """A role that a user or an API key holds on a resource, and so on all that is below it."""

    subject_kind: SubjectKind
    subject_id: Identifier
    role_id: Identifier
    resource_kind: ResourceKind
    resource_id: Identifier
    metadata: Metadata | None = None


class HeldRole(Model):
    """A role as somebody has it on one resource."""

    id: Identifier
    name: str = Field(examples=["member"])
    user_role_id: Identifier = Field(description="See /v1/userRole/{userRoleId}")


class Holder(Model):
    """A user who has roles on a resource."""

    id: Identifier
    username: str = Field(examples=["ada"])
    platform: bool = Field(description="A user of the platform, not of this project alone", examples=[False])
    roles: list[HeldRole]
    metadata: Metadata | None = None


Roles = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=128)]],
    Field(min_length=1, max_length=20, description="Roles by id or name", examples=[["member"]]),
]


class HolderAdd(Model):
    """The roles that a user is given on a resource."""

    roles: Roles
    metadata: Metadata | None = None


class HolderCreate(HolderAdd):
    """A new account of the project, and the roles that it has on a resource."""

    user: UserCreate


class HolderUpdate(Model):
    """The roles that a user has on a resource from now on: those that are not named are taken back."""

    roles: Roles | None = None
    metadata: Metadata | None = None


class MemberAdd(HolderAdd):
    """A user of the platform who becomes a member of the project; named by id or by user name."""

    user_id: Identifier | None = None
    username: str | None = Field(default=None, min_length=1, max_length=200, examples=["ada"])


class PendingUserCreate(Model):
    """Roles for somebody who has not signed in yet: he gets them when he first does."""

    issuer: str = Field(
        min_length=1, max_length=500, description="Who vouches for him", examples=["https://id.example.com"]
    )
    email_or_name: str = Field(min_length=1, max_length=254, examples=["ada@example.com"])
    perm: Literal["role"] = "role"
    perm_value: Identifier = Field(description="The id of the role", examples=["member"])
    context_type: ResourceKind = Field(default="project", examples=["system"])
    context_id: Identifier | None = Field(default=None, description="The project itself if left out")


class PendingUser(PendingUserCreate, Resource):
    """Roles that wait for somebody."""


class Permission(Model):
    """One action that a role may allow."""

    name: PermissionName
    module: str = Field(examples=["device"])
    verb: str = Field(examples=["readData"])
    display_name: str = Field(examples=["Read the data of devices"])
    category: Category = Field(examples=["imagine"])
    generated: bool = Field(
        description="Made for one blueprint or relationship of this project", examples=[False]
    )
    blueprint_id: str | None = Field(
        default=None, description="Of a generated one: the devices that it creates"
    )
    attribute_id: str | None = Field(default=None, description="Of a generated one: its relationship")


class PermissionList(Model):
    """All permissions of a project."""

    count: int = Field(examples=[1])
    items: list[Permission]


class Module(Model):
    """A kind of thing, and what can be done with it."""

    name: str = Field(examples=["device"])
    display_name: str = Field(examples=["devices"])
    category: Category
    verbs: list[str] = Field(examples=[["create", "read", "update", "delete", "list"]])


class ModuleList(Model):
    """All modules of the platform."""

    count: int = Field(examples=[1])
    items: list[Module]


ROLE: Kind[Role] = Kind(
    name="role",
    collection="roles",
    model=Role,
    create=RoleCreate,
    patchable=frozenset({"name", "displayName", "desc", "category", "permissions"}),
    unique=(Unique("name", fold_case=True),),
)

USER_ROLE: Kind[UserRole] = Kind(
    name="userRole",
    collection="userRoles",
    model=UserRole,
    create=UserRoleCreate,
    patchable=frozenset({"metadata"}),
)

PENDING_USER: Kind[PendingUser] = Kind(
    name="pendingUser",
    collection="pendingUsers",
    model=PendingUser,
    create=PendingUserCreate,
    patchable=frozenset(),
)
