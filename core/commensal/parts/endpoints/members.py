"""Members of an enterprise and their roles over the API, and the enterprises of the logged-in person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from ...api.endpoint import Body, Call, Page, Paging, Routes, page_of
from ...enterprises.access import demand_session
from ...enterprises.members import Member, Membership, change_role, list_members, memberships_of, remove_member
from ..membership.invitations import (
    Invitation,
    accept_invitation,
    decline_invitation,
    invitations_of,
    invitations_to,
    invite,
    withdraw_invitation,
)

routes = Routes("members")

# One of the core ("owner", "manager", "packer", "accountant"), of a plugin ("transport:driver"), or the id of one that
# the enterprise has made.
Role = Annotated[str, msgspec.Meta(min_length=1, max_length=90)]
Scope = Annotated[str, msgspec.Meta(max_length=90)]


class NewMember(Body, frozen=True, kw_only=True):
    """`email` is an address of somebody, with or without an account here."""

    email: Annotated[str, msgspec.Meta(min_length=1, max_length=254)]
    role: Role


@dataclass(frozen=True)
class Invited:
    """A mail was promised to this address."""

    to: str


class NewRole(Body, frozen=True, kw_only=True):
    """`takes_money` lets packers cash in at the hand-out, and accountants record payments. `scopes` are those of
    plugins beyond what the role has."""

    role: Role
    takes_money: bool = False
    scopes: Annotated[tuple[Scope, ...], msgspec.Meta(max_length=100)] = ()


_MEMBER = "/enterprises/{enterprise}/members/{person}"


@routes.get("/me/enterprises", scope="self")
def my_enterprises(call: Call, query: Paging) -> Page[Membership]:
    """The enterprises that I am a member of, with my role at each."""
    memberships = memberships_of(call.tx, call.person_id, after=query.after, limit=query.limit)
    return page_of(memberships, query.limit, lambda membership: membership.enterprise.slug)


@routes.delete("/me/enterprises/{enterprise}", scope="self")
def leave_enterprise(call: Call, enterprise: str) -> None:
    """Leaves an enterprise; the last owner stays. A token is not enough for this."""
    person_id = demand_session(call.actor)
    remove_member(call.tx, enterprise, person_id, by=person_id)


@routes.get("/enterprises/{enterprise}/members", scope="members:read")
def members(call: Call, enterprise: str) -> list[Member]:
    """All members, by e-mail address."""
    return list(list_members(call.tx, enterprise))


@routes.post("/enterprises/{enterprise}/members", scope="members:write", status=202, limit="signups")
def invite_member(call: Call, enterprise: str, body: NewMember) -> Invited:
    """Invites somebody by e-mail. The answer is the same whether the address has an account or not; they are a member
    once they have taken it up, within fourteen days."""
    invited = invite(
        call.tx, enterprise, email=body.email, role=body.role, language=call.language, person_id=call.actor.person_id
    )
    return Invited(to=invited)


@routes.get("/enterprises/{enterprise}/invitations", scope="members:read")
def invitations(call: Call, enterprise: str) -> list[Invitation]:
    """Who is invited and has not answered, by e-mail address."""
    return list(invitations_of(call.tx, enterprise))


@routes.delete("/enterprises/{enterprise}/invitations/{invitation}", scope="members:write")
def take_invitation_back(call: Call, enterprise: str, invitation: str) -> None:
    """Takes an invitation back."""
    withdraw_invitation(call.tx, enterprise, invitation)


@routes.get("/me/invitations", scope="self")
def my_invitations(call: Call) -> list[Invitation]:
    """What I am invited to, by my confirmed address."""
    return list(invitations_to(call.tx, call.person_id))


@routes.post("/me/invitations/{invitation}", scope="self")
def accept(call: Call, invitation: str) -> Member:
    """Takes an invitation up. A token is not enough for this."""
    return accept_invitation(call.tx, demand_session(call.actor), invitation)


@routes.delete("/me/invitations/{invitation}", scope="self")
def decline(call: Call, invitation: str) -> None:
    """Declines an invitation."""
    decline_invitation(call.tx, call.person_id, invitation)


@routes.put(_MEMBER, scope="members:write")
def set_role(call: Call, enterprise: str, person: str, body: NewRole) -> Member:
    """Gives a member another role or other rights, and tells them so by mail; there is always an owner."""
    return change_role(
        call.tx, enterprise, person, role=body.role, takes_money=body.takes_money, scopes=body.scopes, by=call.person_id
    )


@routes.delete(_MEMBER, scope="members:write")
def put_member_out(call: Call, enterprise: str, person: str) -> None:
    """Takes a member out, and tells them so by mail; there is always an owner."""
    remove_member(call.tx, enterprise, person, by=call.person_id)
