"""Sending requests over httpx, at once or awaited, with the same rules for both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx

from fulcrum.client.request import Request, wait_before_next
from fulcrum.errors import ClientError, Unreachable, from_answer

# Gives the token of the next request; called anew for each, so that it may refresh one.
Token = Callable[[], str]


class Sender:
    """Sends requests and waits for their answers."""

    def __init__(self, http: httpx.Client, token: Token, project: str) -> None:
        self._http, self._token, self._project = http, token, project

    def send(self, request: Request) -> Any:
        """The JSON of the answer; ApiError or Unreachable."""
        tries, headers = 0, request.sent_headers()
        while True:
            tries += 1
            try:
                answer = self._http.request(**_arguments(request, headers, self._token(), self._project))
            except httpx.TransportError as error:
                wait = wait_before_next(request, tries, None, None)
                if wait is None:
                    raise unreachable(self._http.base_url, error) from error
            else:
                if answer.is_success:
                    return decoded(answer)
                wait = wait_before_next(request, tries, answer.status_code, answer.headers.get("retry-after"))
                if wait is None:
                    raise refused(answer)
            time.sleep(wait)

    @contextmanager
    def stream(self, request: Request) -> Iterator[httpx.Response]:
        """The answer while it comes in; ApiError or Unreachable before its first byte."""
        arguments = _arguments(request, request.sent_headers(), self._token(), self._project)
        try:
            with self._http.stream(**arguments) as answer:
                if not answer.is_success:
                    answer.read()
                    raise refused(answer)
                yield answer
        except httpx.TransportError as error:
            raise unreachable(self._http.base_url, error) from error


class AsyncSender:
    """The same, awaited."""

    def __init__(self, http: httpx.AsyncClient, token: Token, project: str) -> None:
        self._http, self._token, self._project = http, token, project

    async def send(self, request: Request) -> Any:
        """The JSON of the answer; ApiError or Unreachable."""
        tries, headers = 0, request.sent_headers()
        while True:
            tries += 1
            try:
                answer = await self._http.request(
                    **_arguments(request, headers, self._token(), self._project)
                )
            except httpx.TransportError as error:
                wait = wait_before_next(request, tries, None, None)
                if wait is None:
                    raise unreachable(self._http.base_url, error) from error
            else:
                if answer.is_success:
                    return decoded(answer)
                wait = wait_before_next(request, tries, answer.status_code, answer.headers.get("retry-after"))
                if wait is None:
                    raise refused(answer)
            await asyncio.sleep(wait)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[httpx.Response]:
        """The answer while it comes in; ApiError or Unreachable before its first byte."""
        arguments = _arguments(request, request.sent_headers(), self._token(), self._project)
        try:
            async with self._http.stream(**arguments) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise refused(answer)
                yield answer
        except httpx.TransportError as error:
            raise unreachable(self._http.base_url, error) from error


def decoded(answer: httpx.Response) -> Any:
    """The JSON of an answer, or its text where it is something else."""
    if not answer.content:
        return None
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if kind != "application/json":
        return answer.text
    try:
        return answer.json()
    except ValueError as error:
        raise Unreachable(f"{answer.url} answered what is no JSON: is it the address of the API?") from error


def refused(answer: httpx.Response) -> ClientError:
    """The error of an answer; Unreachable if it is none of the API's."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or "error" not in body:
        return Unreachable(f"{answer.url} answered {answer.status_code}: is it the address of the API?")
    return from_answer(answer.status_code, body)


def unreachable(url: httpx.URL, error: httpx.TransportError) -> Unreachable:
    """No answer came."""
    return Unreachable(f"{url} cannot be reached: {error or type(error).__name__}")


def _arguments(request: Request, headers: dict[str, str], token: str, project: str) -> dict[str, Any]:
    headers = dict(headers)
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if project:
        headers.setdefault("X-Fulcrum-Project", project)
    made: dict[str, Any] = {
        "method": request.method,
        "url": request.path,
        "params": request.parameters(),
        "headers": headers,
    }
    if request.content is not None:
        made["content"] = request.content
    elif request.body is not None:
        made["json"] = request.body
    return made
