"""Members over the API: who may do what at an enterprise, and the enterprises that somebody is a member of."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from ...enterprises.members import (
    Member,
    Membership,
    add_member,
    change_role,
    list_members,
    memberships_of,
    remove_member,
)
from ..endpoint import Body, Call, Page, Paging, Routes, page_of

routes = Routes("members")

Role = Literal["owner", "manager", "packer", "accountant"]


class NewMember(Body, frozen=True, kw_only=True):
    """`email` is the confirmed address of somebody who has an account here."""

    email: Annotated[str, msgspec.Meta(min_length=1, max_length=254)]
    role: Role


class NewRole(Body, frozen=True, kw_only=True):
    role: Role


_MEMBER = "/enterprises/{enterprise}/members/{person}"


@routes.get("/me/enterprises", scope="self")
def my_enterprises(call: Call, query: Paging) -> Page[Membership]:
    """The enterprises that I am a member of, with my role at each."""
    found = memberships_of(call.tx, call.person_id, after=query.after, limit=query.limit)
    return page_of(found, query.limit, lambda one: one.enterprise.slug)


@routes.delete("/me/enterprises/{enterprise}", scope="self")
def leave_enterprise(call: Call, enterprise: str) -> None:
    """Leaves an enterprise; the last owner stays."""
    remove_member(call.tx, enterprise, call.person_id)


@routes.get("/enterprises/{enterprise}/members", scope="members:read")
def members(call: Call, enterprise: str) -> list[Member]:
    """All members, by e-mail address."""
    return list(list_members(call.tx, enterprise))


@routes.post("/enterprises/{enterprise}/members", scope="members:write", status=201)
def let_member_in(call: Call, enterprise: str, body: NewMember) -> Member:
    """Makes somebody a member."""
    return add_member(call.tx, enterprise, email=body.email, role=body.role)


@routes.put(_MEMBER, scope="members:write")
def set_role(call: Call, enterprise: str, person: str, body: NewRole) -> Member:
    """Gives a member another role; there is always an owner."""
    return change_role(call.tx, enterprise, person, role=body.role)


@routes.delete(_MEMBER, scope="members:write")
def put_member_out(call: Call, enterprise: str, person: str) -> None:
    """Takes a member out; there is always an owner."""
    remove_member(call.tx, enterprise, person)
