"""Goods of a document become copies here; only changed ones are written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from sqlalchemy import bindparam, select, update

from commensal import (
    LARGEST,
    PRODUCT_TYPES,
    Enterprise,
    Problem,
    Row,
    Transaction,
    enterprise_by_id,
    insert_rows,
    labelled,
    list_categories,
    say,
)
from commensal.enterprises import CustomerCategory
from commensal.parts.copies import LotCopy, ProductCopy, count_copies, keep_lots, keep_products
from commensal.products import products_by_id

from ..catalogue.followed_prices import PriceSource, ToldPrice, follow_prices
from ..dfc.described import description_in, known_terms
from ..dfc.facts import in_language
from ..dfc.findings import DocumentFindings
from ..dfc.iris import local_id
from ..dfc.offered_products import OfferedProduct, OfferedProducts
from ..dfc.read import DfcDocument
from ..dfc.vat import PriceBasis
from ..dfc.vocabulary import DfcCategory
from ..runtime import Federation
from .delisting import delist
from .links import Producers
from .pictures import enqueue_pictures
from .tables import federation_link, federation_linked_product
from .values import Link, Refreshed, host_of

_row = federation_linked_product.c
_AT_ONCE = 500  # values in one query
_LONGEST_IRI = 1_000
_MOST_PIECES = 10**9


def sellable_goods(
    link: Link, hub: Enterprise, document: DfcDocument, findings: DocumentFindings
) -> dict[str, OfferedProduct]:
    """The products of a document that a hub can sell, by IRI, at prices with VAT or without as its own are; others are
    noted in `findings`. Of a large document that takes long, so it should not happen in a transaction."""
    basis = PriceBasis(with_vat=hub.prices_include_vat, unsaid=link.prices_include_vat, rate=link.default_vat)
    return {
        good.product.iri: good
        for good in OfferedProducts(document, hub.currency, findings, basis)
        if _is_sellable(link, good, findings)
    }


def store_document(
    federation: Federation,
    tx: Transaction,
    link: Link,
    document: DfcDocument,
    goods: Mapping[str, OfferedProduct],
    findings: DocumentFindings,
) -> Refreshed:
    """Updates the copies of a link's goods from a document, and takes goods off sale that it does not contain any more.

    Goods that are left out are noted in `findings`.
    """
    hub = enterprise_by_id(tx, link.enterprise_id)
    categories = _Categories(tx, federation.base, hub.id, document, findings)
    existing = {row["iri"]: row for row in tx.all(select(federation_linked_product).where(_row.link_id == link.id))}
    category_prices = {iri: categories.prices(good) for iri, good in goods.items()}
    digests = {iri: _digest(link, good, category_prices[iri]) for iri, good in goods.items()}
    listed = {iri for iri, row in existing.items() if row["gone_at"] is None}
    fresh = {iri: good for iri, good in goods.items() if iri not in listed or existing[iri]["digest"] != digests[iri]}
    copies = _Copies(tx, link, Producers(tx, link, hub, document), findings, hub.language)
    stored = copies.store(fresh)
    _write(tx, link, [_as_row(tx, good, copies, digests[good.product.iri]) for good in stored], existing)
    enqueue_pictures(
        tx, {copies.products[good.product.iri]: good.product.images[0] for good in stored if good.product.images}
    )
    _update_stock(tx, link, goods, existing, fresh)
    _recount_lots(tx, link)
    ids = {good.product.iri: copies.products[good.product.iri] for good in stored}
    told_prices = {
        ids[iri]: ToldPrice(iri=iri, price=good.buying_price.amount, category_prices=category_prices[iri])
        for iri, good in goods.items()
        if iri in ids and good.buying_price
    }
    source = PriceSource(
        id=link.id,
        hub_id=hub.id,
        iri=link.url,
        name=link.name,
        peer_id="",
        currency=hub.currency,
        catalog_id=link.catalog_id,
        margin=link.margin,
        chosen=link.refreshed_at is None or link.changed_at > link.refreshed_at,
    )
    follow_prices(federation, tx, source, told_prices)
    gone = delist(tx, link.id, sorted(listed - goods.keys()))
    new = sum(good.product.iri not in existing for good in stored)
    return Refreshed(new=new, changed=len(stored) - new, gone=gone, unchanged=len(goods) - len(fresh))


def _is_sellable(link: Link, good: OfferedProduct, findings: DocumentFindings) -> bool:
    """Whether a product can be sold here; problems are noted. A platform may offer things of its own host only."""
    product = good.product
    iris = (product.iri, good.item.iri if good.item else "", good.offer.iri if good.offer else "")
    if product.iri.startswith("_:") or len(product.iri) > _LONGEST_IRI:
        findings.wrong("no_name", "A product without an address of its own cannot be followed.", product.iri)
    elif any("://" in iri and host_of(iri) != host_of(link.url) for iri in iris):
        findings.wrong("foreign", "Only its own host may offer this product, so it is left out.", product.iri)
    elif good.buying_price is None:
        findings.wrong("no_price", "A product without a price for everybody is left out.", product.iri)
    elif not 0 <= good.buying_price.amount <= LARGEST:
        findings.wrong("price", "A product with an impossible price is left out.", product.iri)
    elif product.product_type not in PRODUCT_TYPES and not link.default_type:
        text = "A product of no known type is left out: name a category for those that name none."
        findings.wrong("no_type", text, product.iri)
    elif good.vat_rate is None and link.default_vat is None:
        text = "A product without a rate of VAT is left out: name a rate for those that name none."
        findings.wrong("no_vat", text, product.iri)
    else:
        return True
    return False


class _Copies:
    """Copies of a link's goods. `products` and `lots` map IRIs of products to ids here; `language` is the hub's."""

    def __init__(
        self, tx: Transaction, link: Link, producers: Producers, findings: DocumentFindings, language: str
    ) -> None:
        self._tx, self._link, self._producers, self._findings, self._language = tx, link, producers, findings, language
        self.products: dict[str, str] = {}
        self.lots: dict[str, str] = {}

    def store(self, fresh: Mapping[str, OfferedProduct]) -> list[OfferedProduct]:
        """Writes copies of these goods and returns those without a problem.

        A product that another link of the same hub has copied is the same product.
        """
        for first in range(0, len(fresh), _AT_ONCE):
            self._find(list(fresh)[first : first + _AT_ONCE])
        owners = _owners(self._tx, self.products.values())
        new = fresh.keys() - self.products.keys()
        for iri in sorted(new):
            self.products[iri], self.lots[iri] = self._tx.new_id(), self._tx.new_id()
        by_producer: dict[str, list[OfferedProduct]] = defaultdict(list)
        for iri, good in fresh.items():
            by_producer[owners.get(self.products[iri]) or self._producers.copy_of(good)].append(good)
        problems: dict[str, list[Problem]] = {}
        for producer_id, goods in by_producer.items():
            keep_lots(self._tx, producer_id, [self._lot(good, new) for good in goods])
            problems |= keep_products(self._tx, producer_id, [self._product(good, new) for good in goods])
        for iri in fresh:
            if reported := problems.get(self.products[iri]):
                reasons = "; ".join(
                    labelled(self._language, problem.where, say(self._language, problem)) for problem in reported
                )
                self._findings.wrong("product", "A product is left out: {reasons}", iri, reasons=reasons[:300])
        return [good for iri, good in fresh.items() if self.products[iri] not in problems]

    def _find(self, iris: Sequence[str]) -> None:
        own_links = select(federation_link.c.id).where(federation_link.c.enterprise_id == self._link.enterprise_id)
        query = select(_row.iri, _row.product_id, _row.lot_id).where(
            _row.iri.in_(sorted(iris)), _row.link_id.in_(own_links)
        )
        for row in self._tx.all(query):
            self.products[row["iri"]], self.lots[row["iri"]] = row["product_id"], row["lot_id"]

    def _lot(self, good: OfferedProduct, new: Iterable[str]) -> LotCopy:
        iri = good.product.iri
        return LotCopy(
            id=self.lots[iri],
            name=good.product.name[:200] or "?",
            unit="Piece",
            per_unit=1,
            unlimited=good.pieces_left is None,
            new=iri in new,
        )

    def _product(self, good: OfferedProduct, new: Iterable[str]) -> ProductCopy:
        product, iri = good.product, good.product.iri
        product_type = product.product_type if product.product_type in PRODUCT_TYPES else None
        vat = good.vat_rate if good.vat_rate is not None else self._link.default_vat
        assert vat is not None
        return ProductCopy(
            id=self.products[iri],
            lot_id=self.lots[iri],
            lot_quantity=1,
            vat_rate=vat,
            new=iri in new,
            **(described := known_terms(description_in(product, self._tx.plugin_fields.products)))
            | {
                "nutrition": in_language(described["nutrition"], self._language),
                "name": (good.item.name if good.item else "") or product.name,
                "product_type": product_type or self._link.default_type,
                "quantity": good.size.value,
                "unit": good.size.unit,
            },
        )


def _owners(tx: Transaction, product_ids: Iterable[str]) -> dict[str, str]:
    """Returns the producer of each copy: a product stays with its first one."""
    ids, owners = sorted(product_ids), dict[str, str]()
    for first in range(0, len(ids), _AT_ONCE):
        products = products_by_id(tx, ids[first : first + _AT_ONCE])
        owners |= {id: product.enterprise_id for id, product in products.items()}
    return owners


def _digest(link: Link, good: OfferedProduct, own: Mapping[str, int]) -> str:
    """Returns the digest of all columns of a product except its stock, and of the link's settings for it."""
    item, offer, case = good.item, good.offer, good.case
    values = (
        replace(good.product, stock=None),
        item and (item.iri, item.name),
        good.size,
        offer and offer.iri,
        good.price,
        sorted(own.items()),
        case and (case.product, case.offer, case.pieces, case.price),
        good.pieces_left is None,
        link.default_type,
        link.default_vat,
        link.catalog_id,
        link.margin,
    )
    return sha256(repr(values).encode()).hexdigest()


