"""Recovery key: an owner gets, once, the key by which the enterprise can move should this site be lost."""

from __future__ import annotations

from starlette.responses import Response

from commensal import Conflict, Enterprise, Screen, demand
from commensal.pages import Visit, on_refusal

from ..authority.authority import authority_of
from ..dfc.iris import enterprise_iri
from ..moving.recovering import RecoveryKey, make_recovery_key
from ..runtime import federation_of

PATH = "hubs/recovery-key"


def key_page(visit: Visit, enterprise: Enterprise, made: RecoveryKey | None = None) -> Screen:
    federation = federation_of(visit.instance)
    with visit.read() as tx:
        iri = enterprise_iri(federation.base, enterprise.id)
        known = authority_of(tx, iri).recovery_key
    context = {
        "enterprise": enterprise,
        "iri": iri,
        "made": made,
        "known": known,
        "here": f"/office/{enterprise.id}/{PATH}",
    }
    return Screen(template="federation/recovery_key.html", context=context, headers={"Cache-Control": "no-store"})


@on_refusal(key_page)
def post_key(visit: Visit, enterprise: Enterprise) -> Screen | Response:
    """Makes the key and shows it. A form that is sent again, as when the page is reloaded, makes no other one: the
    paper with the first would be worth nothing."""
    federation = federation_of(visit.instance)
    with visit.write() as tx:
        demand(tx, visit.actor, "members:write", enterprise.id)
        known = authority_of(tx, enterprise_iri(federation.base, enterprise.id)).recovery_key
        if visit.form.get("replaces", "") != known:
            raise Conflict("key_made", "A key was made meanwhile. It is shown only once, to who made it.")
        made = make_recovery_key(federation, tx, enterprise.id)
    return key_page(visit, enterprise, made)
