"""A sale as a platform reads it: what is offered in it, and where and when its goods are collected."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from commensal.catalogs.items import change_item, item_by_id
from commensal.instance.settings import InstanceSettings
from commensal.testing.shop import Shop
from commensal_federation.dfc.read import read
from commensal_federation.dfc.vocabulary import DfcOffer, DfcPickup, DfcPlace, DfcSession
from commensal_pickup.places import add_place
from commensal_pickup.slots import add_slot

from .oidc import Oidc
from .platforms import grant_scopes, offer_of, request, settings_with


@pytest.fixture
def settings(oidc: Oidc) -> InstanceSettings:
    plain = settings_with(oidc.issuer)
    return replace(plain, plugins={**plain.plugins, "enabled": ["federation", "pickup"]})


def test_a_sale_says_what_is_offered_and_where_and_when_it_is_collected(shop: Shop, oidc: Oidc) -> None:
    grant_scopes(shop, "ofn", "ReadProducts", "WriteOrders")
    begins_at = shop.session.begins_at
    with shop.instance.store.write() as tx:
        place = add_place(tx, shop.id, name="The barn", street="3 rue du Lavoir", city="Bourg", price=150)
        ends_at = begins_at + timedelta(hours=2)
        add_slot(tx, shop.id, shop.session_id, place_id=place.id, begins_at=begins_at, ends_at=ends_at, capacity=9)
        hidden = item_by_id(tx, shop.id, shop.items["soap"])
        change_item(tx, shop.id, hidden.id, hidden.version, hidden=True)
    token, path = oidc.token("ofn-client"), f"/api/dfc/sale_sessions/{shop.session_id}"
    document = read(request(shop, token, path).content)
    sale, pickup, barn = document.one(DfcSession), document.one(DfcPickup), document.one(DfcPlace)
    assert (pickup.session, pickup.begins_at, pickup.ends_at, pickup.fee) == (
        sale.iri,
        begins_at,
        ends_at,
        Decimal("1.5"),
    )
    assert (pickup.place, barn.name) == (barn.iri, "3 rue du Lavoir, Bourg")
    expected = {offer_of(shop, name) for name in ("carrots", "juice", "chicken", "honey")}
    assert {offer.iri for offer in document.all(DfcOffer)} == expected
    assert {offer.sessions for offer in document.all(DfcOffer)} == {(sale.iri,)}
    grant_scopes(shop, "ofn", "WriteOrders")
    assert read(request(shop, token, path).content).all(DfcOffer) == ()