def _as_row(tx: Transaction, good: OfferedProduct, copies: _Copies, digest: str) -> dict[str, object]:
    iri, case = good.product.iri, good.case
    assert good.buying_price is not None
    return {
        "iri": iri,
        "item_iri": good.item.iri if good.item else "",
        "offer_iri": good.offer.iri if good.offer else "",
        "product_id": copies.products[iri],
        "lot_id": copies.lots[iri],
        "price": good.buying_price.amount,
        "stock": _bounded(good.pieces_left),
        "case_iri": case.product if case else "",
        "case_offer_iri": case.offer if case else "",
        "case_pieces": case.pieces.numerator if case else 1,
        "case_of": case.pieces.denominator if case else 1,
        "case_price": case.price.amount if case and case.price and 0 <= case.price.amount <= LARGEST else None,
        "digest": digest,
        "changed_at": tx.now,
        "gone_at": None,
    }


def _write(tx: Transaction, link: Link, rows: Sequence[Mapping[str, object]], existing: Mapping[str, object]) -> None:
    new = [{"link_id": link.id, "taken": 0, **row} for row in rows if row["iri"] not in existing]
    insert_rows(tx, federation_linked_product, new)
    changed = [{f"new_{name}": value for name, value in row.items()} for row in rows if row["iri"] in existing]
    if changed:
        values = {
            name: bindparam(f"new_{name}", type_=federation_linked_product.c[name].type)
            for name in rows[0]
            if name != "iri"
        }
        matching = (_row.link_id == link.id, _row.iri == bindparam("new_iri"))
        tx.execute(update(federation_linked_product).where(*matching).values(values), changed)


