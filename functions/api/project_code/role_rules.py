"""Roles in a document: who may change them by it, as by their own operations. Pure."""

from __future__ import annotations

from functions.api.needs import Call
from functions.api.project_code.difference import Difference, Edit
from functions.api.roles import giving
from functions.api.roles.generated import general_of


def require(call: Call, change: Difference) -> None:
    """ApiError 403 for roles that the caller could not change one by one.

    Whoever has a role gains or loses what is put into it or taken out: that takes ``user.assignRoles``, and
    all of these permissions. A role that is made or deleted takes those that it holds.
    """
    for edit in change.of("roles"):
        before, after = _permissions(edit)
        if before == after:
            continue
        if edit.action == "update":
            giving.require_place(call, giving.ASSIGN, giving.whole(call.scope))
        giving.require_all(call, map(general_of, before | after))


def _permissions(edit: Edit) -> tuple[set[str], set[str]]:
    before = edit.before.fields["permissions"] if edit.before else []
    after = edit.after.fields["permissions"] if edit.after else []
    return set(before), set(after)
