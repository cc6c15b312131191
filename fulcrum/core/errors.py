"""The errors of pure code: what is wrong with an input."""

from __future__ import annotations


class FulcrumError(Exception):
    """Root of the tree; never raised itself."""


class Rejected(FulcrumError):
    """The input can never be processed as it is.

    ``error_type`` is a stable, dotted name (``message.undecodable``) that people filter quarantine by.
    """

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
