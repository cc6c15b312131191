"""Operations on ``user``.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal, cast

from fulcrum.client import types
from fulcrum.client.request import Request, segment
from fulcrum.client.send import AsyncSender, Sender


class User:
    """Operations on ``user``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def change_password(
        self, body: types.ChangePassword, *, session: Literal["token", "cookie"] | None = None
    ) -> types.SignedIn:
        """Change one's own password.

        Sets a new password, ends every session of the user and answers a new one.

        Needs: signedIn.
        """
        return cast(
            "types.SignedIn",
            self._sender.send(
                Request("POST", "/v1/user/changePassword", query={"session": session}, body=body)
            ),
        )

    def forgot_password(self, body: types.ForgotPassword) -> types.Done:
        """Ask for a mail to set a new password.

        Sends a mail with a link that is good once, for an hour. The answer is the same whether there is
        such a user or not. At most 20 requests an hour of a source, and 5 mails an hour to a user.

        Needs: public.
        """
        return cast("types.Done", self._sender.send(Request("POST", "/v1/users/forgotPassword", body=body)))

    def reset_password(self, body: types.ResetPassword) -> types.Done:
        """Set a new password by the token of a mail.

        Sets the password and ends every session of the user. The token is good once, for an hour.

        Needs: public.
        """
        return cast("types.Done", self._sender.send(Request("POST", "/v1/users/resetPassword", body=body)))

    def me(self) -> types.User:
        """Read one's own profile.

        Who calls.

        Needs: signedIn.
        """
        return cast("types.User", self._sender.send(Request("GET", "/v1/user/me")))

    def update_me(
        self, body: builtins.list[types.PatchOperation] | dict[str, Any], *, if_match: str | None = None
    ) -> types.User:
        """Change one's own profile.

        May be changed: email, metadata, name. The email only within 15 minutes of signing in.

        Needs: signedIn.
        """
        return cast(
            "types.User",
            self._sender.send(Request("PATCH", "/v1/user/me", headers={"If-Match": if_match}, body=body)),
        )

    def list(
        self, *, per_page: int | None = None, cursor: str | None = None, total: bool | None = None
    ) -> types.UserPage:
        """List users.

        A page of the accounts of the project that the request is about; of the platform's users if it is
        about none.

        Needs: user.list.
        """
        return cast(
            "types.UserPage",
            self._sender.send(
                Request("GET", "/v1/users", query={"perPage": per_page, "cursor": cursor, "total": total})
            ),
        )

    def list_all(self, *, per_page: int | None = None, total: bool | None = None) -> Iterator[types.User]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.list(per_page=per_page, total=total, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def create(self, body: types.PlatformUserCreate, *, idempotency_key: str | None = None) -> types.User:
        """Create a user.

        Makes an account of the project that the request is about; a user of the platform if it is about
        none. Without a password he sets one by forgotPassword.

        Needs: user.create.
        """
        return cast(
            "types.User",
            self._sender.send(
                Request(
                    "POST", "/v1/users", headers={"Idempotency-Key": idempotency_key}, body=body, once=True
                )
            ),
        )

    def get_by_user_name(self, username: str) -> types.User:
        """Find a user by his username.

        The account, or the user of the platform, that has the username, whatever its case.

        Needs: user.read.
        """
        return cast(
            "types.User",
            self._sender.send(Request("GET", "/v1/users/getByUserName", query={"username": username})),
        )

    def account_list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.UserPage:
        """List the accounts of a project.

        A page of the project's own users, by id.

        Needs: user.list.
        """
        return cast(
            "types.UserPage",
            self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/accounts",
                    query={"perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    def account_list_all(
        self, project_id: str, *, per_page: int | None = None, total: bool | None = None
    ) -> Iterator[types.User]:
        """All pages of :meth:`account_list`, item by item."""
        cursor: str | None = None
        while True:
            page = self.account_list(project_id, per_page=per_page, total=total, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def account_create(
        self, project_id: str, body: types.UserCreate, *, idempotency_key: str | None = None
    ) -> types.User:
        """Create an account of a project.

        A new user of this project alone. What he may do, his roles say.

        Needs: user.create.
        """
        return cast(
            "types.User",
            self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/accounts",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    def get(self, user_id: str) -> types.User:
        """Read a user.

        An account of the project, or a user of the platform who works in it: of him a project sees the
        username and the name alone.

        Needs: user.read.
        """
        return cast("types.User", self._sender.send(Request("GET", f"/v1/user/{segment(user_id)}")))

    def update(
        self,
        user_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.User:
        """Change a user.

        May be changed: username, name, email, metadata; of a user of the platform also admin. Username and
        email only by who holds all that the user holds.

        Needs: user.update.
        """
        return cast(
            "types.User",
            self._sender.send(
                Request("PATCH", f"/v1/user/{segment(user_id)}", headers={"If-Match": if_match}, body=body)
            ),
        )

    def delete(self, user_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a user.

        He is gone at once, his sessions within 10 s; a job takes his roles. Only by who holds all that the
        user holds.

        Needs: user.delete.
        """
        return cast(
            "types.Deleted",
            self._sender.send(
                Request("DELETE", f"/v1/user/{segment(user_id)}", headers={"If-Match": if_match})
            ),
        )

    def systems(self, user_id: str) -> types.PlacePage:
        """List the systems of a user.

        The systems that he was given roles on, one by one; at most 1,000 roles are looked at.

        Needs: user.read.
        """
        return cast(
            "types.PlacePage", self._sender.send(Request("GET", f"/v1/user/{segment(user_id)}/systems"))
        )

    def devices(self, user_id: str) -> types.PlacePage:
        """List the devices of a user.

        The devices that he was given roles on, one by one; at most 1,000 roles are looked at.

        Needs: user.read.
        """
        return cast(
            "types.PlacePage", self._sender.send(Request("GET", f"/v1/user/{segment(user_id)}/devices"))
        )

    def devices_of_system(self, system_id: str, user_id: str) -> types.PlacePage:
        """List the devices of a user in a system.

        The devices of the system that he was given roles on, one by one; at most 1,000 roles are looked at.

        Needs: user.read.
        """
        return cast(
            "types.PlacePage",
            self._sender.send(
                Request("GET", f"/v1/system/{segment(system_id)}/userDevices", query={"userId": user_id})
            ),
        )


class AsyncUser:
    """Operations on ``user``."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def change_password(
        self, body: types.ChangePassword, *, session: Literal["token", "cookie"] | None = None
    ) -> types.SignedIn:
        """Change one's own password.

        Sets a new password, ends every session of the user and answers a new one.

        Needs: signedIn.
        """
        return cast(
            "types.SignedIn",
            await self._sender.send(
                Request("POST", "/v1/user/changePassword", query={"session": session}, body=body)
            ),
        )

    async def forgot_password(self, body: types.ForgotPassword) -> types.Done:
        """Ask for a mail to set a new password.

        Sends a mail with a link that is good once, for an hour. The answer is the same whether there is
        such a user or not. At most 20 requests an hour of a source, and 5 mails an hour to a user.

        Needs: public.
        """
        return cast(
            "types.Done", await self._sender.send(Request("POST", "/v1/users/forgotPassword", body=body))
        )

    async def reset_password(self, body: types.ResetPassword) -> types.Done:
        """Set a new password by the token of a mail.

        Sets the password and ends every session of the user. The token is good once, for an hour.

        Needs: public.
        """
        return cast(
            "types.Done", await self._sender.send(Request("POST", "/v1/users/resetPassword", body=body))
        )

    async def me(self) -> types.User:
        """Read one's own profile.

        Who calls.

        Needs: signedIn.
        """
        return cast("types.User", await self._sender.send(Request("GET", "/v1/user/me")))

    async def update_me(
        self, body: builtins.list[types.PatchOperation] | dict[str, Any], *, if_match: str | None = None
    ) -> types.User:
        """Change one's own profile.

        May be changed: email, metadata, name. The email only within 15 minutes of signing in.

        Needs: signedIn.
        """
        return cast(
            "types.User",
            await self._sender.send(
                Request("PATCH", "/v1/user/me", headers={"If-Match": if_match}, body=body)
            ),
        )

    async def list(
        self, *, per_page: int | None = None, cursor: str | None = None, total: bool | None = None
    ) -> types.UserPage:
        """List users.

        A page of the accounts of the project that the request is about; of the platform's users if it is
        about none.

        Needs: user.list.
        """
        return cast(
            "types.UserPage",
            await self._sender.send(
                Request("GET", "/v1/users", query={"perPage": per_page, "cursor": cursor, "total": total})
            ),
        )

    async def list_all(
        self, *, per_page: int | None = None, total: bool | None = None
    ) -> AsyncIterator[types.User]:
        """All pages of :meth:`list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.list(per_page=per_page, total=total, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def create(
        self, body: types.PlatformUserCreate, *, idempotency_key: str | None = None
    ) -> types.User:
        """Create a user.

        Makes an account of the project that the request is about; a user of the platform if it is about
        none. Without a password he sets one by forgotPassword.

        Needs: user.create.
        """
        return cast(
            "types.User",
            await self._sender.send(
                Request(
                    "POST", "/v1/users", headers={"Idempotency-Key": idempotency_key}, body=body, once=True
                )
            ),
        )

    async def get_by_user_name(self, username: str) -> types.User:
        """Find a user by his username.

        The account, or the user of the platform, that has the username, whatever its case.

        Needs: user.read.
        """
        return cast(
            "types.User",
            await self._sender.send(Request("GET", "/v1/users/getByUserName", query={"username": username})),
        )

    async def account_list(
        self,
        project_id: str,
        *,
        per_page: int | None = None,
        cursor: str | None = None,
        total: bool | None = None,
    ) -> types.UserPage:
        """List the accounts of a project.

        A page of the project's own users, by id.

        Needs: user.list.
        """
        return cast(
            "types.UserPage",
            await self._sender.send(
                Request(
                    "GET",
                    f"/v1/project/{segment(project_id)}/accounts",
                    query={"perPage": per_page, "cursor": cursor, "total": total},
                )
            ),
        )

    async def account_list_all(
        self, project_id: str, *, per_page: int | None = None, total: bool | None = None
    ) -> AsyncIterator[types.User]:
        """All pages of :meth:`account_list`, item by item."""
        cursor: str | None = None
        while True:
            page = await self.account_list(project_id, per_page=per_page, total=total, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page.get("next")
            if cursor is None:
                return

    async def account_create(
        self, project_id: str, body: types.UserCreate, *, idempotency_key: str | None = None
    ) -> types.User:
        """Create an account of a project.

        A new user of this project alone. What he may do, his roles say.

        Needs: user.create.
        """
        return cast(
            "types.User",
            await self._sender.send(
                Request(
                    "POST",
                    f"/v1/project/{segment(project_id)}/accounts",
                    headers={"Idempotency-Key": idempotency_key},
                    body=body,
                    once=True,
                )
            ),
        )

    async def get(self, user_id: str) -> types.User:
        """Read a user.

        An account of the project, or a user of the platform who works in it: of him a project sees the
        username and the name alone.

        Needs: user.read.
        """
        return cast("types.User", await self._sender.send(Request("GET", f"/v1/user/{segment(user_id)}")))

    async def update(
        self,
        user_id: str,
        body: builtins.list[types.PatchOperation] | dict[str, Any],
        *,
        if_match: str | None = None,
    ) -> types.User:
        """Change a user.

        May be changed: username, name, email, metadata; of a user of the platform also admin. Username and
        email only by who holds all that the user holds.

        Needs: user.update.
        """
        return cast(
            "types.User",
            await self._sender.send(
                Request("PATCH", f"/v1/user/{segment(user_id)}", headers={"If-Match": if_match}, body=body)
            ),
        )

    async def delete(self, user_id: str, *, if_match: str | None = None) -> types.Deleted:
        """Delete a user.

        He is gone at once, his sessions within 10 s; a job takes his roles. Only by who holds all that the
        user holds.

        Needs: user.delete.
        """
        return cast(
            "types.Deleted",
            await self._sender.send(
                Request("DELETE", f"/v1/user/{segment(user_id)}", headers={"If-Match": if_match})
            ),
        )

    async def systems(self, user_id: str) -> types.PlacePage:
        """List the systems of a user.

        The systems that he was given roles on, one by one; at most 1,000 roles are looked at.

        Needs: user.read.
        """
        return cast(
            "types.PlacePage", await self._sender.send(Request("GET", f"/v1/user/{segment(user_id)}/systems"))
        )

    async def devices(self, user_id: str) -> types.PlacePage:
        """List the devices of a user.

        The devices that he was given roles on, one by one; at most 1,000 roles are looked at.

        Needs: user.read.
        """
        return cast(
            "types.PlacePage", await self._sender.send(Request("GET", f"/v1/user/{segment(user_id)}/devices"))
        )

    async def devices_of_system(self, system_id: str, user_id: str) -> types.PlacePage:
        """List the devices of a user in a system.

        The devices of the system that he was given roles on, one by one; at most 1,000 roles are looked at.

        Needs: user.read.
        """
        return cast(
            "types.PlacePage",
            await self._sender.send(
                Request("GET", f"/v1/system/{segment(system_id)}/userDevices", query={"userId": user_id})
            ),
        )
