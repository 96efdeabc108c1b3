"""A hub links the catalogue of a distant platform and sells it as offered there, without trusting anything unproven."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import pytest

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Refused
from commensal.catalogs.catalogs import catalogs_of
from commensal.catalogs.items import change_item, items_of
from commensal.catalogs.listings import listed_for
from commensal.enterprises.customer_categories import create_category
from commensal.instance.settings import InstanceSettings
from commensal.parts.checks.invariants import broken_invariants
from commensal.products.questions import stocked_by_id
from commensal.sale_sessions.coordinations import set_supplier
from commensal.sale_sessions.on_sale import put_on_sale
from commensal.sale_sessions.questions import coordination_by_id
from commensal.sale_sessions.values import Supplier
from commensal.testing.shop import Shop
from commensal_federation.catalogue.asked_prices import asked_prices
from commensal_federation.dfc.offered_products import OfferedProduct, OfferedProducts
from commensal_federation.linked_catalogues import copies
from commensal_federation.linked_catalogues.links import linked_products, unlink
from commensal_federation.linked_catalogues.refreshing import refresh_due
from commensal_federation.linked_catalogues.values import Link, NotAnswered, Refreshed
from commensal_federation.linked_catalogues.work import link_warnings

from .distant import CONTEXT, Asked, Distant, Said
from .links import link_now, linked, products, read
from .oidc import SECRET, Oidc
from .platforms import settings_with


@pytest.fixture
def settings(oidc: Oidc) -> InstanceSettings:
    return settings_with(oidc.issuer)


@pytest.fixture
def remote() -> Iterator[Distant]:
    with Distant() as running:
        yield running


def on_offer(shop: Shop, link: Link) -> dict[str, tuple[int | None, list[int]]]:
    """What can be bought here of a link: by name, the stock and the prices."""
    with shop.instance.store.read() as tx:
        copies = stocked_by_id(tx, [linked_product.product_id for linked_product in linked_products(tx, link.id)])
        (catalog,) = catalogs_of(tx, shop.id)
        items = {item.product_id: item for item in items_of(tx, shop.id, catalog.id, limit=200)}
        assert not broken_invariants(tx)
    return {
        copy.product.name: (copy.left, [offer.price for offer in items[id].offers] if id in items else [])
        for id, copy in copies.items()
    }


def test_goods_of_a_distant_platform_are_sold_here_with_a_margin(shop: Shop, remote: Distant) -> None:
    url = remote.say("/catalogue", *remote.goods(1, stock="7"), *remote.goods(2, stock="-1", price="10"))
    link = linked(shop, url)
    assert read(shop, link) == Refreshed(new=2)
    assert on_offer(shop, link) == {"Apples 1": (7, [300]), "Apples 2": (None, [1200])}
    first_product = products(shop, link)[0]
    assert (first_product.item_iri, first_product.price, first_product.stock) == (
        f"{remote.base}/products/1/item",
        250,
        7,
    )
    assert link_now(shop, link).error == ""
    assert shop.instance.clock.now() < link_now(shop, link).due_at


@pytest.mark.parametrize("body", [{"@graph": []}, {"@context": CONTEXT, "@graph": []}, [], b"", b" \n"])
def test_an_emptied_catalogue_takes_all_goods_off_sale(shop: Shop, remote: Distant, body: Any) -> None:
    link = linked(shop, remote.say("/c", *remote.goods(1, stock=7), *remote.goods(2)))
    read(shop, link)
    remote.pages["/c"] = Said(body)
    assert read(shop, link) == Refreshed(gone=2)
    assert on_offer(shop, link) == {}
    remote.say("/c", *remote.goods(1, stock=7))
    assert read(shop, link) == Refreshed(changed=1)
    assert on_offer(shop, link)["Apples 1"][0] == 7


@pytest.mark.parametrize("body", [{}, {"error": "down"}, {"@context": CONTEXT}, b"<html>", {"@graph": [], "error": 1}])
def test_an_answer_that_says_nothing_takes_nothing_off_sale(shop: Shop, remote: Distant, body: Any) -> None:
    link = linked(shop, remote.say("/c", *remote.goods(1, stock=7)))
    read(shop, link)
    remote.pages["/c"] = Said(body)
    with pytest.raises(NotAnswered):
        read(shop, link)
    assert on_offer(shop, link)["Apples 1"][0] == 7


def test_only_what_has_changed_is_written_and_what_went_is_taken_off_sale(shop: Shop, remote: Distant) -> None:
    link = linked(shop, remote.say("/c", *remote.goods(1, stock=7), *remote.goods(2), *remote.goods(3)))
    read(shop, link)
    products_before = {product.iri: product.product_id for product in products(shop, link)}
    remote.say("/c", *remote.goods(1, stock=3), *remote.goods(2, price="2.70", name="Pears"))
    assert read(shop, link) == Refreshed(changed=1, gone=1, unchanged=1)
    assert on_offer(shop, link) == {"Apples 1": (3, [300]), "Pears": (None, [324])}
    removed = [product for product in products(shop, link, gone=True) if product.gone_at]
    assert [product.iri for product in removed] == [f"{remote.base}/products/3"]
    remote.say("/c", *remote.goods(1, stock=3), *remote.goods(2, price="2.70", name="Pears"), *remote.goods(3))
    assert read(shop, link) == Refreshed(changed=1, unchanged=2)
    assert {product.iri: product.product_id for product in products(shop, link)} == products_before


def test_what_the_hub_says_of_its_own_listing_stays(shop: Shop, remote: Distant) -> None:
    link = linked(shop, remote.say("/c", *remote.goods(1)))
    read(shop, link)
    with shop.instance.store.write() as tx:
        (catalog,) = catalogs_of(tx, shop.id)
        copy = linked_products(tx, link.id)[0].product_id
        item = next(item for item in items_of(tx, shop.id, catalog.id) if item.product_id == copy)
        change_item(tx, shop.id, item.id, item.version, name="Our apples")
    remote.say("/c", *remote.goods(1, price="2.70"))
    read(shop, link)
    with shop.instance.store.read() as tx:
        (catalog,) = catalogs_of(tx, shop.id)
        item = next(item for item in items_of(tx, shop.id, catalog.id) if item.product_id == copy)
    assert (item.name, [offer.price for offer in item.offers]) == ("Our apples", [324])


def put_in_the_shop(shop: Shop, link: Link) -> None:
    """Puts the linked products on sale in the shop's session, with items named like the products."""
    with shop.instance.store.write() as tx:
        copies = stocked_by_id(tx, [linked_product.product_id for linked_product in linked_products(tx, link.id)])
        sale = coordination_by_id(tx, shop.session.coordination_id, shop.id)
        producer = next(iter(copies.values())).product.enterprise_id
        set_supplier(tx, sale.id, shop.id, sale.version, Supplier(enterprise_id=producer))
        put_on_sale(tx, shop.session_id, shop.id)
        (catalog,) = catalogs_of(tx, shop.id)
        items = {item.product_id: item.id for item in items_of(tx, shop.id, catalog.id, limit=200)}
    shop.items = {**shop.items, **{copy.product.name: items[id] for id, copy in copies.items()}}


