"""Links: the catalogues of platforms from which an enterprise here sells, and the copies of their producers."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import TypedDict, Unpack
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, func, insert, select, update

from commensal import (
    PRODUCT_TYPES,
    Conflict,
    Enterprise,
    Invalid,
    NotFound,
    Problem,
    Row,
    Secret,
    Transaction,
    enqueue,
    enterprise_by_id,
    url_problem,
)
from commensal.catalogs import catalog_by_id
from commensal.enterprises import change_enterprise, copy_enterprise, grant

from ..catalogue.grants import SELLING, enable_federation
from ..catalogue.listings import margin_problem
from ..dfc.offered_products import OfferedProduct
from ..dfc.read import DfcDocument
from ..dfc.vocabulary import DfcEnterprise
from ..runtime import Federation
from .backorders.due import is_open
from .delisting import delist_all
from .tables import federation_link, federation_linked_producer, federation_linked_product
from .values import Access, Auth, DfcVersion, Link, LinkedProduct, State, host_of

REFRESH = "federation.refresh_link"  # a job: {"link": its id}
MOST = 200  # links of one enterprise
_row, _product = federation_link.c, federation_linked_product.c
_COUNT = (
    select(func.count())
    .where(_product.link_id == _row.id, _product.gone_at.is_(None))
    .correlate(federation_link)
    .scalar_subquery()
    .label("products")
)
_COLUMNS = [*(_row[field.name] for field in fields(Link) if field.name != "products"), _COUNT]
_PRODUCTS = [_product[field.name] for field in fields(LinkedProduct)]
_FRESH = {"etag": "", "digest": "", "failures": 0, "error": ""}


class LinkFields(TypedDict, total=False):
    """The fields of a link that people set; see `Link` and `Access`. A secret that is left out stays."""

    name: str
    dfc_version: DfcVersion
    auth: Auth
    issuer: str
    client_id: str
    secret: str
    catalog_id: str | None
    margin: Decimal | None
    default_type: str
    default_vat: Decimal | None
    prices_include_vat: bool


_NEW: LinkFields = {
    "name": "",
    "dfc_version": "1.16",
    "auth": "none",
    "issuer": "",
    "client_id": "",
    "secret": "",
    "catalog_id": None,
    "margin": None,
    "default_type": "",
    "default_vat": None,
    "prices_include_vat": True,
}


def link_catalogue(
    federation: Federation,
    tx: Transaction,
    enterprise_id: str,
    url: str,
    *,
    by: str | None = None,
    **fields_given: Unpack[LinkFields],
) -> Link:
    """Links the goods at `url` and enqueues the job that reads them. An ended link to the same address is restored.

    Raises `Invalid` with all mistakes, `Conflict` for an address that is linked already, `NotFound`.
    """
    enterprise_by_id(tx, enterprise_id)
    problem = url_problem(federation.instance, url, "/url")
    if problem is not None:
        raise Invalid([problem])
    values = _validated(federation, tx, enterprise_id, {**_NEW, **fields_given})
    existing = tx.first(select(_row.id, _row.state).where(_is_of(enterprise_id), _row.url == url))
    if existing is not None and existing["state"] != "ended":
        raise Conflict("linked", "{url} is linked already.", url=url)
    count = select(func.count()).where(_is_of(enterprise_id), _row.state != "ended")
    if tx.value(count) >= MOST:
        raise Conflict("too_many_links", "There are {most} links already.", most=MOST)
    enable_federation(federation, tx, enterprise_id)
    current = {**values, **_FRESH, "state": "active", "due_at": tx.now, "findings": [], "changed_at": tx.now}
    if existing is not None:
        tx.execute(update(federation_link).where(_row.id == existing["id"]).values(**current, version=_row.version + 1))
        return _promised_refresh(tx, existing["id"])
    id = tx.new_id()
    new_link = {
        "id": id,
        "enterprise_id": enterprise_id,
        "url": url,
        "created_at": tx.now,
        "created_by": by,
        "version": 1,
    }
    tx.execute(insert(federation_link).values({**new_link, **current}))
    return _promised_refresh(tx, id)


def change_link(
    federation: Federation, tx: Transaction, enterprise_id: str, link_id: str, **changed: Unpack[LinkFields]
) -> Link:
    """Changes a link, activates it and enqueues the job that reads it. Raises `Invalid`, `NotFound`."""
    existing = _open_link(tx, link_id, enterprise_id)
    stored = tx.one(select(*(_row[name] for name in _NEW)).where(_row.id == existing.id))
    values = _validated(federation, tx, enterprise_id, {**stored, **changed})
    current = {**values, **_FRESH, "state": "active", "due_at": tx.now, "changed_at": tx.now}
    tx.execute(update(federation_link).where(_row.id == link_id).values(**current, version=_row.version + 1))
    return _promised_refresh(tx, link_id)


def unlink(tx: Transaction, enterprise_id: str, link_id: str) -> Link:
    """Ends a link: its goods are taken off sale, orders stay, and its secret is deleted.

    Raises `NotFound`, and `Conflict` while an order there is still to be completed.
    """
    existing = _open_link(tx, link_id, enterprise_id)
    if is_open(tx, existing.id):
        raise Conflict("order_open", "An order there is not complete yet: unlink it when the sale is over.")
    delist_all(tx, existing.id)
    return set_state(tx, existing.id, "ended", secret="", auth="none", **_FRESH)


def set_state(tx: Transaction, link_id: str, state: State, **more: object) -> Link:
    """Sets the state and other columns of a link, and returns it. Raises `NotFound`."""
    change = update(federation_link).where(_row.id == link_id)
    tx.execute(change.values(state=state, changed_at=tx.now, version=_row.version + 1, **more))
    return link_by_id(tx, link_id)


def enqueue_refresh(tx: Transaction, link_id: str) -> None:
    """Enqueues a job that reads the link."""
    enqueue(tx, REFRESH, {"link": link_id})


# ------------------------------------------------------------------------------------------------ questions


def link_by_id(tx: Transaction, link_id: str, *, enterprise_id: str | None = None) -> Link:
    """Returns a link, which must be of this enterprise if one is given. Raises `NotFound`."""
    conditions = [] if enterprise_id is None else [_is_of(enterprise_id)]
    row = tx.first(select(*_COLUMNS).where(_row.id == link_id, *conditions))
    if row is None:
        raise NotFound("no_link", "There is no such link.")
    return _link(row)


def links_of(
    tx: Transaction, *, enterprise_id: str | None = None, state: State | None = None, after: str = "", limit: int = 200
) -> list[Link]:
    """Returns links ordered by id, after the id `after`. `state` None matches all but ended links."""
    conditions = [_row.state == state if state else _row.state != "ended"]
    if enterprise_id is not None:
        conditions.append(_is_of(enterprise_id))
    rows = tx.all(select(*_COLUMNS).where(_row.id > after, *conditions).order_by(_row.id).limit(limit))
    return [_link(row) for row in rows]


def access_of(tx: Transaction, link_id: str) -> Access:
    """Returns the access to the link's platform, with the secret, for a `DfcClient`. Raises `NotFound`."""
    row = tx.first(select(federation_link).where(_row.id == link_id))
    if row is None:
        raise NotFound("no_link", "There is no such link.")
    return Access(
        url=row["url"],
        auth=row["auth"],
        issuer=row["issuer"],
        client_id=row["client_id"],
        secret=Secret(row["secret"]),
        version=row["dfc_version"],
        prices_include_vat=row["prices_include_vat"],
    )


