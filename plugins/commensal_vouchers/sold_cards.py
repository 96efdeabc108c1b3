"""Gift cards that customers buy: what they choose, what it adds to their order, and the card once the order is paid.

Buying a card that is good for several rates is not a sale (directive 2006/112/EC, art. 30b): the order takes its amount
outside VAT, in the phase of what is paid for later use, so that no reduction of the order pays it. The card exists
from the moment at which the order is paid. While nothing is spent of it, cancelling the order takes it back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, insert, or_, select, update

from commensal import (
    Adjustment,
    Conflict,
    DataSubject,
    Enterprise,
    Invalid,
    KeptRows,
    Money,
    NotFound,
    Order,
    OrderDraft,
    Phase,
    Problem,
    Transaction,
    hookimpl,
    order_by_id,
    read_email,
    read_text,
    refuse_links,
    translate,
)

from .codes import draw_purchase_code, is_purchase
from .settings import Settings
from .tables import vouchers_movement, vouchers_sale, vouchers_voucher

KIND = "gift_card_sold"  # of the adjustment of an order
LONGEST_MESSAGE = 500  # characters
_LEAST = 100  # minor units
_UNORDERED = timedelta(days=7)  # until a choice that nobody has ordered is forgotten
_sale = vouchers_sale.c


@dataclass(frozen=True, kw_only=True)
class CardSale:
    """A gift card that a customer buys; `amount` is in minor units of `currency`, moments are UTC.

    code:      with which an order buys it; not the code of the card
    giver:     who gives it, for the e-mail
    recipient: the e-mail address of whoever gets it; "": the customer themselves
    order_id:  the order that buys it; None: none does (any more)
    card_id:   the gift card; None until the order is paid
    ended_at:  when the card was taken back
    """

    id: str
    enterprise_id: str
    code: str
    currency: str
    amount: int
    language: str
    giver: str
    recipient: str
    message: str
    order_id: str | None
    card_id: str | None
    created_at: datetime
    issued_at: datetime | None
    ended_at: datetime | None


_COLUMNS = tuple(_sale[field.name] for field in fields(CardSale))


def choose_card(
    tx: Transaction,
    shop: Enterprise,
    settings: Settings,
    *,
    amount: int,
    giver: str,
    recipient: str,
    message: str,
    language: str,
) -> CardSale:
    """Notes the gift card that somebody wants to buy; nothing is owed before an order has its code.

    Raises `Invalid` with every mistake: an amount that the shop does not offer, an address that is none, a text that
    is too long or has a link, because strangers type it and others read it in e-mails.
    """
    problems: list[Problem] = []
    is_offered = amount in settings.offered(shop)
    if not is_offered and not (settings.own_amount and _LEAST <= amount <= settings.most):
        values = {"least": Money(_LEAST, shop.currency), "most": Money(settings.most, shop.currency)}
        problems.append(Problem("amount", "A gift card is between {least} and {most}.", "/amount", values))
    checked_giver = read_text(giver, "/giver", problems, most=100)
    refuse_links(checked_giver, "/giver", problems)
    checked_message = read_text(message, "/message", problems, most=LONGEST_MESSAGE, lines=True)
    refuse_links(checked_message, "/message", problems)
    email = read_email(recipient) if recipient.strip() else ""
    if isinstance(email, Problem):
        problems.append(Problem(email.code, email.text, "/recipient", email.values))
    if problems or isinstance(email, Problem):
        raise Invalid(problems)
    sale = CardSale(
        id=tx.new_id(),
        enterprise_id=shop.id,
        code=draw_purchase_code(tx),
        currency=shop.currency,
        amount=amount,
        language=language,
        giver=checked_giver,
        recipient=email,
        message=checked_message,
        order_id=None,
        card_id=None,
        created_at=tx.now,
        issued_at=None,
        ended_at=None,
    )
    tx.execute(insert(vouchers_sale).values({field.name: getattr(sale, field.name) for field in fields(sale)}))
    return sale


def card_adjustments(tx: Transaction, order: OrderDraft) -> list[Adjustment]:
    """Returns what the order pays for gift cards, with one statement if it has codes of such.

    Raises `Invalid` for the code of a card that another order buys, or that was taken back.
    """
    codes = [code for code in order.codes if is_purchase(code)]
    if not codes:
        return []
    conditions = (_sale.enterprise_id == order.enterprise_id, _sale.currency == order.currency, _sale.code.in_(codes))
    rows = {row["code"]: row for row in tx.all(select(*_COLUMNS).where(*conditions))}
    problems = [
        Problem("card_sold", "This gift card is bought already.", f"/codes/{order.codes.index(code)}")
        for code, row in rows.items()
        if row["order_id"] not in (None, order.id) or row["ended_at"] is not None
    ]
    if problems:
        raise Invalid(problems)
    label = translate(order.language, "Gift card bought")
    return [
        Adjustment(phase=Phase.PREPAID, kind=KIND, label=label, amount=rows[code]["amount"], code=code)
        for code in codes
        if code in rows
    ]


def bind_sales(tx: Transaction, order: OrderDraft, codes: Collection[str]) -> None:
    """Binds the gift cards of these codes to the order. Raises `Conflict` if another order buys one of them."""
    for code in sorted(codes):
        change = update(vouchers_sale).where(*_of_code(order, code), _sale.order_id.is_(None), _sale.ended_at.is_(None))
        if tx.execute(change.values(order_id=order.id)).rowcount != 1:
            raise Conflict("card_sold", "This gift card is bought already.")


def release_sales(tx: Transaction, order: OrderDraft, codes: Collection[str]) -> None:
    """Lets the order buy the gift cards of these codes no more. Raises `Conflict` for one of which something is spent.
    What the order itself has paid with the card must stand on it again."""
    for code in sorted(codes):
        _release(tx, order, code)


def _release(tx: Transaction, order: OrderDraft, code: str) -> None:
    """Lets go of a card that is not paid, and takes one back that is."""
    bound = (*_of_code(order, code), _sale.order_id == order.id)
    unpaid = update(vouchers_sale).where(*bound, _sale.card_id.is_(None))
    if tx.execute(unpaid.values(order_id=None)).rowcount == 1:
        return
    row = tx.first(
        update(vouchers_sale)
        .where(*bound, _sale.ended_at.is_(None))
        .values(ended_at=tx.now)
        .returning(_sale.card_id, _sale.amount)
    )
    if row is None:
        return
    card = vouchers_voucher.c
    unspent = update(vouchers_voucher).where(card.id == row["card_id"], card.balance >= row["amount"])
    values = {"balance": card.balance - row["amount"], "archived_at": tx.now, "version": card.version + 1}
    if tx.execute(unspent.values(values)).rowcount != 1:
        text = "Something is spent already of the gift card that was bought with this order: it cannot be taken back."
        raise Conflict("card_spent", text)
    movement = {"id": tx.new_id(), "voucher_id": row["card_id"], "order_id": None, "amount": -row["amount"]}
    note = translate(order.language, "Taken back with the order that bought it")
    tx.execute(insert(vouchers_movement).values(**movement, note=note, person_id=None, at=tx.now))


def _of_code(order: OrderDraft, code: str) -> tuple[ColumnElement[bool], ...]:
    return _sale.enterprise_id == order.enterprise_id, _sale.code == code


# ------------------------------------------------------------------------------------------------ questions


def card_sale_by_id(tx: Transaction, enterprise_id: str, sale_id: str) -> CardSale:
    """Returns a sale of the shop. Raises `NotFound`."""
    row = tx.first(select(*_COLUMNS).where(_sale.id == sale_id, _sale.enterprise_id == enterprise_id))
    if row is None:
        raise NotFound
    return CardSale(**row)


def card_sales_of_order(tx: Transaction, enterprise_id: str, order_id: str) -> Sequence[CardSale]:
    """Returns the gift cards that an order buys, in the order in which they were chosen."""
    conditions = (_sale.order_id == order_id, _sale.enterprise_id == enterprise_id)
    return [CardSale(**row) for row in tx.all(select(*_COLUMNS).where(*conditions).order_by(_sale.id))]


def is_paid_for(order: Order, sales: Iterable[CardSale]) -> bool:
    """Whether what was received for the order pays the gift cards that it buys: an entry of the journal may have been
    corrected since, or the money given back. Goods that were added later do not count."""
    return order.paid_total >= min(order.total, sum(sale.amount for sale in sales if sale.ended_at is None))


def are_cards_paid_for(tx: Transaction, enterprise_id: str, order_id: str) -> bool:
    """Whether the gift cards that an order of the shop buys are paid. Raises `NotFound`."""
    order = order_by_id(tx, order_id, enterprise_id=enterprise_id)
    return is_paid_for(order, card_sales_of_order(tx, enterprise_id, order_id))


def latest_card_sales(tx: Transaction, enterprise_id: str, *, limit: int) -> Sequence[CardSale]:
    """Returns the gift cards that orders have bought, the newest first."""
    conditions = (_sale.enterprise_id == enterprise_id, or_(_sale.order_id.is_not(None), _sale.card_id.is_not(None)))
    latest = select(*_COLUMNS).where(*conditions).order_by(_sale.created_at.desc(), _sale.id.desc()).limit(limit)
    return [CardSale(**row) for row in tx.all(latest)]


@hookimpl
def person_data(tx: Transaction, person: DataSubject) -> Sequence[KeptRows]:
    """The gift cards that others have sent to the address. Those that a person has bought hang on their orders."""
    columns = [_sale[name] for name in ("enterprise_id", "recipient", "giver", "message", "created_at", "issued_at")]
    rows = tx.all(select(*columns).where(_sale.recipient == person.email).order_by(_sale.id))
    return [KeptRows(name="gift_card", rows=[dict(row) for row in rows])] if rows else []


@hookimpl
def erase_person(tx: Transaction, person: DataSubject) -> None:
    """Forgets to whom gift cards were sent, and what was written to them; the cards stay good."""
    sent = update(vouchers_sale).where(_sale.recipient == person.email)
    tx.execute(sent.values(recipient="", giver="", message=""))


def forget_unordered(tx: Transaction) -> int:
    """Deletes what people chose and did not order. Returns how many."""
    old = (_sale.order_id.is_(None), _sale.card_id.is_(None), _sale.created_at < tx.now - _UNORDERED)
    return tx.execute(delete(vouchers_sale).where(*old)).rowcount
