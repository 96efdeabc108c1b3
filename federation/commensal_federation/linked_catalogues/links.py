"""Which catalogues of distant platforms an enterprise here sells from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from sqlalchemy import ColumnElement, func, insert, select, update

from commensal import (
    PRODUCT_TYPES,
    Conflict,
    Invalid,
    NotFound,
    Problem,
    Secret,
    Transaction,
    catalog_by_id,
    enterprise_by_id,
    promise,
    url_problem,
)

from ..catalogue.grants import enable_federation
from ..catalogue.listing import margin_problem
from ..runtime import Federation
from .backorders.due import is_open
from .tables import federation_link, federation_linked_product
from .taking_off import take_off_all
from .values import Access, Auth, DfcVersion, Link, LinkedProduct, State

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
_COLUMNS = [*(_row[one.name] for one in fields(Link) if one.name != "products"), _COUNT]
_PRODUCTS = [_product[one.name] for one in fields(LinkedProduct)]
_FRESH = {"etag": "", "digest": "", "failures": 0, "error": ""}


class LinkFields(TypedDict, total=False):
    """What may be said of a link; the fields are those of `Link` and `Access`. A secret that is left out stays."""

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


_NEW: LinkFields = {
    "name": "", "dfc_version": "1.16", "auth": "none", "issuer": "", "client_id": "", "secret": "",
    "catalog_id": None, "margin": None, "default_type": "", "default_vat": None,
}  # fmt: skip


def link_catalogue(
    federation: Federation, tx: Transaction, enterprise_id: str, url: str, *, by: str | None = None,
    **given: Unpack[LinkFields],
) -> Link:  # fmt: skip
    """The enterprise sells from what is at `url` from now on; it is read by a job. One that was unlinked comes back.

    Raises `Invalid` with every mistake, `Conflict` for an address that is linked already, `NotFound`.
    """
    enterprise_by_id(tx, enterprise_id)
    problem = url_problem(federation.instance, url, "/url")
    if problem is not None:
        raise Invalid([problem])
    values = _read(federation, tx, enterprise_id, {**_NEW, **given})
    before = tx.first(select(_row.id, _row.state).where(_is_of(enterprise_id), _row.url == url))
    if before is not None and before["state"] != "ended":
        raise Conflict("linked", "{url} is linked already.", url=url)
    count = select(func.count()).where(_is_of(enterprise_id), _row.state != "ended")
    if tx.value(count) >= MOST:
        raise Conflict("too_many_links", "There are {most} links already.", most=MOST)
    enable_federation(federation, tx, enterprise_id)
    set_now = {**values, **_FRESH, "state": "active", "due_at": tx.now, "findings": [], "changed_at": tx.now}
    if before is not None:
        tx.execute(update(federation_link).where(_row.id == before["id"]).values(**set_now, version=_row.version + 1))
        return _refreshing(tx, before["id"])
    id = tx.new_id()
    made = {"id": id, "enterprise_id": enterprise_id, "url": url, "created_at": tx.now, "created_by": by, "version": 1}
    tx.execute(insert(federation_link).values({**made, **set_now}))
    return _refreshing(tx, id)


def change_link(
    federation: Federation, tx: Transaction, enterprise_id: str, link_id: str, **changed: Unpack[LinkFields]
) -> Link:
    """Changes what is said of a link, which is active again, and reads it anew. Raises `Invalid`, `NotFound`."""
    before = _open_link(tx, link_id, enterprise_id)
    there = tx.one(select(*(_row[name] for name in _NEW)).where(_row.id == before.id))
    values = _read(federation, tx, enterprise_id, {**there, **changed})
    anew = {**values, **_FRESH, "state": "active", "due_at": tx.now, "changed_at": tx.now}
    tx.execute(update(federation_link).where(_row.id == link_id).values(**anew, version=_row.version + 1))
    return _refreshing(tx, link_id)


def unlink(tx: Transaction, enterprise_id: str, link_id: str) -> Link:
    """Nothing of it is sold any more; what was ordered stays, and its secret is forgotten. Raises `NotFound`, and
    `Conflict` while an order there is still to be completed."""
    before = _open_link(tx, link_id, enterprise_id)
    if is_open(tx, before.id):
        raise Conflict("order_open", "An order there is not complete yet: unlink it when the sale is over.")
    take_off_all(tx, before.id)
    return set_state(tx, before.id, "ended", secret="", auth="none", **_FRESH)


def set_state(tx: Transaction, link_id: str, state: State, **more: Any) -> Link:
    """Raises `NotFound`."""
    changing = update(federation_link).where(_row.id == link_id)
    tx.execute(changing.values(state=state, changed_at=tx.now, version=_row.version + 1, **more))
    return link_by_id(tx, link_id)


def promise_refresh(tx: Transaction, link_id: str) -> None:
    """It is read anew, by a job."""
    promise(tx, REFRESH, {"link": link_id})


# ------------------------------------------------------------------------------------------------ questions


def link_by_id(tx: Transaction, link_id: str, *, enterprise_id: str | None = None) -> Link:
    """A link, of this enterprise where that is said. Raises `NotFound`."""
    same = [] if enterprise_id is None else [_is_of(enterprise_id)]
    row = tx.first(select(*_COLUMNS).where(_row.id == link_id, *same))
    if row is None:
        raise NotFound("no_link", "There is no such link.")
    return _link(row)


def links_of(
    tx: Transaction, *, enterprise_id: str | None = None, state: State | None = None, after: str = "", limit: int = 200
) -> list[Link]:
    """Links by id, from the one after `after` on; None: any. Those that were unlinked only where they are asked for."""
    same = [_row.state == state if state else _row.state != "ended"]
    if enterprise_id is not None:
        same.append(_is_of(enterprise_id))
    rows = tx.all(select(*_COLUMNS).where(_row.id > after, *same).order_by(_row.id).limit(limit))
    return [_link(row) for row in rows]


def access_of(tx: Transaction, link_id: str) -> Access:
    """How the link's platform is asked, with the secret: for a `DfcClient`. Raises `NotFound`."""
    row = tx.first(select(federation_link).where(_row.id == link_id))
    if row is None:
        raise NotFound("no_link", "There is no such link.")
    return Access(
        url=row["url"], auth=row["auth"], issuer=row["issuer"], client_id=row["client_id"],
        secret=Secret(row["secret"]), version=row["dfc_version"],
    )  # fmt: skip