def test_what_customers_order_here_is_not_sold_twice_before_it_is_known_there(shop: Shop, remote: Distant) -> None:
    link = linked(shop, remote.say("/c", *remote.goods(1, stock=7)))
    read(shop, link)
    put_in_the_shop(shop, link)
    shop.order({"Apples 1": 2})
    assert on_offer(shop, link)["Apples 1"][0] == 5
    remote.say("/c", *remote.goods(1, stock=6))
    read(shop, link)
    assert on_offer(shop, link)["Apples 1"][0] == 4
    remote.say("/c", *remote.goods(1, stock=1))
    read(shop, link)
    assert on_offer(shop, link)["Apples 1"][0] == 0
    remote.say("/c", *remote.goods(2))
    read(shop, link)
    with pytest.raises(Refused):
        shop.order({"Apples 1": 1})


def test_who_has_nothing_new_says_so_by_its_tag(shop: Shop, remote: Distant) -> None:
    link = linked(shop, remote.say("/c", *remote.goods(1), ETag='"one"'))
    assert read(shop, link) == Refreshed(new=1)
    assert read(shop, link) == Refreshed(unchanged=1)
    assert [request.headers.get("if-none-match") for request in remote.asked] == [None, '"one"']


def test_a_catalogue_in_pages_is_read_to_its_end_and_not_beyond_its_host(shop: Shop, remote: Distant) -> None:
    remote.say("/p1", *remote.goods(1), Link=f'<{remote.base}/p2>; rel="next"')
    remote.say("/p2", *remote.goods(2), {"@id": "/p2", "hydra:view": {"hydra:next": "/p3"}})
    container = {
        "@id": "/p3",
        "@type": "ldp:Container",
        "ldp:contains": [f"{remote.base}/products/4", "https://x.example/5"],
    }
    remote.say("/p3", container, *remote.goods(3))
    remote.say("/products/4", *remote.goods(4))
    link = linked(shop, f"{remote.base}/p1")
    assert read(shop, link) == Refreshed(new=4)
    assert [request.path for request in remote.asked] == ["/p1", "/p2", "/p3", "/products/4"]
    remote.say("/p1", *remote.goods(1), Link='<https://elsewhere.example/p2>; rel="next"')
    with pytest.raises(NotAnswered, match="another platform"):
        read(shop, link)


