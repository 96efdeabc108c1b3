"""Roles that an enterprise makes itself, over the API."""

from __future__ import annotations

from typing import Annotated

import msgspec

from ...api.endpoint import Body, Call, Routes
from ...enterprises.roles import EnterpriseRole, create_role, edit_role, list_roles, remove_role

routes = Routes("members")

_ROLES = "/enterprises/{enterprise}/roles"


class RoleBody(Body, frozen=True, kw_only=True):
    """`scopes` are what the role gives beside what all members read, of the core and of plugins: "orders:pack". What
    changes something gives what reads it, too. The scopes that only owners hold cannot be among them."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    scopes: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=90)], ...], msgspec.Meta(max_length=100)] = ()


class Instead(Body, frozen=True, kw_only=True):
    """`instead`: the role that members get who have this one, and people who are invited to it; not "owner"."""

    instead: Annotated[str, msgspec.Meta(max_length=90)] = ""


@routes.get(_ROLES, scope="members:read")
def roles(call: Call, enterprise: str) -> list[EnterpriseRole]:
    """The roles that the enterprise has made, by name."""
    return list(list_roles(call.tx, enterprise))


@routes.post(_ROLES, scope="members:write", status=201)
def add_role(call: Call, enterprise: str, body: RoleBody) -> EnterpriseRole:
    """Makes a role; members get it by its id. A token gives no scope that it does not hold itself."""
    return create_role(call.tx, call.actor, enterprise, name=body.name, scopes=body.scopes)


@routes.put(f"{_ROLES}/{{role}}", scope="members:write", edits=True)
def change_own_role(call: Call, enterprise: str, role: str, body: RoleBody) -> EnterpriseRole:
    """Changes a role for everybody who has it, at once; they get a mail if it gives more or less now."""
    return edit_role(call.tx, call.actor, enterprise, role, call.version, name=body.name, scopes=body.scopes)


@routes.delete(f"{_ROLES}/{{role}}", scope="members:write", edits=True)
def take_role_away(call: Call, enterprise: str, role: str, query: Instead) -> None:
    """Takes a role away. Whoever has it gets another, which must be named then, and a mail about it."""
    remove_role(call.tx, enterprise, role, call.version, instead=query.instead, by=call.person_id)