def linked_products(
    tx: Transaction, link_id: str, *, after: str = "", limit: int = 200, gone: bool = False
) -> list[LinkedProduct]:
    """Returns a link's products ordered by IRI, after the IRI `after`; with `gone` also those not listed any more."""
    listed = [] if gone else [_product.gone_at.is_(None)]
    conditions = (_product.link_id == link_id, _product.iri > after, *listed)
    rows = tx.all(select(*_PRODUCTS).where(*conditions).order_by(_product.iri).limit(limit))
    return [LinkedProduct(**row) for row in rows]


def linked_by_product(tx: Transaction, product_ids: list[str]) -> dict[str, LinkedProduct]:
    """Returns the linked product of each copy, by the copy's id.

    A product that is listed now takes precedence over one that is gone, and an older link over a newer one.
    """
    rows = tx.all(
        select(*_PRODUCTS)
        .where(_product.product_id.in_(sorted(product_ids)))
        .order_by(_product.gone_at.is_(None), _product.link_id.desc())
    )
    return {row["product_id"]: LinkedProduct(**row) for row in rows}


# ------------------------------------------------------------------------------------------------


def _open_link(tx: Transaction, link_id: str, enterprise_id: str) -> Link:
    link = link_by_id(tx, link_id, enterprise_id=enterprise_id)
    if link.state == "ended":
        raise NotFound("no_link", "There is no such link.")
    return link