def test_a_token_is_asked_for_once_and_again_when_it_is_refused(shop: Shop, remote: Distant, oidc: Oidc) -> None:
    def catalogue(request: Asked) -> Said:
        tokens.append(request.headers["authorization"])
        return Said(status=401) if len(tokens) == 2 else Said({"@context": CONTEXT, "@graph": remote.goods(1)})

    tokens: list[str] = []
    oidc.claims = {}
    remote.pages["/c"] = catalogue
    link = linked(shop, f"{remote.base}/c", auth="oidc", issuer=oidc.issuer, client_id="commensal", secret=SECRET)
    read(shop, link)
    read(shop, link)
    assert tokens[0] == tokens[1]
    assert tokens[2].startswith("Bearer ey")
    assert len(tokens) == 3
    link_shown = shop.ask("GET", f"/-/federation/links/{link.id}")
    assert link_shown["client_id"] == "commensal"
    assert SECRET not in str(link_shown)


def test_prices_for_customer_categories_become_prices_of_ours_by_name(shop: Shop, remote: Distant) -> None:
    with shop.instance.store.write() as tx:
        members = create_category(tx, shop.id, name="Members")
    categories = f"{remote.base}/categories"
    category_nodes = [
        {"@id": f"{categories}/{name}", "@type": "dfc-b:CustomerCategory", "dfc-b:name": name}
        for name in ("members", "Friends")
    ]
    url = remote.say(
        "/c", *remote.goods(1, prices={f"{categories}/members": "2", f"{categories}/Friends": "1"}), *category_nodes
    )
    link = linked(shop, url)
    read(shop, link)
    with shop.instance.store.read() as tx:
        (catalog,) = catalogs_of(tx, shop.id)
        offers = items_of(tx, shop.id, catalog.id, limit=200)[-1].offers
    assert {(offer.category_id, offer.price) for offer in offers} == {(None, 300), (members.id, 240)}
    assert any("Prices for Friends are left out" in finding for finding in link_now(shop, link).findings)


def test_two_links_of_one_producer_bring_one_copy_of_it(shop: Shop, remote: Distant) -> None:
    link_to_all = linked(shop, remote.say("/all", *remote.goods(1), *remote.goods(2)))
    single = linked(shop, remote.say("/products/1", *remote.goods(1)))
    read(shop, link_to_all)
    read(shop, single)
    (copy,) = products(shop, single)
    assert copy.product_id in {product.product_id for product in products(shop, link_to_all)}
    remote.say("/all", *remote.goods(2))
    assert read(shop, link_to_all).gone == 1
    assert "Apples 1" in on_offer(shop, single)
    with shop.instance.store.read() as tx:
        assert stocked_by_id(tx, [copy.product_id])[copy.product_id].product.archived_at is None
    with shop.instance.store.write() as tx:
        unlink(tx, shop.id, single.id)
        assert stocked_by_id(tx, [copy.product_id])[copy.product_id].product.archived_at is not None


