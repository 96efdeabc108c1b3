"""Team: who works here, what each of them sees and may do, and invitations by mail."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from commensal import NotFound, Transaction, enabled_plugins, say, translate
from commensal.enterprises import (
    EnterpriseRole,
    Member,
    change_role,
    create_role,
    edit_role,
    list_members,
    list_roles,
    member_by_id,
    remove_member,
    remove_role,
    role_by_id,
    scopes_given_by,
)
from commensal.pages import Visit, on_refusal
from commensal.parts.membership import hand_over, invitations_of, invite, owned_alone, withdraw_invitation
from commensal.people import SCOPE_WORDS

from ..frame.desk import Desk, open_desk
from ..frame.fields import chosen_language
from ..frame.render import show

# Roles that an enterprise makes itself: what each gives, in words, and who has it.

SCOPE = "scope/"  # fields of the forms: scopes
NEW = "new"  # stands in the address instead of a role's id


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """A role that members get instead of one that is taken away, with what they gain and lose by it, in words."""

    id: str
    label: str
    gains: Sequence[str]
    loses: Sequence[str]


def role_page(visit: Visit) -> Response:
    """The form of one role, filled with what was typed if that was refused."""
    role_id = visit.path["role"]
    with visit.read() as tx:
        desk = open_desk(tx, visit, "members:write")
        role = None if role_id == NEW else role_by_id(tx, desk.enterprise.id, role_id)
        groups = scope_groups(tx, visit.language, desk.enterprise.id)
        members = [member for member in list_members(tx, desk.enterprise.id) if role and member.role == role.id]
        invited = [each for each in invitations_of(tx, desk.enterprise.id) if role and each.role == role.id]
        removing = role is not None and ("ask" in visit.query or visit.query.get("then") == "remove")
        others = _alternatives(tx, visit, desk, role) if role and removing and (members or invited) else []
    typed = "name" in visit.form
    name = visit.form.get("name", role.name if role else "")
    ticked = _ticked(visit) if typed else frozenset(role.scopes if role else ())
    return show(
        visit,
        desk,
        "role",
        at="settings",
        role=role,
        role_name=name,
        ticked=ticked,
        groups=groups,
        names=[member.name or member.email for member in members],
        others=others,
        removing=removing,
    )


@on_refusal(role_page)
def post_role(visit: Visit) -> Response:
    """Makes a role, changes it, or takes it away."""
    role_id, action = visit.path["role"], visit.query.get("then", "")
    with visit.write() as tx:
        desk = open_desk(tx, visit, "members:write")
        shop, name, scopes = desk.enterprise.id, visit.form.get("name", ""), _ticked(visit)
        if action == "save" and role_id == NEW:
            create_role(tx, visit.actor, shop, name=name, scopes=scopes)
        elif action == "save":
            edit_role(tx, visit.actor, shop, role_id, visit.form_version, name=name, scopes=scopes)
        elif action == "remove":
            instead, own_id = visit.form.get("instead", ""), visit.actor.person_id or ""
            remove_role(tx, shop, role_id, visit.form_version, instead=instead, by=own_id)
        else:
            raise NotFound
    return visit.redirect(f"{desk.address}/settings/team?done={'role-removed' if action == 'remove' else 'role-saved'}")


def roles_in_words(tx: Transaction, language: str, enterprise_id: str) -> list[tuple[str, str, str]]:
    """The enterprise's own roles: id, name, and what each gives."""
    words = _words(scope_groups(tx, language, enterprise_id))
    return [(role.id, role.name, _listed(words, role.scopes)) for role in list_roles(tx, enterprise_id)]


def roles_of_plugins(tx: Transaction, language: str, enterprise_id: str) -> list[tuple[str, str, str]]:
    """The roles of plugins that the enterprise uses: name, label, and what each sees and may do."""
    enabled = enabled_plugins(tx, enterprise_id)
    return [
        (role.name, translate(language, role.label), translate(language, role.about))
        for role in tx.own_scopes.roles.values()
        if role.name.partition(":")[0] in enabled
    ]


def scope_groups(tx: Transaction, language: str, enterprise_id: str) -> list[tuple[str, Mapping[str, str]]]:
    """What a role may give beside what all members see, in words: a heading, and labels by scope."""
    enabled = enabled_plugins(tx, enterprise_id)
    of_plugins = {
        scope.name: translate(language, scope.label)
        for scope in tx.own_scopes.by_name.values()
        if scope.name.partition(":")[0] in enabled
    }
    groups = [*_core_groups(language), (translate(language, "Extensions"), of_plugins)]
    return [group for group in groups if group[1]]


def _core_groups(language: str) -> list[tuple[str, Mapping[str, str]]]:
    groups = (
        (translate(language, "Orders"), ("orders:read", "orders:pack", "orders:write")),
        (translate(language, "Products and sales"), ("products:write", "catalogs:write", "sales:write", "demand:read")),
        (translate(language, "Customers"), ("customers:read", "customers:write")),
        (translate(language, "Money"), ("payments:read", "payments:take", "payments:write")),
        (translate(language, "Settings"), ("enterprise:write", "plugins:write", "members:read", "audit:read")),
    )
    return [(title, {scope: say(language, SCOPE_WORDS[scope]) for scope in scopes}) for title, scopes in groups]


def _alternatives(tx: Transaction, visit: Visit, desk: Desk, role: EnterpriseRole) -> list[Alternative]:
    """The roles that members may get instead of this one; owners are made one by one."""
    language, shop = visit.language, desk.enterprise.id
    words = _words(scope_groups(tx, language, shop))
    core = [
        ("packer", translate(language, "Packing and handing out"), ""),
        ("accountant", translate(language, "Accounts"), ""),
        ("manager", translate(language, "Coordinator"), ""),
    ]
    others = [*roles_in_words(tx, language, shop), *roles_of_plugins(tx, language, shop), *core]
    has = scopes_given_by(tx, shop, role.id)
    gets = {other_id: scopes_given_by(tx, shop, other_id) for other_id, _, _ in others}
    return [
        Alternative(
            id=other_id,
            label=label,
            gains=[text for scope, text in words.items() if scope in gets[other_id] - has],
            loses=[text for scope, text in words.items() if scope in has - gets[other_id]],
        )
        for other_id, label, _ in others
        if other_id != role.id
    ]


def _ticked(visit: Visit) -> frozenset[str]:
    return frozenset(name.removeprefix(SCOPE) for name in visit.form if name.startswith(SCOPE))


def _words(groups: Sequence[tuple[str, Mapping[str, str]]]) -> dict[str, str]:
    return {scope: text for _, labels in groups for scope, text in labels.items()}


def _listed(words: Mapping[str, str], scopes: Collection[str]) -> str:
    """What the scopes allow, as one line in the order of the form."""
    return " · ".join(text for scope, text in words.items() if scope in scopes)


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
        left_behind = owned_alone(tx, leaving.person_id, desk.enterprise.id) if leaving else ()
    return show(
        visit,
        desk,
        "team",
        at="settings",
        members=members,
        invitations=invitations,
        email=visit.form.get("email", ""),
        leaving=leaving,
        left_behind=left_behind,
        with_new_role=with_new_role,
        form_again={**visit.form, "sure": "1"} if with_new_role else {},
        role=visit.form.get("role", "packer") if "email" in visit.form else "packer",  # of who is invited
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
    """Changes a role, after a question, removes a member, takes an invitation back, or gives the hub the producers that
    belong to the visitor alone."""
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
        elif action == "hand-over":
            for producer in owned_alone(tx, own_id, shop):
                hand_over(tx, producer.id, shop, by=own_id)
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
