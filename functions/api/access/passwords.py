"""Passwords: argon2id, and which passwords are refused.

Hashing takes tens of milliseconds and 19 MiB, so it runs in threads of its own, at most four at a time: a
flood of sign-ins waits there and neither blocks the loop nor takes the instance's memory.
"""

from __future__ import annotations

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from shared.errors import ApiError

# OWASP's parameters for argon2id: two passes over 19 MiB in one lane, 16 bytes of salt, 32 of hash.
TIME_COST = 2
MEMORY_KIB = 19_456
PARALLELISM = 1
MIN_LENGTH = 6
RECOMMENDED_LENGTH = 12
MAX_LENGTH = 256
_AT_ONCE = 4

# What every list of stolen passwords begins with.
WORST = frozenset(
    {
        *("123456", "1234567", "12345678", "123456789", "1234567890", "111111", "000000", "123123", "654321"),
        *("666666", "121212", "987654321", "112233", "password", "password1", "password123", "passw0rd"),
        *("p@ssw0rd", "qwerty", "qwerty123", "qwertyuiop", "1q2w3e4r", "1qaz2wsx", "abc123", "abcdef"),
        *(
            "iloveyou",
            "letmein",
            "welcome",
            "welcome1",
            "monkey",
            "dragon",
            "sunshine",
            "princess",
            "football",
        ),
        *("baseball", "master", "shadow", "superman", "trustno1", "admin123", "administrator", "changeme"),
        *("secret", "fulcrum", "default", "google", "asdfgh", "asdfghjkl", "zxcvbn", "zxcvbnm", "qazwsx"),
    }
)


def check(password: str, username: str) -> None:
    """ApiError 400 ``password.weak`` for a password that is too short, the username, or one of the worst."""
    folded = password.casefold()
    if len(password) < MIN_LENGTH or len(password) > MAX_LENGTH:
        raise _weak(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
    if folded == username.casefold() or folded == username.casefold().partition("@")[0]:
        raise _weak("the password must not be the username")
    if folded in WORST or len(set(folded)) == 1:
        raise _weak("the password is one of those that everybody tries first")


async def hashed(password: str) -> str:
    """The argon2id hash of a password, with its parameters and salt."""
    return str(await _in_thread(_hasher().hash, _normal(password)))


async def verify(stored: str | None, password: str) -> bool:
    """Whether a password is the one of a stored hash. Without a hash it takes as long, and is False."""
    return bool(await _in_thread(_matches, stored, _normal(password)))


def is_outdated(stored: str) -> bool:
    """Whether a hash was made with other parameters than today's: hash anew at the next sign-in."""
    return bool(_hasher().check_needs_rehash(stored))


def _normal(password: str) -> str:
    # The same letter comes in different forms from different keyboards.
    return unicodedata.normalize("NFKC", password)


def _weak(message: str) -> ApiError:
    return ApiError(
        400,
        "password.weak",
        message,
        f"choose one of at least {RECOMMENDED_LENGTH} characters that you use nowhere else",
    )


def _matches(stored: str | None, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    # Made before either is compared, so that the first unknown user of an instance takes no longer.
    nobodys = _nobodys()
    try:
        return bool(_hasher().verify(stored or nobodys, password)) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hasher() -> Any:
    from argon2 import PasswordHasher

    return PasswordHasher(TIME_COST, MEMORY_KIB, PARALLELISM)


@cache
def _nobodys() -> str:
    """A hash of no password of anybody, with today's parameters."""
    return str(_hasher().hash("nobody has this password"))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="passwords")


async def _in_thread(call: Any, *args: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_threads(), call, *args)
