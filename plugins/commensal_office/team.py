"""Team: who works here, what each of them sees and may do, and invitations by mail."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from commensal import Conflict, NotFound, Refused, enabled_plugins, translate
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of
from commensal.trade import (
    Member,
    change_role,
    invitations_of,
    invite,
    list_members,
    member_by_id,
    remove_member,
    withdraw_invitation,
)

from .desk import Desk, open_desk
from .showing import show

SCOPE = "scope/"  # fields of the form: scopes of plugins


def team_page(visit: Visit, email: str = "", errors: Mistakes = NO_MISTAKES, status: int = 200) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "members:read")
        members = list_members(tx, desk.enterprise.id)
        invitations = invitations_of(tx, desk.enterprise.id)
        enabled = enabled_plugins(tx, desk.enterprise.id)
        own_roles = [
            (role.name, translate(visit.language, role.label), translate(visit.language, role.about))
            for role in tx.own_scopes.roles.values()
            if role.name.partition(":")[0] in enabled
        ]
        own_scopes = [
            {"name": scope.name, "label": translate(visit.language, scope.label), "roles": scope.roles}
            for scope in tx.own_scopes.by_name.values()
            if scope.name.partition(":")[0] in enabled
        ]
    leaving = _leaving(visit, members)
    return show(
        visit, desk, "team", at="settings", status=status, members=members, invitations=invitations, email=email,
        leaving=leaving, role=visit.form.get("role", "packer"), mistakes=errors, done=visit.query.get("done", ""),
        may_write=desk.may("members:write"), own_scopes=own_scopes, own_roles=own_roles,
    )  # fmt: skip


def _leaving(visit: Visit, members: Sequence[Member]) -> Member | None:
    """The member whom the page is about to remove, if the visitor has asked for that."""
    person_id = visit.query.get("ask", "")
    return next((member for member in members if member.person_id == person_id), None)


def invite_now(visit: Visit) -> Response:
    """Invites an address. The page answers the same whether it has an account or not."""
    email = visit.form.get("email", "")
    try:
        with visit.write() as tx:
            desk = open_desk(tx, visit, "members:write")
            invite(tx, desk.enterprise.id, email=email, role=visit.form.get("role", ""), language=visit.language)
    except Refused as error:
        return team_page(visit, email, mistakes(visit, error, {"email", "role"}.__contains__), status_of(error))
    return visit.redirect(f"{_address(desk)}?done=invited")


def team_now(visit: Visit) -> Response:
    """Changes a role, removes a member, or takes an invitation back."""
    action = visit.query.get("then", "")
    try:
        with visit.write() as tx:
            desk = open_desk(tx, visit, "members:write")
            shop, person_id = desk.enterprise.id, visit.form.get("person", "")
            if action == "role":
                takes_money = "takes_money" in visit.form
                scopes = [name for name in tx.own_scopes.by_name if f"{SCOPE}{name}" in visit.form]
                role = visit.form.get("role", "")
                change_role(tx, shop, person_id, role=role, takes_money=takes_money, scopes=scopes)
            elif action == "remove":
                member_by_id(tx, shop, person_id)
                remove_member(tx, shop, person_id)
            elif action == "withdraw":
                withdraw_invitation(tx, shop, visit.form.get("invitation", ""))
            else:
                raise NotFound
    except Conflict as error:
        return team_page(visit, errors=mistakes(visit, error), status=status_of(error))
    if person_id == visit.actor.person_id and action == "remove":
        return visit.redirect("/office")
    return visit.redirect(f"{_address(desk)}?done={action}")


def _address(desk: Desk) -> str:
    return f"{desk.address}/settings/team"