def test_what_is_unlinked_is_not_sold_and_comes_back_where_it_is_linked_again(shop: Shop, remote: Distant) -> None:
    link = linked(shop, remote.say("/c", *remote.goods(1)), auth="token", secret="very-secret")
    read(shop, link)
    shop.ask("DELETE", f"/-/federation/links/{link.id}")
    assert products(shop, link) == []
    assert read(shop, link) == Refreshed()
    assert shop.ask("GET", "/-/federation/links")["items"] == []
    relinked = linked(shop, link.url)
    assert (relinked.id, relinked.auth) == (link.id, "none")
    assert read(shop, relinked) == Refreshed(changed=1)


def test_a_failure_is_shown_and_tried_again_later_each_time(shop: Shop, remote: Distant, clock: ManualClock) -> None:
    link = linked(shop, f"{remote.base}/c")
    for failures in (1, 2, 3):
        with pytest.raises(NotAnswered, match="nothing at"):
            read(shop, link)
        now = link_now(shop, link)
        assert now.failures == failures
        assert 1.7 <= (now.due_at - clock.now()).total_seconds() / 60 / 2 ** (failures - 1) <= 2.3
        assert "nothing at" in now.error
    with shop.instance.store.read() as tx:
        (warning,) = link_warnings(tx)
    assert "could not be read 3 times" in str(warning)
    remote.say("/c", *remote.goods(1))
    with shop.instance.store.write() as tx:
        refresh_due(tx)
    requests_before = len(remote.asked)
    shop.run_jobs()  # one job was stored when it was linked, and one when the shop's sale opened
    assert len(remote.asked) == requests_before + 2
    assert (link_now(shop, link).failures, link_now(shop, link).error, link_now(shop, link).products) == (0, "", 1)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(Said({"@context": "https://evil.example/c.json", "@id": "x"}), "no_dfc", id="unknown context"),
        pytest.param(Said(b"<html>"), "no_dfc", id="no JSON"),
        pytest.param(Said(status=302, headers={"Location": "https://evil.example/"}), "redirect", id="redirect"),
        pytest.param(Said(status=403), "not_let_in", id="refusal"),
        pytest.param(Said(status=503, headers={"Retry-After": "60"}), "status", id="overload"),
        pytest.param(Said(b" " * 50_000_000), "unreachable", id="50 MB"),
        pytest.param(
            Said(gzip.compress(b" " * 50_000_000, 1), headers={"Content-Encoding": "gzip"}),
            "unreachable",
            id="gzip bomb",
        ),
        pytest.param(Said(b'{"a":' * 10_000, headers={}), "no_dfc", id="depth"),
    ],
)
def test_an_answer_that_cannot_be_is_a_clear_error_and_changes_nothing(
    shop: Shop, remote: Distant, answer: Said, code: str
) -> None:
    link = linked(shop, remote.say("/c", *remote.goods(1)))
    read(shop, link)
    remote.pages["/c"] = answer
    with pytest.raises(NotAnswered) as refusal:
        read(shop, link)
    assert refusal.value.code == code
    assert "/c" in str(refusal.value)
    assert on_offer(shop, link) == {"Apples 1": (None, [300])}


