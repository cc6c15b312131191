"""Setting up, signing in, going on and out, and the caller's own sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from functions.api.access import cookies, known, people, sessions, setup, sign_in, sources, tokens
from functions.api.access.session_state import is_open
from functions.api.needs import Call, public, signed_in
from functions.api.resources import lists
from functions.api.resources.answers import problem
from functions.api.router import Router
from shared import clock, values
from shared.errors import ApiError
from shared.model.page import Page
from shared.model.session import Done, Refresh, Session, Setup, SignedIn, SignIn, Transport
from shared.model.user import User
from shared.store.scope import Stored

router = Router("session")

As = Annotated[
    Transport,
    Query(alias="session", description="How a client keeps the session: by tokens, or (a page) by cookies"),
]


@router.post(
    "/setup",
    status_code=201,
    operation_id="setup_create",
    summary="Make the first administrator",
    description="Makes the platform's first administrator for whoever holds the deployment's secret "
    "SETUP_TOKEN, while there is none.",
    responses={403: problem("The token is not right"), 409: problem("There is an administrator already")},
)
async def setup_create(
    body: Setup, call: Annotated[Call, public("needs the deployment's secret, which is not a user's")]
) -> User:
    """The first administrator."""
    stored = await setup.first_administrator(
        body.token.get_secret_value(),
        body.username,
        body.password.get_secret_value(),
        sources.network(call.request),
        call.request_id,
    )
    return people.shown(stored)


@router.post(
    "/login",
    operation_id="session_create",
    summary="Sign in",
    description="Opens a session by username and password. After repeated failures the same source has to "
    "wait (429, Retry-After), longer each time; others are not affected.",
    responses={
        401: problem("Username or password is not right"),
        403: problem("Sent by another site's page"),
    },
)
async def session_create(
    body: SignIn,
    response: Response,
    call: Annotated[Call, public("signing in is how one gets a token")],
    session: As = "token",
) -> SignedIn:
    """A new session."""
    if session == "cookie":
        cookies.check_origin(call.request)
    network = sources.network(call.request)
    agent = call.request.headers.get("user-agent", "")
    project_id = people.home(body.project_id or "").project_id
    asked = sign_in.Asked(body.username, body.password.get_secret_value(), project_id, network, agent)
    accepted = await sign_in.accept(asked)
    opened = await sign_in.open_session(accepted, network, agent)
    return answer(call, response, opened, accepted.user, session)


@router.post(
    "/login/refresh",
    operation_id="session_refresh",
    summary="Go on with a session",
    description="Answers new tokens for a refresh token, which is good once: one that is used again ends its "
    "session. A page sends no body: its cookie says it.",
    responses={
        401: problem("The refresh token is not good"),
        403: problem("Sent by cookie, and not by the session's own page"),
    },
)
async def session_refresh(
    response: Response,
    call: Annotated[Call, public("the refresh token is what proves who calls")],
    body: Refresh | None = None,
) -> SignedIn:
    """The session with new tokens."""
    given = body.refresh_token if body is not None else None
    if given is not None:
        text, transport = given.get_secret_value(), "token"
    else:
        text, transport = cookies.refresh_token(call.request) or "", "cookie"
        if not text:
            raise ApiError(
                401, "auth.missing", "no refresh token was sent", "send {refreshToken}, or sign in again"
            )
    session_id = str(tokens.verify(text, tokens.REFRESH_AUDIENCE)["sid"])
    if given is None:
        cookies.check(call.request, session_id)
    try:
        opened, user = await sessions.rotate(text)
    finally:
        known.forget_session(session_id)
    return answer(call, response, opened, user, "cookie" if transport == "cookie" else "token")


@router.post(
    "/logout",
    operation_id="session_end",
    summary="Sign out",
    description="Ends the session that the request belongs to, and takes a page's cookies away.",
)
async def session_end(
    response: Response, call: Annotated[Call, signed_in("everybody may end his own session")]
) -> Done:
    """Whether it is done."""
    session_id = call.principal.session_id
    if session_id:
        await sessions.revoke(session_id)
        known.forget_session(session_id)
    cookies.clear(call.request, response)
    return Done(status="done")


@router.get(
    "/user/me/sessions",
    operation_id="session_list",
    summary="List one's own sessions",
    description="A page of the caller's open sessions; a page may be empty and not be the last.",
)
async def session_list(
    call: Annotated[Call, signed_in("everybody may see his own sessions")],
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
) -> Page[Session]:
    """The caller's open sessions."""
    user = await own(call)
    found, following = await sessions.of_user(user.id, per_page, cursor)
    now = clock.now_ms()
    items = []
    for document in found:
        fields = values.from_fields(document.fields)
        if is_open(fields, user.fields, now):
            items.append(_shown(document.id, fields, call.principal.session_id))
    return Page(count=len(items), per_page=per_page, next=following, items=items)


@router.delete(
    "/user/me/sessions/{session_id}",
    operation_id="session_delete",
    summary="End one of one's own sessions",
    description="Ends it wherever it is open, within 10 s.",
    responses={404: problem("The caller has no such session")},
)
async def session_delete(
    session_id: str, call: Annotated[Call, signed_in("everybody may end his own sessions")]
) -> Done:
    """Whether it is done."""
    user = await own(call)
    fields = await sessions.find(session_id) if session_id.isalnum() and len(session_id) <= 64 else None
    if fields is None or fields.get("userId") != user.id:
        raise ApiError(
            404, "session.notFound", "you have no such session", "see /v1/user/me/sessions for your own"
        )
    await sessions.revoke(session_id)
    known.forget_session(session_id)
    return Done(status="done")


async def own(call: Call) -> Stored[User]:
    """The caller as a user; ApiError 403 for an API key, which is none."""
    if call.principal.kind != "user":
        raise ApiError(403, "user.none", "an API key is no user", "sign in as a user to do this")
    user = await people.find(call.principal.id, call.principal.project_id)
    if user is None:
        raise tokens.refused()
    return user


def answer(
    call: Call, response: Response, opened: sessions.Opened, user: Stored[User], transport: Transport
) -> SignedIn:
    """A session as it is answered: with its tokens, or with cookies that hold them."""
    shown = SignedIn(
        profile=people.shown(user),
        session_id=opened.session_id,
        expires=opened.expires,
        refresh_expires=opened.session_expires,
    )
    if transport == "token":
        return shown.model_copy(update={"id_token": opened.id_token, "refresh_token": opened.refresh_token})
    now = clock.now_ms()
    seconds = (max((opened.expires - now) // 1000, 1), max((opened.session_expires - now) // 1000, 1))
    cookies.keep(call.request, response, opened.id_token, opened.refresh_token, opened.session_id, seconds)
    return shown.model_copy(update={"csrf_token": tokens.csrf(opened.session_id)})


def _shown(session_id: str, fields: dict[str, object], current: str) -> Session:
    wanted = ("projectId", "created", "refreshed", "expires", "source", "userAgent")
    told = {key: fields[key] for key in wanted if fields.get(key) not in (None, "")}
    return Session.model_validate({"id": session_id, "current": session_id == current} | told)
