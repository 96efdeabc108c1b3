"""Compares what vouchers and gift cards count with what has used them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Select, Text, cast, func, or_, select

from commensal import (
    Instance,
    Problem,
    Refused,
    Row,
    RowQuery,
    Transaction,
    enterprise_by_id,
    hookimpl,
    list_categories,
)

from .codes import is_card, tail
from .tables import vouchers_movement, vouchers_sale, vouchers_use, vouchers_voucher

_voucher = vouchers_voucher.c


@hookimpl
def invariants(tx: Transaction) -> Sequence[Problem]:
    """A problem for each gift card that is not the sum of its movements, and for each voucher that counts other uses
    than it has. Codes are secret, so both are named by their ids."""
    movement, use = vouchers_movement.c, vouchers_use.c
    moved = select(func.coalesce(func.sum(movement.amount), 0)).where(movement.voucher_id == _voucher.id)
    uses = select(func.count()).where(use.voucher_id == _voucher.id)
    text = "Gift card {id} is at {counted}, but it moved {journal}."
    cards = [_problem(row, text) for row in _mismatches(tx, _voucher.balance, moved)]
    text = "Voucher {id} counts {counted} uses, but it has {journal}."
    return [*cards, *(_problem(row, text) for row in _mismatches(tx, _voucher.used, uses))]


def _mismatches(tx: Transaction, counted: ColumnElement[int], journal: Select[int]) -> Sequence[Row]:
    of_journal = journal.scalar_subquery()
    columns = (_voucher.enterprise_id, _voucher.id, counted.label("counted"), of_journal.label("journal"))
    return tx.all(select(*columns).where(counted != of_journal))


def _problem(row: Row, text: str) -> Problem:
    return Problem("voucher", text, row["enterprise_id"], {name: row[name] for name in ("id", "counted", "journal")})


# Keeps the plugin on while customers would lose something: money on gift cards, or a card that they have ordered.

_card, _sale = vouchers_voucher.c, vouchers_sale.c


@hookimpl
def switched_off(tx: Transaction, enterprise_id: str) -> None:
    """Raises `Refused` for cards in use with money on them, and for cards of orders that are not paid yet."""
    in_use = (_card.enterprise_id == enterprise_id, _card.balance > 0, _card.archived_at.is_(None))
    ordered = (_sale.enterprise_id == enterprise_id, _sale.order_id.is_not(None), _sale.card_id.is_(None))
    number = int(tx.value(select(func.count()).where(*in_use))) + int(tx.value(select(func.count()).where(*ordered)))
    if number:
        text = "Gift cards that people have or have ordered: {number}. Settle them first: what is on them is theirs."
        raise Refused("cards_open", text, number=number)


# Warns the operator of codes that are for customer groups which were deleted since.


@hookimpl
def warnings(instance: Instance) -> Sequence[Problem]:
    with instance.store.read() as tx:
        return list(_lost_groups(tx))


def _lost_groups(tx: Transaction) -> Iterator[Problem]:
    """Yields a problem for each shop with codes in use that name a deleted group; of a gift card it shows the end."""
    rows_by_shop: dict[str, list[Row]] = {}
    for row in tx.all(_limited_codes(tx)):
        rows_by_shop.setdefault(row["enterprise_id"], []).append(row)
    for shop_id, rows in rows_by_shop.items():
        category_ids = {category.id for category in list_categories(tx, shop_id)}
        codes = [row["code"] for row in rows if not category_ids.issuperset(row["category_ids"])]
        if codes:
            text = (
                "{enterprise}: {count} codes, like {code}, are for a customer group that was deleted; give them "
                "another group or archive them."
            )
            code = tail(codes[0]) if is_card(codes[0]) else codes[0]
            values = {"enterprise": enterprise_by_id(tx, shop_id).slug, "count": len(codes), "code": code}
            yield Problem("lost_group", text, shop_id, values)


def _limited_codes(tx: Transaction) -> RowQuery:
    """Selects the codes in use that only some customers may use."""
    voucher = vouchers_voucher.c
    in_use = or_(voucher.valid_until.is_(None), voucher.valid_until > tx.now)
    query = select(voucher.enterprise_id, voucher.code, voucher.category_ids)
    conditions = (voucher.archived_at.is_(None), in_use, cast(voucher.category_ids, Text) != "[]")
    return query.where(*conditions).order_by(voucher.enterprise_id, voucher.code)
