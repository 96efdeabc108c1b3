"""Settings of a hub: what happens by itself when a sale closes."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from commensal import Refused
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of
from commensal.parts.supply import change_closing_policy, closing_policy_of

from ..frame.desk import open_desk
from ..frame.render import show


def closing_page(visit: Visit, errors: Mistakes = NO_MISTAKES, status: int = 200) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "sales:write")
        policy = closing_policy_of(tx, desk.enterprise.id)
    return show(visit, desk, "closing", at="settings", status=status, policy=policy, mistakes=errors)


def save_closing(visit: Visit) -> Response:
    form = visit.form
    choices: Any = {name: form.get(name, "") for name in ("telling", "shortage")}
    ticks: Any = {name: name in form for name in ("final_mail", "reminder")}
    try:
        with visit.write() as tx:
            desk = open_desk(tx, visit, "sales:write")
            change_closing_policy(tx, desk.enterprise.id, **choices, **ticks)
    except Refused as error:
        return closing_page(visit, mistakes(visit, error, choices.__contains__), status_of(error))
    return visit.redirect(f"{desk.address}/settings?saved=closing")
