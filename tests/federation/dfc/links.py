"""A hub's links, for tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from commensal.catalogs.catalogs import catalogs_of
from commensal.testing.shop import Shop
from commensal_federation.linked_catalogues.links import link_by_id, link_catalogue, linked_products
from commensal_federation.linked_catalogues.refreshing import refresh
from commensal_federation.linked_catalogues.values import Link, LinkedProduct, Refreshed
from commensal_federation.runtime import federation_of


def linked(shop: Shop, url: str, **options: Any) -> Link:
    """Links the catalogue at a URL to the shop's catalog, with a margin of a fifth."""
    with shop.instance.store.write() as tx:
        catalog = catalogs_of(tx, shop.id)[0]
        options = {"catalog_id": catalog.id, "margin": Decimal(20), **options}
        return link_catalogue(federation_of(shop.instance), tx, shop.id, url, **options)


def read(shop: Shop, link: Link, **kwargs: bool) -> Refreshed:
    return refresh(federation_of(shop.instance), link.id, **kwargs)


def link_now(shop: Shop, link: Link) -> Link:
    with shop.instance.store.read() as tx:
        return link_by_id(tx, link.id)


def products(shop: Shop, link: Link, *, gone: bool = False) -> list[LinkedProduct]:
    with shop.instance.store.read() as tx:
        return linked_products(tx, link.id, gone=gone)
