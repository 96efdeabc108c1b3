"""Signs the items that are sent to a hub, and divides them into messages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import bindparam, select, update

from commensal import Enterprise, Transaction, insert_rows
from commensal.catalogs import Listed

from ..dfc.iris import enterprise_iri
from ..messages.catalogue import Grant, OfferedItem
from ..messages.offer_statement import read_statement
from ..provenance.signers import keep_statements, statements_by_name
from ..provenance.verification import Offering
from ..runtime import Federation
from .tables import federation_told_price

PART_SIZE = 700_000  # bytes of the items of one message, before it is signed
_price = federation_told_price.c
ITEM_SIZE = 3_000  # bytes of an item, besides its description and its statements


def sign_items(
    federation: Federation,
    tx: Transaction,
    grant: Grant,
    enterprise: Enterprise,
    offered: Sequence[tuple[Listed, OfferedItem]],
    changed: Collection[str],
) -> list[OfferedItem]:
    """Returns the items with their signed statements, and records price and statement of those that have `changed`.

    An item that is sent again under its revision has the statement with which it was sent first.
    """
    if not offered:
        return []
    sent = _sent_statements(tx, grant, [(entry.item_id, item.rev) for entry, item in offered])
    offering = Offering.begin(
        federation,
        tx,
        label=grant.id,
        sold_to=grant.other_iri,
        seller_name=enterprise.name,
        seller=enterprise_iri(federation.base, enterprise.id),
        includes_vat=enterprise.prices_include_vat,
    )
    new = {entry.item_id: offering.sign(item) for entry, item in offered if (entry.item_id, item.rev) not in sent}
    keep_statements(tx, new.values())
    revisions = {entry.item_id: (entry.price, item.rev) for entry, item in offered if entry.item_id in new}
    prices = [
        {"grant_id": grant.id, "item_id": id, "rev": rev, "price": price, "statement": new[id].name, "at": tx.now}
        for id, (price, rev) in revisions.items()
    ]
    insert_rows(tx, federation_told_price, [row for row in prices if row["item_id"] in changed])
    _restate(tx, [row for row in prices if row["item_id"] not in changed])
    return [
        replace(item, statement=new[entry.item_id].signed if entry.item_id in new else sent[entry.item_id, item.rev])
        for entry, item in offered
    ]


def _restate(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    """Records the statements of revisions that were sent without one, or to the address where the hub lived before."""
    key = {name: _price[name] == bindparam(f"of_{name}") for name in ("grant_id", "item_id", "rev")}
    values = [{"statement": row["statement"], **{f"of_{name}": row[name] for name in key}} for row in rows]
    if values:
        tx.execute(update(federation_told_price).where(*key.values()), values)


def _sent_statements(tx: Transaction, grant: Grant, revisions: Sequence[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """Returns the statements that were sent to this hub with these revisions of items, as they were signed."""
    query = select(_price.item_id, _price.rev, _price.statement).where(
        _price.grant_id == grant.id,
        _price.item_id.in_(sorted({id for id, _ in revisions})),
        _price.rev.in_(sorted({rev for _, rev in revisions})),
    )
    names = {(row["item_id"], row["rev"]): row["statement"] for row in tx.all(query)}
    statements = statements_by_name(tx, {names[key] for key in revisions if key in names})
    texts = {key: statements[names[key]]["text"] for key in revisions if names.get(key) in statements}
    return {key: text for key, text in texts.items() if read_statement(text)[0].sold_to == grant.other_iri}


def parts_of(items: Sequence[OfferedItem]) -> Iterator[list[OfferedItem]]:
    """Yields the items in parts that fit into one message each."""
    part: list[OfferedItem] = []
    size = 0
    for item in items:
        length = ITEM_SIZE + sum(len(text.encode()) for text in (item.product.description, item.statement, item.origin))
        if part and size + length > PART_SIZE:
            yield part
            part, size = [], 0
        part.append(item)
        size += length
    if part:
        yield part
