"""Team: who works here, what each of them sees and may do, and invitations by mail."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from commensal import NotFound, Transaction, enabled_plugins, translate
from commensal.enterprises import Member, change_role, list_members, list_roles, member_by_id, remove_member
from commensal.pages import Visit, on_refusal
from commensal.parts.membership import invitations_of, invite, withdraw_invitation

from ..frame.desk import Desk, open_desk
from ..frame.fields import chosen_language
from ..frame.render import show
from .roles import SCOPE, roles_in_words, roles_of_plugins


def team_page(visit: Visit, *, with_new_role: Member | None = None) -> Response:
    """The team. `with_new_role` is the member whose role is about to change as the form says, after a question."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "members:read")
        members = list_members(tx, desk.enterprise.id)
        invitations = invitations_of(tx, desk.enterprise.id)
        own_roles = roles_of_plugins(tx, visit.language, desk.enterprise.id)
        made_roles = roles_in_words(tx, visit.language, desk.enterprise.id)
        own_scopes = _own_scopes(tx, visit.language, desk.enterprise.id)
    leaving = _leaving(visit, members)
    return show(
        visit,
        desk,
        "team",
        at="settings",
        members=members,
        invitations=invitations,
        email=visit.form.get("email", ""),
        leaving=leaving,
        with_new_role=with_new_role,
        form_again={**visit.form, "sure": "1"} if with_new_role else {},
        role=visit.form.get("role", "packer"),
        done=visit.query.get("done", ""),
        may_write=desk.may("members:write"),
        own_scopes=own_scopes,
        own_roles=own_roles,
        made_roles=made_roles,
        language_chosen=chosen_language(visit, visit.language),
    )


def _own_scopes(tx: Transaction, language: str, enterprise_id: str) -> list[dict[str, object]]:
    """The scopes of plugins that the enterprise uses, with the roles that hold each by themselves."""
    enabled, made = enabled_plugins(tx, enterprise_id), list_roles(tx, enterprise_id)
    return [
        {
            "name": scope.name,
            "label": translate(language, scope.label),
            "roles": [*scope.roles, *(role.id for role in made if scope.name in role.scopes)],
        }
        for scope in tx.own_scopes.by_name.values()
        if scope.name.partition(":")[0] in enabled
    ]


def _leaving(visit: Visit, members: Sequence[Member]) -> Member | None:
    """The member whom the page is about to remove, if the visitor has asked for that."""
    person_id = visit.query.get("ask", "")
    return next((member for member in members if member.person_id == person_id), None)


@on_refusal(team_page, {"email", "role"})
def post_invite(visit: Visit) -> Response:
    """Invites an address. The page answers the same whether it has an account or not."""
    with visit.write() as tx:
        desk = open_desk(tx, visit, "members:write")
        address = _invite(tx, visit, desk)
    return visit.redirect(address)


def _invite(tx: Transaction, visit: Visit, desk: Desk) -> str:
    invite(
        tx,
        desk.enterprise.id,
        email=visit.form.get("email", ""),
        role=visit.form.get("role", ""),
        language=chosen_language(visit, visit.language),
        person_id=visit.actor.person_id,
    )
    return f"{_address(desk)}?done=invited"


@on_refusal(team_page, ())
def post_team(visit: Visit) -> Response:
    """Changes a role, after a question, removes a member, or takes an invitation back."""
    action, member = visit.query.get("then", ""), None
    with visit.write() as tx:
        desk = open_desk(tx, visit, "members:write")
        shop, person_id = desk.enterprise.id, visit.form.get("person", "")
        own_id = visit.actor.person_id or ""
        if action == "role":
            member = _change_role(tx, visit, shop, person_id)
        elif action == "remove":
            member_by_id(tx, shop, person_id)
            remove_member(tx, shop, person_id, by=own_id)
        elif action == "withdraw":
            withdraw_invitation(tx, shop, visit.form.get("invitation", ""))
        else:
            raise NotFound
    if member is not None:
        return team_page(visit, with_new_role=member)
    if person_id == visit.actor.person_id and action == "remove":
        return visit.redirect("/office")
    return visit.redirect(f"{_address(desk)}?done={action}")


def _change_role(tx: Transaction, visit: Visit, enterprise_id: str, person_id: str) -> Member | None:
    """Changes the role, and what else the form says. Returns the member if a new role is to be confirmed first; then
    nothing has changed. Raises what `change_role` raises, also then."""
    form, before = visit.form, member_by_id(tx, enterprise_id, person_id)
    asks = form.get("role", "") != before.role and "sure" not in form
    with tx.attempt() as attempt:
        change_role(
            tx,
            enterprise_id,
            person_id,
            role=form.get("role", ""),
            takes_money="takes_money" in form,
            scopes=[name for name in tx.own_scopes.by_name if f"{SCOPE}{name}" in form],
            by=visit.actor.person_id or "",
        )
        if asks:
            attempt.rollback()
    return before if asks else None


def _address(desk: Desk) -> str:
    return f"{desk.address}/settings/team"
