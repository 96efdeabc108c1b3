"""Creates the gift cards that an order has bought when it is paid, and mails them; and forgets what nobody ordered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import insert, update

from commensal import (
    Conflict,
    Event,
    Instance,
    Invalid,
    Money,
    Order,
    Periodic,
    Problem,
    Recipient,
    Transaction,
    Work,
    enterprise_by_id,
    format_day,
    format_money,
    hookimpl,
    mail_customer,
    mail_people,
    order_by_id,
)

from .codes import LARGEST_VALUE, Voucher, voucher_from
from .create import VoucherTerms, add_voucher
from .questions import voucher_by_id
from .settings import Settings
from .sold_cards import KIND, CardSale, card_sales_of_order, forget_unordered
from .tables import vouchers_movement, vouchers_sale, vouchers_voucher

_sale = vouchers_sale.c
_BOUGHT = "vouchers_card_bought"  # the e-mail to the customer


@hookimpl
def mail_kinds() -> Mapping[str, str]:
    return {_BOUGHT: "gift card"}


@hookimpl
def order_paid(instance: Instance, order: Order, settings: Settings) -> None:
    _issue(instance, order, settings)


@hookimpl
def order_changed(instance: Instance, event: Event, order: Order, settings: Settings) -> None:
    """An order that costs less than before may be paid by that alone."""
    _issue(instance, order, settings)


@hookimpl
def jobs() -> Work:
    return Work({}, (Periodic("vouchers.unordered", timedelta(days=1), forget_unordered, irreversible=True),))


def _issue(instance: Instance, order: Order, settings: Settings) -> None:
    if any(adjustment.kind == KIND for adjustment in order.adjustments):
        instance.store.transact(lambda tx: issue_cards(tx, order.enterprise_id, order.id, settings))


def issue_cards(tx: Transaction, enterprise_id: str, order_id: str, settings: Settings) -> Sequence[Voucher]:
    """Creates the cards that a paid order has bought, each once, and enqueues their e-mails. Returns the new ones."""
    order = order_by_id(tx, order_id, enterprise_id=enterprise_id)
    if not is_due(order):
        return []
    sales = [sale for sale in card_sales_of_order(tx, enterprise_id, order_id) if sale.card_id is None]
    return [_issue_card(tx, order, sale, settings) for sale in sales]


def is_due(order: Order) -> bool:
    """Whether the gift cards that an order has bought are to be created: it is paid, and was not cancelled."""
    return order.payment_state == "Paid" and order.state != "Cancelled"


def _issue_card(tx: Transaction, order: Order, sale: CardSale, settings: Settings) -> Voucher:
    """Creates the card and binds it to its sale. Raises `Conflict` if the order lets go of it in the same moment."""
    terms = VoucherTerms(
        kind="card", name=f"№ {order.number}", amount=sale.amount, valid_until=_valid_until(tx, order, settings)
    )
    card = add_voucher(tx, order.enterprise_id, terms)
    bound = (_sale.id == sale.id, _sale.order_id == order.id, _sale.card_id.is_(None), _sale.ended_at.is_(None))
    change = update(vouchers_sale).where(*bound).values(card_id=card.id, issued_at=tx.now)
    if tx.execute(change).rowcount != 1:
        raise Conflict("card_let_go", "The gift card was taken out of the order meanwhile.")  # the job comes again
    mail_card(tx, order, sale, card, key=sale.id)
    return card


def _valid_until(tx: Transaction, order: Order, settings: Settings) -> datetime | None:
    """The end of the same day of the month, that many months later, in the shop's time zone."""
    if not settings.months:
        return None
    today = tx.now.astimezone(enterprise_by_id(tx, order.enterprise_id).zone)
    years, month = divmod(today.month - 1 + settings.months, 12)
    first = today.replace(year=today.year + years, month=month + 1, day=1, hour=0, minute=0, second=0, microsecond=0)
    return first + timedelta(days=today.day)


def mail_card(tx: Transaction, order: Order, sale: CardSale, card: Voucher, *, key: str) -> None:
    """Enqueues the e-mail with the card to whoever gets it, and to the customer, who may hand it over themselves.

    `key` distinguishes another e-mail about the same card. The mailbox of a recipient, whose address the customer has
    typed, gets no more such e-mails than the instance's limit.
    """
    shop = enterprise_by_id(tx, order.enterprise_id)

    def values(language: str) -> dict[str, object]:
        last = card.valid_until - timedelta(seconds=1) if card.valid_until else None
        return {
            "code": card.code,
            "amount": format_money(sale.amount, sale.currency, language),
            "shop": shop.name,
            "until": format_day(last, shop.timezone, language) if last else "",
            "giver": sale.giver,
            "message": sale.message,
            "recipient": sale.recipient,
            "path": f"hubs/{shop.slug}",
        }

    mail_customer(tx, order, _BOUGHT, values(order.language), key=key)
    if sale.recipient:
        to = Recipient(email=sale.recipient, name="", language=sale.language)
        mail_people(tx, "vouchers_gift_card", [(to, values(sale.language))], typed=True)


def card_of(tx: Transaction, sale: CardSale) -> Voucher | None:
    """Returns the card of a sale; None while it is not paid."""
    return None if sale.card_id is None else voucher_by_id(tx, sale.enterprise_id, sale.card_id)


# Changes the balance of gift cards: one guarded statement, and a movement that records the reason.

_card = vouchers_voucher.c


def move_balance(
    tx: Transaction, enterprise_id: str, card_id: str, amount: int, *, note: str = "", person_id: str | None
) -> Voucher:
    """Adds `amount` minor units to a card for the shop; a negative amount is subtracted.

    Raises `NotFound`; `Invalid` for a voucher that is not a card; `Conflict` if the balance would become negative or
    too large.
    """
    card = voucher_by_id(tx, enterprise_id, card_id)
    if card.balance is None:
        raise Invalid([Problem("no_card", "Only a gift card has a balance.")])
    if not 0 < abs(amount) <= LARGEST_VALUE:
        most = {"most": Money(LARGEST_VALUE, card.currency)}
        raise Invalid([Problem("amount", "The amount is above nothing, and at most {most}.", "/amount", most)])
    change = update(vouchers_voucher).where(
        _card.id == card_id, _card.balance + amount >= 0, _card.balance + amount <= LARGEST_VALUE
    )
    row = tx.first(change.values(balance=_card.balance + amount).returning(*_card))
    if row is None:
        raise Conflict("balance", "There are {balance} on this card.", balance=Money(card.balance, card.currency))
    values = {"id": tx.new_id(), "voucher_id": card_id, "order_id": None, "amount": amount}
    tx.execute(insert(vouchers_movement).values(**values, note=note, person_id=person_id, at=tx.now))
    return voucher_from(row)


def spend(tx: Transaction, enterprise_id: str, order_id: str, code: str, amount: int) -> None:
    """Pays `amount` minor units more of the order with the card; a negative amount goes back onto it.

    Raises `Conflict` if the balance was spent since the order was priced.
    """
    change = update(vouchers_voucher).where(
        _card.enterprise_id == enterprise_id, _card.code == code, _card.balance >= amount
    )
    card_id = tx.value(change.values(balance=_card.balance - amount).returning(_card.id))
    if card_id is None:
        text = "The gift card {voucher} was used meanwhile; please look at the total again."
        raise Conflict("card_spent", text, voucher=code)
    values = {"id": tx.new_id(), "voucher_id": card_id, "order_id": order_id, "amount": -amount}
    tx.execute(insert(vouchers_movement).values(**values, note="", person_id=None, at=tx.now))
