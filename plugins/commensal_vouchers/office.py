"""Codes in the office: discounts and gift cards are made, looked at, and taken out of use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import get_args

from starlette.responses import Response

from commensal import (
    Conflict,
    Enterprise,
    Invalid,
    OfficePage,
    Problem,
    Screen,
    Stale,
    Transaction,
    hookimpl,
    read_amount,
    read_day,
    read_decimal,
    read_whole,
)
from commensal.pages import Visit, on_refusal

from .codes import VoucherKind, tail, worth
from .create import VoucherTerms, add_batch, add_voucher, archive_voucher
from .questions import latest_vouchers, vouchers_of
from .sold_page import post_send_again, sold_page

_KINDS: tuple[VoucherKind, ...] = get_args(VoucherKind)
_FIELDS = ("kind", "name", "code", "amount", "percent", "minimum", "valid_until", "count", "most_uses", "once")
_SHOWN = 200  # codes on the page
_ID = re.compile(r"[0-9a-f-]{36}", re.ASCII)


@hookimpl
def office_pages() -> Sequence[OfficePage]:
    return [
        OfficePage(
            path="money/codes",
            place="money",
            scope="payments:read",
            show=codes_page,
            send=post_codes,
            sends="payments:write",
        ),
        OfficePage(
            path="money/gift-cards",
            place="money",
            scope="payments:read",
            show=sold_page,
            send=post_send_again,
            sends="payments:write",
        ),
    ]


def codes_page(visit: Visit, shop: Enterprise) -> Screen:
    """Codes of gift cards are money: they stand whole only on the page of their batch."""
    batch_id = visit.query.get("batch", "")
    with visit.read() as tx:
        vouchers = latest_vouchers(tx, shop.id, limit=_SHOWN)
        made = vouchers_of(tx, shop.id, batch_id=batch_id, limit=_SHOWN) if batch_id else ()
        key = tx.new_id()
    context = {
        "vouchers": vouchers,
        "made": made,
        "typed": _typed(visit) if visit.form else {**dict.fromkeys(_FIELDS, ""), "kind": "amount", "count": "1"},
        "worth": lambda voucher: worth(voucher, visit.language),
        "tail": tail,
        "key": key,
        "batch_id": batch_id,
        "here": f"/office/{shop.id}/money/codes",
        "done": visit.query.get("done", ""),
    }
    return Screen(template="vouchers/codes.html", context=context)


def _typed(visit: Visit) -> dict[str, str]:
    return {name: visit.form.get(name, "").strip() for name in _FIELDS}


@on_refusal(codes_page, _FIELDS)
def post_codes(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Makes codes, once however often the button is pressed, or takes one out of use."""
    here = f"/office/{shop.id}/money/codes"
    with visit.write() as tx:
        if visit.query.get("then") == "remove":
            archive_voucher(tx, shop.id, visit.form.get("voucher", ""), visit.form_version)
            return visit.redirect(f"{here}?done=removed")
        address = _make(tx, visit, shop, _typed(visit))
    return visit.redirect(f"{here}{address}")


def _make(tx: Transaction, visit: Visit, shop: Enterprise, typed: dict[str, str]) -> str:
    """Makes the codes; returns the query of the page that shows them. Raises `Conflict` if the form was sent before."""
    terms, count = _read(shop, typed)
    key = visit.form.get("key", "")
    if not _ID.fullmatch(key):
        raise Stale
    person_id = visit.actor.person_id
    if typed["code"]:
        if count != 1:
            raise Invalid([Problem("count", "A code of your own choice is one code.", "/count")])
        add_voucher(tx, shop.id, terms, code=typed["code"], person_id=person_id)
        return "?done=made"
    try:
        first, *_ = add_batch(tx, shop.id, terms, count, person_id=person_id, id=key)
    except Conflict as error:
        text = "These codes were made already: they stand in the list."
        raise Conflict("made_already", text) from error
    return f"?done=made&batch={first.batch_id}"


def _read(shop: Enterprise, typed: dict[str, str]) -> tuple[VoucherTerms, int]:
    """The terms and the number of codes. Raises `Invalid` with every mistake, each at its field."""
    problems: list[Problem] = []
    kind = next((kind for kind in _KINDS if kind == typed["kind"]), None)
    if kind is None:
        raise Invalid([Problem("kind", "Choose what it is.", "/kind")])
    terms = VoucherTerms(
        kind=kind,
        name=typed["name"],
        amount=None if kind == "percent" else _amount(typed["amount"], shop, "amount", problems),
        percent=_percent(typed["percent"], problems) if kind == "percent" else None,
        minimum=_amount(typed["minimum"], shop, "minimum", problems) or 0,
        valid_until=_after_day(typed["valid_until"], shop, problems),
        most_uses=_number(typed["most_uses"], "most_uses", problems),
        once=bool(typed["once"]),
    )
    count = _number(typed["count"], "count", problems)
    if problems:
        raise Invalid(problems)
    return terms, 1 if count is None else count


def _amount(text: str, shop: Enterprise, name: str, problems: list[Problem]) -> int | None:
    if not text:
        return None
    amount = read_amount(text, shop.currency)
    if isinstance(amount, Problem):
        problems.append(Problem(amount.code, amount.text, f"/{name}", amount.values))
        return None
    return amount


def _percent(text: str, problems: list[Problem]) -> Decimal | None:
    try:
        return read_decimal(text.replace(",", ".").removesuffix("%").strip())
    except InvalidOperation:
        problems.append(Problem("percent", "The percentage is above 0, and at most 100.", "/percent"))
        return None


def _number(text: str, name: str, problems: list[Problem]) -> int | None:
    if not text:
        return None
    number = read_whole(text, 7)
    if number is None:
        problems.append(Problem("not_a_number", "Give a whole number.", f"/{name}"))
    return number


def _after_day(text: str, shop: Enterprise, problems: list[Problem]) -> datetime | None:
    """The end of the last day on which a code is valid, in the shop's time zone."""
    if not text:
        return None
    try:
        next_day = read_day(text) + timedelta(days=1)
    except ValueError:
        problems.append(Problem("day", "Give a day, like 2026-06-30.", "/valid_until"))
        return None
    return datetime.combine(next_day, time(), shop.zone)
