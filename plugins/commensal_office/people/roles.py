"""Roles that an enterprise makes itself: what each gives, in words, and who has it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from commensal import NotFound, Transaction, enabled_plugins, say, translate
from commensal.enterprises import (
    EnterpriseRole,
    create_role,
    edit_role,
    list_members,
    list_roles,
    remove_role,
    role_by_id,
    scopes_given_by,
)
from commensal.pages import Visit, on_refusal
from commensal.parts.membership import invitations_of
from commensal.people import SCOPE_WORDS

from ..frame.desk import Desk, open_desk
from ..frame.render import show

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