def _promised_refresh(tx: Transaction, link_id: str) -> Link:
    enqueue_refresh(tx, link_id)
    return link_by_id(tx, link_id)


def _validated(federation: Federation, tx: Transaction, enterprise_id: str, values: Row) -> dict[str, object]:
    """Validates the fields of a link and returns the columns to write. Raises `Invalid` with all mistakes."""
    problems: list[Problem] = []
    if values["catalog_id"] is not None:
        catalog_by_id(tx, enterprise_id, values["catalog_id"])
    margin = margin_problem(values["catalog_id"], values["margin"])
    problems += [margin] if margin is not None else []
    if values["default_type"] and values["default_type"] not in PRODUCT_TYPES:
        text = "{term} is not known here."
        problems.append(Problem("unknown_term", text, "/default_type", {"term": values["default_type"][:60]}))
    vat = values["default_vat"]
    if vat is not None and not (vat.is_finite() and 0 <= vat <= 100):
        problems.append(Problem("vat", "A rate of VAT must be between 0 and 100 percent.", "/default_vat"))
    if values["auth"] != "none" and not values["secret"]:
        problems.append(Problem("secret", "Say the token, the key or the secret, or that none is needed.", "/secret"))
    if values["auth"] == "oidc":
        problem = url_problem(federation.instance, values["issuer"], "/issuer")
        problems += [problem] if problem is not None else []
        if not values["client_id"]:
            problems.append(Problem("client_id", "Say as which client we ask the issuer.", "/client_id"))
    if any(not text.isprintable() for text in (values["secret"], values["client_id"], values["name"])):
        problems.append(Problem("secret", "This has characters that cannot be sent.", "/secret"))
    if problems:
        raise Invalid(problems)
    return {name: values[name] for name in _NEW}


def _link(row: Row) -> Link:
    return Link(**{**row, "findings": tuple(row["findings"])})


def _is_of(enterprise_id: str) -> ColumnElement[bool]:
    return _row.enterprise_id == enterprise_id


# Copies here of the enterprises whose goods are linked.

_producer = federation_linked_producer.c
_LONGEST = 200  # characters of a name


class Producers:
    """The copies of producers by IRI, created or updated at their first use."""

    def __init__(self, tx: Transaction, link: Link, hub: Enterprise, document: DfcDocument) -> None:
        self._tx, self._link, self._hub, self._document = tx, link, hub, document
        self._copies: dict[str, str] = {}

    def copy_of(self, good: OfferedProduct) -> str:
        """Returns the id of the copy of the product's supplier, else of the lister, else of the link."""
        iri = good.product.enterprise or (good.item.enterprise if good.item else None) or self._link.url
        if iri not in self._copies:
            self._copies[iri] = self._updated_copy(iri)
        return self._copies[iri]

    def _updated_copy(self, iri: str) -> str:
        enterprise = self._document.get(DfcEnterprise, iri)
        copy_id = self._tx.value(
            select(_producer.producer_id).where(_producer.enterprise_id == self._hub.id, _producer.iri == iri)
        )
        if copy_id is None:
            return self._new_copy(iri, enterprise)
        copy = enterprise_by_id(self._tx, copy_id)
        # Only a producer's own host may set its name and description.
        if enterprise is not None and enterprise.name and host_of(iri) == host_of(self._link.url):
            name, description = enterprise.name[:_LONGEST], enterprise.description
            if (copy.name, copy.description) != (name, description):
                change_enterprise(self._tx, copy.id, copy.version, name=name, description=description)
        return copy.id

    def _new_copy(self, iri: str, enterprise: DfcEnterprise | None) -> str:
        name = (enterprise.name if enterprise else "") or self._link.name or urlsplit(iri).netloc or iri
        copy = copy_enterprise(
            self._tx,
            currency=self._hub.currency,
            language=self._hub.language,
            timezone=self._hub.timezone,
            is_producer=True,
            prices_include_vat=self._hub.prices_include_vat,
            name=name[:_LONGEST],
            description=enterprise.description if enterprise else "",
        )
        row = {"enterprise_id": self._hub.id, "iri": iri, "producer_id": copy.id, "created_at": self._tx.now}
        self._tx.execute(insert(federation_linked_producer), row)
        for scope in SELLING:
            grant(self._tx, copy.id, self._hub.id, scope)
        return copy.id
