"""The token of the session that the profile keeps, refreshed in time by one command for all."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fulcrum.cli import profiles
from fulcrum.cli.problems import NOT_SIGNED_IN, Problem
from fulcrum.cli.profiles import Profile
from fulcrum.errors import NotSignedIn

# A token that is this near to its end is replaced before it is used.
_EARLY_MS = 60_000

# Sends a refresh token, and answers what signing in answers.
Refresh = Callable[[str], dict[str, Any]]


class Session:
    """The session that a profile keeps; empty tokens if there is none."""

    def __init__(self, name: str, refresh: Refresh) -> None:
        self._name, self._refresh = name, refresh
        self._profile = profiles.read(name)

    def token(self) -> str:
        """A token that is good for a while; empty if nobody is signed in."""
        if self._profile.id_token and _is_over(self._profile):
            self.renew(self._profile.id_token)
        return self._profile.id_token

    def renew(self, refused: str) -> bool:
        """Replace a token; whether there is another now. Problem if the session has ended.

        A refresh token is good once: one command refreshes while the others wait, and then take what it got.
        """
        with profiles.lock():
            current = profiles.read(self._name)
            if current.id_token and current.id_token != refused and not _is_over(current):
                self._profile = current
                return True
            if not current.refresh_token:
                return False
            try:
                answer = self._refresh(current.refresh_token)
            except NotSignedIn as error:
                profiles.write(self._name, signed_out(current))
                raise Problem(
                    f"the session has ended: {error.message}", "sign in with: fulcrum login", NOT_SIGNED_IN
                ) from error
            self._profile = signed_in(current, answer)
            profiles.write(self._name, self._profile)
            return True


def signed_in(profile: Profile, answer: dict[str, Any]) -> Profile:
    """A profile with the tokens that signing in, or refreshing, answered."""
    return replace(
        profile,
        id_token=answer["idToken"],
        refresh_token=answer["refreshToken"],
        expires=int(answer["expires"]),
        refresh_expires=int(answer["refreshExpires"]),
    )


def signed_out(profile: Profile) -> Profile:
    """A profile without a session."""
    return replace(profile, id_token="", refresh_token="", expires=0, refresh_expires=0)


def _is_over(profile: Profile) -> bool:
    return time.time() * 1000 >= profile.expires - _EARLY_MS