def _update_stock(
    tx: Transaction, link: Link, goods: Mapping[str, OfferedProduct], existing: Row, fresh: Mapping[str, OfferedProduct]
) -> None:
    """Updates the stock of products that have not changed otherwise."""
    levels = [
        {"told_iri": iri, "told_prices": _bounded(good.pieces_left)}
        for iri, good in goods.items()
        if iri not in fresh and existing[iri]["stock"] != _bounded(good.pieces_left)
    ]
    if levels:
        matching = (_row.link_id == link.id, _row.iri == bindparam("told_iri"))
        tx.execute(update(federation_linked_product).where(*matching).values(stock=bindparam("told_prices")), levels)


def _recount_lots(tx: Transaction, link: Link) -> None:
    """Sets the stock of the copies: the platform's, less what our customers ordered and the platform does not know."""
    conditions = (_row.link_id == link.id, _row.gone_at.is_(None))
    rows = tx.all(select(_row.lot_id, _row.stock, _row.taken).where(*conditions).order_by(_row.lot_id))
    for first in range(0, len(rows), _AT_ONCE):
        chunk = rows[first : first + _AT_ONCE]
        count_copies(tx, {row["lot_id"]: (row["stock"] or 0, row["taken"]) for row in chunk}, note=link.name)


def _bounded(pieces: int | None) -> int | None:
    return None if pieces is None else min(pieces, _MOST_PIECES)


class _Categories:
    """The hub's categories by the IRIs of those of a document: those with the same IRI or the same name. Others are
    reported to the operator."""

    def __init__(self, tx: Transaction, base: str, hub: str, document: DfcDocument, findings: DocumentFindings) -> None:
        self._base, self._document, self._findings = base, document, findings
        categories = list_categories(tx, hub)
        self._by_id: dict[str, CustomerCategory] = {category.id: category for category in categories}
        self._by_name = {_key(category.name): category for category in categories}

    def prices(self, good: OfferedProduct) -> dict[str, int]:
        """Returns the platform's prices for our categories, in minor units, by category id."""
        prices = {}
        for iri, price in good.buying_by_category.items():
            category_id = self._ours(iri)
            if category_id is None:
                category = self._document.get(DfcCategory, iri)
                text = "Prices for {category} are left out: there is no customer category of this name here."
                name = (category.name if category and category.name else iri)[:100]
                self._findings.note("category", text, iri, category=name)
            else:
                prices[category_id] = price.amount
        return prices

    def _ours(self, iri: str) -> str | None:
        category_id = local_id(self._base, iri, "customer_categories")
        if category_id in self._by_id:
            return category_id
        category = self._document.get(DfcCategory, iri)
        match = self._by_name.get(_key(category.name)) if category is not None else None
        return match.id if match else None


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
