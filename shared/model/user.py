"""People: users of the platform, who build projects, and accounts of one project, its end users."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from shared.model.base import EpochMs, Identifier, Kind, Metadata, Model, Name, Resource, Unique


def _is_unicode(secret: SecretStr) -> SecretStr:
    # Half a surrogate pair can come by JSON, and could be neither hashed nor compared.
    try:
        secret.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("it is no valid Unicode") from None
    return secret


# What only the server and its caller may see; its text is in no representation of it.
Secret = Annotated[SecretStr, AfterValidator(_is_unicode)]
Username = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+\-]{0,127}$",
        description="Unique, whatever its case: on the platform for its users, in the project for accounts",
        examples=["ada@example.com"],
    ),
]
Email = Annotated[
    str, Field(max_length=254, pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+$", examples=["ada@example.com"])
]
Password = Annotated[
    Secret,
    Field(
        min_length=1,
        max_length=256,
        description="At least 6 characters, better 12; neither the username nor one of the worst",
        examples=["four-brown-tall-mugs"],
    ),
]


class UserFields(Model):
    """What is said of a user by whoever makes or changes him."""

    username: Username
    name: Name | None = Field(default=None, examples=["Ada Vik"])
    email: Email | None = Field(
        default=None, description="Where mail goes; without it, to the username if that is an address"
    )
    metadata: Metadata = Field(default_factory=dict)


class UserCreate(UserFields):
    """A new account of a project. Without a password he sets one by ``forgotPassword``."""

    password: Password | None = None


class PlatformUserFields(UserFields):
    """What is said of a user of the platform."""

    admin: bool = Field(default=False, description="May do everything, in every project")
    projects: list[Identifier] = Field(
        default_factory=list, max_length=1000, description="The projects that he works in"
    )


class PlatformUserCreate(PlatformUserFields):
    """A new user of the platform."""

    password: Password | None = None


class User(UserFields, Resource):
    """A user. ``admin`` and ``projects`` are of users of the platform alone, ``projectId`` of accounts."""

    project_id: str | None = Field(default=None, description="The project of an account")
    admin: bool | None = Field(default=None, description="May do everything, in every project")
    projects: list[str] | None = Field(default=None, description="The projects that he works in")
    password_changed: EpochMs | None = Field(default=None, description="When he last set a password")


class Place(Model):
    """A system or device that a user was given roles on."""

    id: str = Field(examples=["5hPz0WkTn3JqB8vGd1MxCe"])
    name: str | None = Field(default=None, description="Absent if it is gone", examples=["North wing"])
    role_ids: list[str] = Field(description="The roles that he holds there", examples=[["1aBc"]])


_SECRET = frozenset({"passwordHash", "passwordVersion"})

USER: Kind[User] = Kind(
    name="user",
    collection="users",
    model=User,
    create=UserFields,
    patchable=frozenset({"username", "name", "email", "metadata"}),
    unique=(Unique("username", fold_case=True),),
    secret=_SECRET,
)

# Beside the projects; as far as the store is concerned, of the project that is none.
PLATFORM_USER: Kind[User] = Kind(
    name="user",
    collection="users",
    model=User,
    create=PlatformUserFields,
    patchable=frozenset({"username", "name", "email", "metadata", "admin"}),
    unique=(Unique("username", fold_case=True),),
    top_level=True,
    secret=_SECRET,
)
