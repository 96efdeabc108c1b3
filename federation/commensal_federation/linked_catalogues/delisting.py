"""Takes products off sale that a platform lists no more. They are kept, since orders refer to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import select, update

from commensal import Transaction
from commensal.parts.copies import forget_copies
from commensal.products import products_by_id

from .tables import federation_linked_product

_row = federation_linked_product.c
_AT_ONCE = 500


def delist(tx: Transaction, link_id: str, iris: Sequence[str]) -> int:
    """Takes products of a link off sale. Returns how many were on sale."""
    count = 0
    for first in range(0, len(iris), _AT_ONCE):
        conditions = (_row.link_id == link_id, _row.gone_at.is_(None), _row.iri.in_(iris[first : first + _AT_ONCE]))
        change = update(federation_linked_product).where(*conditions).values(gone_at=tx.now, changed_at=tx.now)
        rows = tx.all(change.returning(_row.product_id))
        _forget_unlisted(tx, {row["product_id"] for row in rows})
        count += len(rows)
    return count


def delist_all(tx: Transaction, link_id: str) -> int:
    """Takes all products of a link off sale. Returns how many were on sale."""
    query = select(_row.iri).where(_row.link_id == link_id, _row.gone_at.is_(None)).order_by(_row.iri)
    return delist(tx, link_id, [row["iri"] for row in tx.all(query)])


def _forget_unlisted(tx: Transaction, product_ids: Collection[str]) -> None:
    """Archives the copies that no other link lists."""
    query = select(_row.product_id).where(_row.product_id.in_(sorted(product_ids)), _row.gone_at.is_(None))
    still_listed = {row["product_id"] for row in tx.all(query)}
    by_producer: dict[str, list[str]] = defaultdict(list)
    for product in products_by_id(tx, sorted(set(product_ids) - still_listed)).values():
        by_producer[product.enterprise_id].append(product.id)
    for producer_id, ids in by_producer.items():
        forget_copies(tx, producer_id, ids)
