"""What is not offered any more is taken off sale here, and kept: orders refer to it, and it may come back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import select, update

from commensal import Transaction, forget_copies, products_by_id

from .tables import federation_linked_product

_row = federation_linked_product.c
_AT_ONCE = 500


def take_off(tx: Transaction, link_id: str, iris: Sequence[str]) -> int:
    """These products are not listed there any more. Returns how many were until now."""
    count = 0
    for first in range(0, len(iris), _AT_ONCE):
        mine = (_row.link_id == link_id, _row.gone_at.is_(None), _row.iri.in_(iris[first : first + _AT_ONCE]))
        gone = update(federation_linked_product).where(*mine).values(gone_at=tx.now, changed_at=tx.now)
        rows = tx.all(gone.returning(_row.product_id))
        _forget_unlisted(tx, {row["product_id"] for row in rows})
        count += len(rows)
    return count


def take_off_all(tx: Transaction, link_id: str) -> int:
    """All of a link."""
    there = select(_row.iri).where(_row.link_id == link_id, _row.gone_at.is_(None)).order_by(_row.iri)
    return take_off(tx, link_id, [row["iri"] for row in tx.all(there)])


def _forget_unlisted(tx: Transaction, product_ids: Collection[str]) -> None:
    """Copies that no other link lists are archived."""
    listed = select(_row.product_id).where(_row.product_id.in_(sorted(product_ids)), _row.gone_at.is_(None))
    there = {row["product_id"] for row in tx.all(listed)}
    by_producer: dict[str, list[str]] = defaultdict(list)
    for product in products_by_id(tx, sorted(set(product_ids) - there)).values():
        by_producer[product.enterprise_id].append(product.id)
    for producer_id, gone in by_producer.items():
        forget_copies(tx, producer_id, gone)
