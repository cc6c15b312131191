"""Changing, forgetting and resetting passwords."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response

from functions.api.access import attempts, people, recovery, sessions, sign_in, sources
from functions.api.access.session_routes import As, answer, own
from functions.api.needs import Call, public, signed_in
from functions.api.resources.answers import problem
from functions.api.router import Router
from shared.clients import firestore
from shared.model.session import ChangePassword, Done, ForgotPassword, ResetPassword, SignedIn

router = Router("password")


@router.post(
    "/user/changePassword",
    operation_id="user_change_password",
    summary="Change one's own password",
    description="Sets a new password, ends every session of the user and answers a new one.",
    responses={403: problem("The old password is not right"), 409: problem("It was changed meanwhile")},
)
async def user_change_password(
    body: ChangePassword,
    response: Response,
    call: Annotated[Call, signed_in("everybody may change his own password, by the old one")],
    session: As = "token",
) -> SignedIn:
    """The new session."""
    user = await own(call)
    network = sources.network(call.request)
    attempt = attempts.of(network, "change", user.id)
    writes = await sign_in.check_own_password(attempt, user, body.old.get_secret_value())
    before = await sessions.find(call.principal.session_id) or {}
    project_id = str(before.get("projectId", ""))
    lifetime = await sessions.lifetime_s(project_id)
    agent = call.request.headers.get("user-agent", "")
    opening = sessions.Opening(user, project_id, lifetime, network, agent)
    opened = await recovery.change_password(user, body.new.get_secret_value(), opening, call.request_id)
    if writes:
        await firestore.commit(writes)
    changed = await people.find(user.id, people.home_of(user).project_id)
    # A page keeps its session in cookies, whatever it asks for.
    transport = session if "authorization" in call.request.headers else "cookie"
    return answer(call, response, opened, changed or user, transport)


@router.post(
    "/users/forgotPassword",
    status_code=202,
    operation_id="users_forgot_password",
    summary="Ask for a mail to set a new password",
    description="Sends a mail with a link that is good once, for an hour. The answer is the same whether "
    "there is such a user or not. At most 20 requests an hour of a source, and 5 mails an hour to a user.",
    responses={501: problem("The deployment does not say its own address: set PUBLIC_URL")},
)
async def users_forgot_password(
    body: ForgotPassword, call: Annotated[Call, public("who forgot his password cannot sign in")]
) -> Done:
    """Whether the request was taken."""
    project_id = people.home(body.project_id or "").project_id
    await recovery.forgotten(body.username, project_id, call.request)
    return Done(status="accepted")


@router.post(
    "/users/resetPassword",
    operation_id="users_reset_password",
    summary="Set a new password by the token of a mail",
    description="Sets the password and ends every session of the user. The token is good once, for an hour.",
    responses={
        400: problem("The token is not good, or the password is too weak"),
        409: problem("Others keep changing the user"),
    },
)
async def users_reset_password(
    body: ResetPassword, call: Annotated[Call, public("the token of the mail is what proves who calls")]
) -> Done:
    """Whether it is done."""
    await recovery.reset(body.token.get_secret_value(), body.password.get_secret_value(), call.request_id)
    return Done(status="done")
