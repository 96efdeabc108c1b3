"""Settings of an enterprise: its rules, its legal texts, and the plugins that it uses, each with a page of its own."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.responses import Response

from commensal import LANGUAGES, Invalid, NotFound, Problem, read_amount, read_whole
from commensal.enterprises import (
    GuestPolicy,
    LegalKind,
    change_guest_policy,
    guest_policy_of,
    legal_text_of,
    legal_texts_of,
    publish_legal_text,
)
from commensal.pages import Visit, on_refusal, page_parts
from commensal.parts.supply import change_closing_policy, closing_policy_of

from ..frame.desk import open_desk
from ..frame.render import amount_in_field, paragraphs_of, plain_of, show
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


# Settings of a hub: what happens by itself when a sale closes.


def closing_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "sales:write")
        policy = closing_policy_of(tx, desk.enterprise.id)
    return show(visit, desk, "closing", at="settings", policy=policy)


@on_refusal(closing_page)
def save_closing(visit: Visit) -> Response:
    form = visit.form
    choices: Any = {name: form.get(name, "") for name in ("telling", "shortage")}
    ticks: Any = {name: name in form for name in ("final_mail", "reminder")}
    with visit.write() as tx:
        desk = open_desk(tx, visit, "sales:write")
        change_closing_policy(tx, desk.enterprise.id, **choices, **ticks)
    return visit.redirect(f"{desk.address}/settings?saved=closing")


# Settings of the hub: who may order as a guest.

_NUMBERS = ("orders_of_mailbox", "orders_of_network", "confirm_minutes", "unpaid_hours")


def rules_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "sales:write")
        policy = guest_policy_of(tx, desk.enterprise.id)
    shown = _typed_rules(visit) if visit.form else _as_text(policy, desk.enterprise.currency, visit.language)
    return show(visit, desk, "rules", at="settings", typed=shown, saved="saved" in visit.query)


def _as_text(policy: GuestPolicy, currency: str, language: str) -> dict[str, str]:
    largest = policy.largest_unpaid
    amount = "" if largest is None else amount_in_field(largest, currency, language)
    return {name: str(value) for name, value in asdict(policy).items()} | {"largest_unpaid": amount}


def _typed_rules(visit: Visit) -> dict[str, str]:
    return {name: visit.form.get(name, "").strip() for name in ("guests", "largest_unpaid", *_NUMBERS)}


@on_refusal(rules_page)
def post_rules(visit: Visit) -> Response:
    """Saves the rules for guests; every mistake stands at its field."""
    with visit.write() as tx:
        desk = open_desk(tx, visit, "sales:write")
        change_guest_policy(tx, desk.enterprise.id, **_read(_typed_rules(visit), desk.enterprise.currency))
    return visit.redirect(f"{desk.address}/rules?saved=1")


def _read(typed: dict[str, str], currency: str) -> dict[str, Any]:
    """The rules of the form. Raises `Invalid` with every field that is not a number."""
    values: dict[str, object] = {"guests": typed["guests"], "largest_unpaid": None}
    problems = []
    for name in _NUMBERS:
        values[name] = read_whole(typed[name])
        if values[name] is None:
            problems.append(Problem("not_a_number", "Give a whole number.", f"/{name}"))
    if typed["largest_unpaid"]:
        amount = read_amount(typed["largest_unpaid"], currency)
        if isinstance(amount, Problem):
            problems.append(Problem(amount.code, amount.text, "/largest_unpaid", amount.values))
        else:
            values["largest_unpaid"] = amount
    if problems:
        raise Invalid(problems)
    return values


# Legal texts of a hub: its notice, terms of sale and privacy, each in versions that orders refer to.

KINDS: tuple[LegalKind, ...] = ("notice", "terms", "privacy")


def texts_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "enterprise:write")
        texts = legal_texts_of(tx, desk.enterprise.id)
    return show(visit, desk, "texts", at="settings", kinds=KINDS, texts=texts, done=visit.query.get("done", ""))


def text_page(visit: Visit) -> Response:
    kind = _read_kind(visit)
    with visit.read() as tx:
        desk = open_desk(tx, visit, "enterprise:write")
        current = legal_text_of(tx, kind, desk.enterprise.id)
    codes = sorted(LANGUAGES, key=lambda language: language != desk.enterprise.language)  # its own first
    stored = {language: plain_of(current.texts.get(language, "")) for language in codes}
    return show(
        visit,
        desk,
        "text",
        at="settings",
        kind=kind,
        current=current,
        codes=codes,
        typed=_typed_legal_text(visit) if visit.form else stored,
        version=visit.form.get("version", "") or str(current.version),
    )


def _read_kind(visit: Visit) -> LegalKind:
    """The kind of text in the path. Raises `NotFound`."""
    kind = next((name for name in KINDS if name == visit.path["kind"]), None)
    if kind is None:
        raise NotFound
    return kind


def _typed_legal_text(visit: Visit) -> dict[str, str]:
    return {language: visit.form.get(f"texts/{language}", "").replace("\r", "") for language in LANGUAGES}


@on_refusal(text_page)
def post_text(visit: Visit) -> Response:
    """Publishes the next version; orders that were placed keep the one that their customers accepted."""
    kind, version = _read_kind(visit), read_whole(visit.form.get("version", ""))
    known_version = -1 if version is None else version
    with visit.write() as tx:
        desk = open_desk(tx, visit, "enterprise:write")
        html = {language: paragraphs_of(text) for language, text in _typed_legal_text(visit).items()}
        publish_legal_text(tx, kind, known_version, html, enterprise_id=desk.enterprise.id)
    return visit.redirect(f"{desk.address}/settings/texts?done={kind}")