def test_goods_of_another_host_and_goods_that_cannot_be_sold_are_left_out_and_named(
    shop: Shop, remote: Distant
) -> None:
    url = remote.say(
        "/c",
        *remote.goods(1),
        *remote.goods(2, host="https://other.example"),
        *remote.goods(3, currency="PoundSterling"),
        *remote.goods(4, type="of-no-kind"),
        *remote.goods(5, price="-1"),
        *remote.goods(6, size="1e400"),
    )
    link = linked(shop, url)
    assert read(shop, link).new == 1
    assert on_offer(shop, link) == {"Apples 1": (None, [300])}
    findings = "\n".join(link_now(shop, link).findings)
    for text in ("Only its own host may offer", "Prices in GBP", "of no known type", "products/6"):
        assert text in findings


def test_a_link_is_refused_with_every_mistake(shop: Shop) -> None:
    def link(**fields: Any) -> set[str]:
        answer = shop.try_to_ask("POST", "/-/federation/links", fields)
        assert answer.status_code == 422, answer.text
        return {error["code"] for error in answer.json()["errors"]}

    assert link(url="ftp://x.example") == {"url"}
    assert link(url="https://me:pw@x.example/") == {"url"}
    codes = link(url="http://127.0.0.1/", auth="oidc", margin="5000", default_type="x", default_vat="200")
    assert codes == {"margin", "unknown_term", "vat", "secret", "url", "client_id"}


def test_a_document_is_read_before_the_turn_to_write(
    shop: Shop, remote: Distant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large one holds nobody up: what it offers is known when the transaction begins."""
    link, read_at, store = linked(shop, remote.say("/c", *remote.goods(1))), [], shop.instance.store

    class Noting(OfferedProducts):
        def __iter__(self) -> Iterator[OfferedProduct]:
            with store.write() as tx:  # a second one in this thread would wait for the first
                read_at.append(tx.now)
            return super().__iter__()

    monkeypatch.setattr(copies, "OfferedProducts", Noting)
    assert read(shop, link).new == 1
    assert len(read_at) == 1


@pytest.mark.parametrize(("price", "names"), [("2", ["Apples 1", "Apples 2"]), ("200", ["Apples 1"])])
def test_what_is_new_at_a_platform_is_sold_by_itself_at_a_usual_price(
    shop: Shop, remote: Distant, clock: ManualClock, price: str, names: list[str]
) -> None:
    """What a person has just linked is sold at whatever it costs there; what comes later, near that."""
    link = linked(shop, remote.say("/c", *remote.goods(1, price="3")))
    read(shop, link)
    clock.advance(hours=1)
    remote.say("/c", *remote.goods(1, price="3"), *remote.goods(2, price=price))
    read(shop, link)
    with shop.instance.store.read() as tx:
        assert sorted(each.name for each in listed_for(tx, shop.id, None) if "Apples " in each.name) == names
        assert [asked.name for asked in asked_prices(tx, shop.id)] == (["Apples 2"] if len(names) == 1 else [])


@pytest.mark.parametrize("prices", [{"price": "250"}, {"price": "0.01"}, {"prices": {"members": "200"}}])
def test_a_platform_that_asks_far_more_or_less_is_not_followed(
    shop: Shop, remote: Distant, prices: dict[str, Any]
) -> None:
    """A hundred times the price, a cent, or a hundred times what one group of customers pays."""
    with shop.instance.store.write() as tx:
        create_category(tx, shop.id, name="Members")
    members = f"{remote.base}/categories/members"
    node = {"@id": members, "@type": "dfc-b:CustomerCategory", "dfc-b:name": "members"}

    def goods(**about: Any) -> list[dict[str, Any]]:
        asked = {"prices": {members: about.pop("prices", {}).get("members", "2")}, **about}
        return [*remote.goods(1, **asked), node]

    link = linked(shop, remote.say("/c", *goods()))
    read(shop, link)
    put_in_the_shop(shop, link)
    before = on_offer(shop, link)
    remote.say("/c", *goods(**prices))
    read(shop, link)
    assert on_offer(shop, link) == before
    with pytest.raises(Conflict):
        shop.order({"Apples 1": 1})
    with shop.instance.store.read() as tx:
        assert [asked.name for asked in asked_prices(tx, shop.id)] == ["Apples 1"]
    remote.say("/c", *goods())
    read(shop, link)
    shop.order({"Apples 1": 1})
