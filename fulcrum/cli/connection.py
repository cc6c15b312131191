"""The connection of a command: where to, in which project, with which token."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fulcrum.cli import profiles
from fulcrum.cli.credentials import Session
from fulcrum.cli.problems import Problem, usage
from fulcrum.errors import NotSignedIn

if TYPE_CHECKING:
    import httpx

    from fulcrum.client.request import Request
    from fulcrum.client.send import Sender


@dataclass(frozen=True)
class Options:
    """What stands before the command: which profile, and whether requests are told on stderr."""

    profile: str = profiles.DEFAULT
    verbose: bool = False


class Connection:
    """Sends requests as the profile and the environment say. Nothing is opened before the first of them."""

    def __init__(self, options: Options, project: str | None = None, url: str | None = None) -> None:
        profile = profiles.read(options.profile)
        self._options = options
        self._named = (url or os.environ.get("FULCRUM_URL") or profile.url).rstrip("/")
        # An empty name is none, as what is about the platform's own users needs.
        in_use = os.environ.get("FULCRUM_PROJECT") or profile.project
        self._project = in_use if project is None else project
        self._fixed = os.environ.get("FULCRUM_TOKEN", "")
        # A token goes to where it came from, and nowhere else.
        is_home = self._named == profile.url.rstrip("/")
        self._session = Session(options.profile, self._refresh) if is_home and not self._fixed else None
        self._http: httpx.Client | None = None

    @property
    def url(self) -> str:
        """The address of the API; Problem if none is known."""
        if not self._named:
            raise usage("no address is known", "give one by: fulcrum login --url https://...")
        if not self._named.startswith(("http://", "https://")):
            raise usage(f"{self._named!r} is no address", "it begins with https:// or http://")
        return self._named

    @property
    def project(self) -> str:
        """The project in use; Problem if none is chosen."""
        if not self._project:
            raise usage("no project is chosen", "name it by --project, or for all by: fulcrum use PROJECT")
        return self._project

    @property
    def chosen_project(self) -> str:
        """The project in use, or nothing."""
        return self._project

    def send(self, request: Request) -> Any:
        """The answer's JSON; ApiError, Unreachable or Problem."""
        sender, token = self._sender(), self._token()
        try:
            return sender(token).send(request)
        except NotSignedIn:
            if not self._renewed(token):
                raise
            return sender(self._token()).send(request)

    @contextmanager
    def stream(self, request: Request, headers: dict[str, str] | None = None) -> Iterator[httpx.Response]:
        """The answer as it comes in."""
        sender, token = self._sender(), self._token()
        if headers:
            request = _with_headers(request, headers)
        with ExitStack() as stack:
            try:
                answer = stack.enter_context(sender(token).stream(request))
            except NotSignedIn:
                if not self._renewed(token):
                    raise
                answer = stack.enter_context(sender(self._token()).stream(request))
            yield answer

    def send_as(self, token: str, request: Request) -> Any:
        """Send with another token than the session's, or with none."""
        return self._sender()(token).send(request)

    @property
    def is_signed_in(self) -> bool:
        """Whether there is a token to send."""
        return bool(self._token())

    def close(self) -> None:
        """Close what is open."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def _sender(self) -> Any:
        from fulcrum.client.send import Sender

        http = self._client()

        def made(token: str) -> Sender:
            return Sender(http, lambda: token, self._project)

        return made

    def _client(self) -> httpx.Client:
        if self._http is None:
            import httpx

            from fulcrum.client.clients import TIMEOUT

            hooks: Any = {}
            if self._options.verbose:
                hooks = {"request": [_started], "response": [_told]}
            self._http = httpx.Client(
                base_url=self.url,
                timeout=TIMEOUT,
                event_hooks=hooks,
                headers={"User-Agent": "fulcrum command"},
            )
        return self._http

    def _token(self) -> str:
        return self._fixed or (self._session.token() if self._session else "")

    def _renewed(self, refused: str) -> bool:
        return bool(self._session and refused and self._session.renew(refused))

    def _refresh(self, refresh_token: str) -> dict[str, Any]:
        from fulcrum.client.request import Request

        body = {"refreshToken": refresh_token}
        answer = self._sender()("").send(Request("POST", "/v1/login/refresh", body=body))
        if not isinstance(answer, dict) or "idToken" not in answer:
            raise Problem(f"{self.url} answered no session", "is it the address of the API?")
        return answer


def _with_headers(request: Request, headers: dict[str, str]) -> Request:
    from dataclasses import replace

    return replace(request, headers={**request.headers, **headers})


def _started(request: httpx.Request) -> None:
    request.extensions["fulcrum.start"] = time.monotonic()


def _told(answer: httpx.Response) -> None:
    # The method and the path alone: headers, queries and bodies may hold secrets.
    ms = 1000 * (time.monotonic() - float(answer.request.extensions.get("fulcrum.start", 0)))
    request_id = answer.headers.get("x-request-id", "")
    line = f"{answer.request.method} {answer.request.url.path} {answer.status_code} {ms:.0f} ms {request_id}"
    sys.stderr.write(line.rstrip() + "\n")