def linked_products(
    tx: Transaction, link_id: str, *, after: str = "", limit: int = 200, gone: bool = False
) -> list[LinkedProduct]:
    """What is listed at a link, by IRI, from the one after `after` on; `gone`: also what is not any more."""
    there = [] if gone else [_product.gone_at.is_(None)]
    mine = (_product.link_id == link_id, _product.iri > after, *there)
    rows = tx.all(select(*_PRODUCTS).where(*mine).order_by(_product.iri).limit(limit))
    return [LinkedProduct(**row) for row in rows]


def linked_by_product(tx: Transaction, product_ids: list[str]) -> dict[str, LinkedProduct]:
    """By which link our copies of products come, by the copies' ids; what is listed there now comes before what is
    gone, and an older link before a newer one."""
    rows = tx.all(
        select(*_PRODUCTS)
        .where(_product.product_id.in_(sorted(product_ids)))
        .order_by(_product.gone_at.is_(None), _product.link_id.desc())
    )
    return {row["product_id"]: LinkedProduct(**row) for row in rows}


# ------------------------------------------------------------------------------------------------


def _open_link(tx: Transaction, link_id: str, enterprise_id: str) -> Link:
    found = link_by_id(tx, link_id, enterprise_id=enterprise_id)
    if found.state == "ended":
        raise NotFound("no_link", "There is no such link.")
    return found


def _refreshing(tx: Transaction, link_id: str) -> Link:
    promise_refresh(tx, link_id)
    return link_by_id(tx, link_id)


def _read(federation: Federation, tx: Transaction, enterprise_id: str, said: Mapping[Any, Any]) -> dict[str, Any]:
    """The columns to write."""
    problems: list[Problem] = []
    if said["catalog_id"] is not None:
        catalog_by_id(tx, enterprise_id, said["catalog_id"])
    margin = margin_problem(said["catalog_id"], said["margin"])
    problems += [margin] if margin is not None else []
    if said["default_type"] and said["default_type"] not in PRODUCT_TYPES:
        text = "{term} is not known here."
        problems.append(Problem("unknown_term", text, "/default_type", {"term": said["default_type"][:60]}))
    vat = said["default_vat"]
    if vat is not None and not (vat.is_finite() and 0 <= vat <= 100):
        problems.append(Problem("vat", "A rate of VAT lies between 0 and 100 percent.", "/default_vat"))
    if said["auth"] != "none" and not said["secret"]:
        problems.append(Problem("secret", "Say the token, the key or the secret, or that none is needed.", "/secret"))
    if said["auth"] == "oidc":
        wrong = url_problem(federation.instance, said["issuer"], "/issuer")
        problems += [wrong] if wrong is not None else []
        if not said["client_id"]:
            problems.append(Problem("client_id", "Say as which client we ask the issuer.", "/client_id"))
    if any(not one.isprintable() for one in (said["secret"], said["client_id"], said["name"])):
        problems.append(Problem("secret", "This has characters that cannot be sent.", "/secret"))
    if problems:
        raise Invalid(problems)
    return {name: said[name] for name in _NEW}


def _link(row: Mapping[Any, Any]) -> Link:
    return Link(**{**row, "findings": tuple(row["findings"])})


def _is_of(enterprise_id: str) -> ColumnElement[bool]:
    return _row.enterprise_id == enterprise_id
