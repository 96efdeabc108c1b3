"""Changes the balance of gift cards: one guarded statement, and a movement that records the reason."""

from __future__ import annotations

from sqlalchemy import insert, update

from commensal import Conflict, Invalid, Money, Problem, Transaction

from .questions import voucher_by_id
from .tables import vouchers_movement, vouchers_voucher
from .voucher import LARGEST_VALUE, Voucher, voucher_from

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
