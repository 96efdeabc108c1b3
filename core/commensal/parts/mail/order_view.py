"""An order as e-mails show it: the order itself, its shop, its sale, and how to pay it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, select

from ...base.errors import NotFound
from ...enterprises.tables import enterprise
from ...hooks.dispatcher import Hooks
from ...orders.guests import GuestTerms, guest_terms
from ...orders.questions import order_by_id
from ...orders.shipping import in_place, option_of_today
from ...orders.tables import customer_order
from ...orders.values import Order
from ...payments.begin import payment_under_way
from ...payments.payments import payments_of
from ...payments.values import Payment
from ...pricing.values import Adjustment
from ...sale_sessions.tables import coordination, sale_session
from ...storage.database import Transaction
from ..supply.answers import MissingGoods, missing_of_order


@dataclass(frozen=True, kw_only=True)
class OrderView:
    """begins_at and ends_at are those of the distribution; comes_at and goes_at those of the customer's slot in it.

    due:          minor units still to be paid; negative: owed to the customer
    payment_text: the instructions for the payer, if they are for the amount that is due
    payment_code: a PNG image with the same instructions as a QR code; empty if there is none
    pays_online:  whether the customer pays, or chooses how to pay, on the page of the order
    missing:      goods of the order of which a supplier brings fewer than were ordered
    terms:        how long the order of a guest stays unless they confirm or pay it; None: for good
    """

    order: Order
    shop: str
    shop_email: str
    shop_phone: str
    shop_language: str
    timezone: str
    sale: str
    sale_names: Mapping[str, str]
    sale_note: str
    sale_notes: Mapping[str, str]
    closes_at: datetime
    begins_at: datetime
    ends_at: datetime
    comes_at: datetime
    goes_at: datetime
    due: int
    payment_text: str
    payment_code: bytes
    pays_online: bool
    terms: GuestTerms | None
    missing: Sequence[MissingGoods]


_PNG = "data:image/png;base64,"
_session, _order = sale_session.c, customer_order.c
_SURROUNDINGS = (
    select(
        _order.enterprise_id,
        enterprise.c.name.label("shop"),
        enterprise.c.email.label("shop_email"),
        enterprise.c.phone.label("shop_phone"),
        enterprise.c.language.label("shop_language"),
        enterprise.c.timezone,
        coordination.c.name.label("sale"),
        _session.names.label("sale_names"),
        _session.note.label("sale_note"),
        _session.notes.label("sale_notes"),
        _session.closes_at,
        _session.begins_at,
        _session.ends_at,
    )
    .select_from(customer_order)
    .join(enterprise, enterprise.c.id == _order.enterprise_id)
    .join(sale_session, _session.id == _order.session_id)
    .join(coordination, coordination.c.id == _session.coordination_id)
    .where(_order.id == bindparam("order"), _order.state != "Draft")
)


def order_view(tx: Transaction, hooks: Hooks, order_id: str, *, with_missing: bool = False) -> OrderView:
    """The view of a placed order, read in a constant number of statements; what suppliers do not bring `with_missing`.

    Raises `NotFound`.
    """
    row = tx.first(_SURROUNDINGS, {"order": order_id})
    if row is None:
        raise NotFound("no_order", "There is no such order.")
    values = dict(row)
    enterprise_id = values.pop("enterprise_id")
    order = order_by_id(tx, order_id, enterprise_id=enterprise_id)
    option = option_of_today(tx, hooks, order)
    order = in_place(order, option)
    values["comes_at"] = option.begins_at if option is not None else values["begins_at"]
    values["goes_at"] = option.ends_at if option is not None else values["ends_at"]
    due = 0 if order.state == "Cancelled" else order.total - order.paid_total
    text, code, online = _payment_instructions(payments_of(tx, enterprise_id, order_id), due)
    terms = guest_terms(tx, order)
    return OrderView(
        order=order,
        due=due,
        payment_text=text,
        payment_code=code,
        pays_online=online,
        terms=terms,
        missing=missing_of_order(tx, order_id) if with_missing else (),
        **values,
    )


def _payment_instructions(payments: Sequence[Payment], due: int) -> tuple[str, bytes, bool]:
    """The instructions for the payer as text and as a picture, and whether they pay online. Instructions for another
    amount are ignored."""
    if due <= 0:
        return "", b"", False
    open_request = payment_under_way(payments)
    if open_request is not None and open_request.amount == due and open_request.instructions:
        instructions = open_request.instructions
        picture = _png(str(instructions.get("picture", "")))
        return str(instructions.get("text", "")), picture, bool(instructions.get("redirect"))
    if open_request is not None and open_request.amount == due:
        return "", b"", False  # the browser is just beginning it: how to pay is not known yet
    attempts = [payment for payment in payments if payment.kind == "payment"]
    failed_attempt = attempts[-1] if attempts and attempts[-1].state == "Failed" else None
    text = str((failed_attempt.instructions or {}).get("text", "")) if failed_attempt else ""
    return text, b"", True


def _png(uri: str) -> bytes:
    """The image of a data URI, if it is a PNG: programs that show e-mails do not show SVG."""
    return b64decode(uri.removeprefix(_PNG)) if uri.startswith(_PNG) else b""


# Groups adjustments for display: one line for a code with several VAT rates, and one for a fee on each line.
#
# Shows codes without giving them away.

_LONGEST_WORD = 12  # codes that people remember; longer ones are drawn, and worth money to whoever reads them


def as_told(adjustments: Iterable[Adjustment]) -> list[Adjustment]:
    """Returns the adjustments in their order, adding up those of one code and label, and those of one fee on each line.

    A sum has no VAT rate: the order's VAT shows the rates.
    """
    grouped: dict[tuple[object, ...], Adjustment] = {}
    for position, adjustment in enumerate(adjustments):
        stands_alone = not adjustment.code and adjustment.line_id is None
        key = (position,) if stands_alone else (adjustment.plugin, adjustment.code, adjustment.label, adjustment.payer)
        existing = grouped.get(key)
        grouped[key] = (
            adjustment
            if existing is None
            else replace(existing, amount=existing.amount + adjustment.amount, vat_rate=None, line_id=None)
        )
    return list(grouped.values())


def shown_code(code: str) -> str:
    """Returns a code as pages of orders and e-mails show it, which others may read: only the end of a long one, such as
    that of a gift card, which opens what is left on the card."""
    return code if len(code) <= _LONGEST_WORD else f"…{code[-4:]}"


def shown_codes(codes: Iterable[str]) -> str:
    """Returns codes in one line, each as `shown_code` does."""
    return ", ".join(map(shown_code, codes))
