"""Warns the operator of codes that are for customer groups which were deleted since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Text, cast, or_, select

from commensal import Instance, Problem, Row, RowQuery, Transaction, enterprise_by_id, hookimpl, list_categories

from .codes import is_card, tail
from .tables import vouchers_voucher


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
