"""Settings of an enterprise: its rules, and the plugins that it uses, each with a page of its own."""

from __future__ import annotations

from starlette.responses import Response

from commensal.enterprises import guest_policy_of
from commensal.pages import Visit, page_parts
from commensal.parts.supply import closing_policy_of

from ..frame.desk import open_desk
from ..frame.render import show
from .plugins import extensions_of


def settings_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "enterprise:read")
        if not desk.opens_settings:
            open_desk(tx, visit, "sales:write")  # refuses it, and says what is missing
        guests = guest_policy_of(tx, desk.enterprise.id)
        closing = closing_policy_of(tx, desk.enterprise.id)
        extensions = extensions_of(tx, visit, desk.enterprise.id) if desk.may("plugins:write") else []
        added_parts = page_parts(tx, visit, "settings", desk.enterprise.id, desk.scopes)
    saved = visit.query.get("saved", "")
    return show(
        visit,
        desk,
        "settings",
        at="settings",
        guests=guests,
        closing=closing,
        saved=saved,
        extensions=extensions,
        added_parts=added_parts,
    )
