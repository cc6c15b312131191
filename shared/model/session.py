"""Signing in: what is sent, what comes back, and the sessions that are open."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.model.base import EpochMs, Identifier, Model
from shared.model.user import Password, Secret, User, Username

Transport = Literal["token", "cookie"]


class Setup(Model):
    """The first administrator of the platform."""

    token: Secret = Field(
        max_length=1000,
        description="The deployment's secret SETUP_TOKEN",
        examples=["the-deployments-secret"],
    )
    username: Username
    password: Password


class SignIn(Model):
    """Who signs in. With ``projectId``: an account of that project, else a user of the platform who works
    in it; without: a user of the platform."""

    username: str = Field(min_length=1, max_length=128, examples=["ada@example.com"])
    password: Password
    project_id: Identifier | None = Field(default=None, examples=["greenhouses"])


class Refresh(Model):
    """A session goes on. A page leaves the body out: its cookie says it."""

    refresh_token: Secret | None = Field(default=None, max_length=4000, examples=["eyJhbGciOi..."])


class SignedIn(Model):
    """An open session. With ``session=cookie`` the tokens are in cookies, and not here."""

    profile: User
    session_id: str = Field(examples=["6pXk2LwQz8NvT4cJr9DsYb"])
    expires: EpochMs = Field(description="When the id token expires")
    refresh_expires: EpochMs = Field(description="When the session ends for good: sign in again")
    id_token: str | None = Field(
        default=None, description="Send it as 'Authorization: Bearer <token>'", examples=["eyJhbGciOi..."]
    )
    refresh_token: str | None = Field(
        default=None, description="For /v1/login/refresh, once", examples=["eyJhbGciOi..."]
    )
    csrf_token: str | None = Field(
        default=None, description="With cookies: for the header X-CSRF-Token", examples=["9f2c..."]
    )


class Session(Model):
    """One open session of the caller."""

    id: str = Field(examples=["6pXk2LwQz8NvT4cJr9DsYb"])
    current: bool = Field(description="It is the one that this request belongs to")
    project_id: str | None = Field(default=None, description="The project that it was opened for")
    created: EpochMs
    refreshed: EpochMs | None = Field(default=None, description="When it was last refreshed")
    expires: EpochMs
    source: str | None = Field(default=None, description="The network that it was opened from")
    user_agent: str | None = Field(default=None, description="What the client calls itself")


class Done(Model):
    """It is done."""

    status: str = Field(examples=["done"])


class ChangePassword(Model):
    """A new password of the caller's own."""

    old: Password
    new: Password


class ForgotPassword(Model):
    """Who wants a mail with a link to set a new password."""

    username: str = Field(min_length=1, max_length=128, examples=["ada@example.com"])
    project_id: Identifier | None = Field(default=None, examples=["greenhouses"])


class ResetPassword(Model):
    """A new password, by the token of the mail."""

    token: Secret = Field(min_length=1, max_length=200, examples=["3VtQz8NvT4cJr9DsYb6pXk2Lw"])
    password: Password
