"""What a command says when it cannot do what it was asked, and the code that it exits with."""

from __future__ import annotations

from fulcrum.errors import ApiError, ClientError, Conflict, NotFound, NotSignedIn, Unreachable

OK = 0
FAILED = 1
USAGE = 2
NOT_SIGNED_IN = 3
NOT_FOUND = 4
CONFLICT = 5
UNREACHABLE = 6
INTERRUPTED = 130


class Problem(ClientError):
    """A problem on this side of the connection: what is wrong, what to do, and the code to exit with."""

    def __init__(self, message: str, advice: str = "", code: int = FAILED) -> None:
        self.message, self.advice, self.code = message, advice, code
        super().__init__(message)


def usage(message: str, advice: str = "") -> Problem:
    """A command line that makes no sense."""
    return Problem(message, advice, USAGE)


def code_of(error: ClientError) -> int:
    """The exit code of an error."""
    if isinstance(error, Problem):
        return error.code
    for kind, code in (
        (NotSignedIn, NOT_SIGNED_IN),
        (NotFound, NOT_FOUND),
        (Conflict, CONFLICT),
        (Unreachable, UNREACHABLE),
    ):
        if isinstance(error, kind):
            return code
    return FAILED


def lines_of(error: ClientError) -> list[str]:
    """What is written to stderr: what is wrong, what to do, and what to quote when asking for help."""
    if isinstance(error, Problem):
        return [error.message, *([error.advice] if error.advice else [])]
    if not isinstance(error, ApiError):
        return [str(error)]
    lines = [f"{error.message} ({error.error})"]
    if error.description:
        lines.append(error.description)
    if isinstance(error, NotSignedIn):
        lines.append("sign in with: fulcrum login")
    if error.request_id:
        lines.append(f"request {error.request_id}")
    return lines
