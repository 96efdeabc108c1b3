"""Where a producer sells: which hubs may do what with its goods, in words, with a tick for each right."""

from __future__ import annotations

from starlette.responses import Response

from commensal import Enterprise, NotFound, Refused, Transaction, enabled_plugins, enterprises_by_id, list_enterprises
from commensal.enterprises import find_enterprise, grant, grants_given, revoke
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of

from ..added import links_of_plugins
from ..frame.desk import Desk, open_desk
from ..frame.render import show

# A tick of the form, with the DFC scopes that it gives.
_RIGHTS = {
    "sells": ("ReadProducts", "WriteOrders"),
    "keeps": ("WriteProducts",),
    "presents": ("ReadEnterprise", "WriteEnterprise"),
}
_MOST_MATCHES = 20  # enterprises that a search shows


def hubs_page(visit: Visit, errors: Mistakes = NO_MISTAKES, status: int = 200) -> Response:
    words = visit.query.get("q", "").strip()[:100]
    with visit.read() as tx:
        desk = open_desk(tx, visit, "grants:read")
        hubs = _hubs(tx, desk)
        links = links_of_plugins(visit, "hubs", desk.address, enabled_plugins(tx, desk.enterprise.id))
        asking = _asking(tx, visit, desk, {hub.id for hub, _ in hubs})
        matches = list_enterprises(tx, search=words, kind="hub", limit=_MOST_MATCHES) if words else ()
    known = {hub.id for hub, _ in hubs} | {desk.enterprise.id}
    return show(
        visit,
        desk,
        "hubs",
        at="hubs",
        status=status,
        hubs=hubs,
        words=words,
        asking=asking,
        mistakes=errors,
        matches=[match for match in matches if match.id not in known],
        may_write=desk.may("grants:write"),
        done=visit.query.get("done", ""),
        confirming=visit.query.get("ask", ""),
        links=links,
    )


def _hubs(tx: Transaction, desk: Desk) -> list[tuple[Enterprise, frozenset[str]]]:
    """The enterprises that may do something with the goods, each with the ticks that are set."""
    scopes: dict[str, set[str]] = {}
    for permission in grants_given(tx, desk.enterprise.id):
        scopes.setdefault(permission.grantee_id, set()).add(permission.scope)
    hubs = enterprises_by_id(tx, scopes)
    ticked = [
        (hubs[id], frozenset(tick for tick, needs in _RIGHTS.items() if granted.issuperset(needs)))
        for id, granted in scopes.items()
    ]
    return sorted((hub for hub in ticked if hub[1]), key=lambda hub: hub[0].name)


def _asking(tx: Transaction, visit: Visit, desk: Desk, known: set[str]) -> Enterprise | None:
    """The hub that has asked by mail whether it may sell, if the visitor has followed its link."""
    slug = visit.query.get("hub", "")[:64]
    try:
        hub = find_enterprise(tx, slug) if slug else None
    except NotFound:
        return None
    return hub if hub is not None and hub.id not in known | {desk.enterprise.id} else None


def post_hubs(visit: Visit) -> Response:
    """Sets what one hub may do: exactly what is ticked."""
    try:
        with visit.write() as tx:
            desk = open_desk(tx, visit, "grants:write")
            hub = find_enterprise(tx, visit.form.get("hub", ""), person_id=visit.actor.person_id)
            _set_rights(tx, visit, desk, hub.id)
    except NotFound:
        raise
    except Refused as error:
        return hubs_page(visit, mistakes(visit, error), status_of(error))
    return visit.redirect(f"{desk.address}/hubs?done=saved")


def _set_rights(tx: Transaction, visit: Visit, desk: Desk, hub_id: str) -> None:
    mine = desk.enterprise.id
    ticked = {scope for tick, needs in _RIGHTS.items() if tick in visit.form for scope in needs}
    offered = {scope for needs in _RIGHTS.values() for scope in needs}
    stored = {permission.scope for permission in grants_given(tx, mine) if permission.grantee_id == hub_id}
    for scope in sorted(ticked - stored):
        grant(tx, mine, hub_id, scope, by=visit.actor.person_id)
    for scope in sorted((stored & offered) - ticked):
        revoke(tx, mine, hub_id, scope)
