"""What comes through a reseller carries the producer's own signed statement, and a lie about it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from commensal.catalogs.offers import set_price
from commensal_federation.catalogue.copies import store_items
from commensal_federation.catalogue.origins import origins, trust_origin
from commensal_federation.delivery.alerts import alerts
from commensal_federation.delivery.tables import federation_inbox
from commensal_federation.dfc.vocabulary import DfcPrice, DfcQuantity
from commensal_federation.identity.rotation import rotate
from commensal_federation.messages import catalogue_upsert
from commensal_federation.messages.catalogue import CatalogueUpsert, Hop, OfferedItem
from commensal_federation.messages.catalogue_upsert import CATALOGUE_UPSERT
from commensal_federation.messages.offer_statement import read_statement, write_statement
from commensal_federation.messages.types import Reading
from commensal_federation.notices.tables import federation_notice
from commensal_federation.peers.fetching import fetch_document
from commensal_federation.provenance import verification
from commensal_federation.provenance.tables import federation_origin, federation_statement
from commensal_federation.provenance.verification import Offering
from commensal_federation.signing import SigningKey, read_json
from commensal_federation.testing import Region

from .conftest import NewRegion
from .posing import document_with_keys_of
from .reading_mail import add_people, mails_at, new_mails
from .trading import Hub, Place, Producer, clock_of, minutes

BOTH = True  # databases
OTHER_FARM, OTHER_HUB = "https://a.example/api/dfc/enterprises/9", "https://b.example/api/dfc/enterprises/2"
Change = Callable[[OfferedItem], OfferedItem]


@pytest.fixture
def region(new_region: NewRegion) -> Region:
    """The farm at a, a reseller at b, and a shop at c whose instance does not know a's; d is a stranger."""
    return new_region("a", "b", "c", "d", friends=("ab", "bc"))


def do_nothing(*_: Any, **__: Any) -> None:
    """In the place of a check."""


@dataclass
class Chain:
    """Goods of the farm that the shop gets through the regional hub."""

    farm: Producer
    regional: Producer
    shop: Hub

    @property
    def region(self) -> Region:
        return self.farm.region

    def proofs(self) -> list[str]:
        return [item.proof for item in self.shop.received(self.regional)]

    def names(self) -> list[tuple[str, int]]:
        return [(item.name, item.price) for item in self.shop.received(self.regional)]

    def sent(self) -> OfferedItem:
        """The item as the shop's instance received it last."""
        with self.shop.read() as tx:
            box = federation_inbox.c
            query = select(box.body).where(box.type == "CatalogueUpsert").order_by(box.seq.desc()).limit(1)
            document = read_json(tx.value(query).encode(), 1_000_000)
        reading = Reading(self.shop.federation.base, self.regional.federation.base)
        upsert: CatalogueUpsert = CATALOGUE_UPSERT.read(document["object"], reading)
        return upsert.items[0]

    def lie(self, change: Change, *, unsigned: Change = lambda item: item) -> None:
        """The regional hub's instance sends a changed item, which it signs in its own name; but for `unsigned`."""
        sent = self.sent()
        changed = change(replace(sent, rev=sent.rev + 1))
        with self.regional.write() as tx:
            offering = Offering.begin(
                self.regional.federation,
                tx,
                label="lie",
                seller=self.regional.iri,
                seller_name="hub",
                sold_to=self.shop.iri,
                includes_vat=True,
            )
            changed = unsigned(replace(changed, statement=offering.sign(changed).signed))
        upsert = CatalogueUpsert(grantor=self.regional.iri, hub=self.shop.iri, items=(changed,))
        with self.shop.write() as tx:
            store_items(self.shop.federation, tx, self.region.peer("c", "b"), upsert)

    def alerted(self) -> list[str]:
        with self.shop.read() as tx:
            return [entry.text for entry in alerts(tx) if entry.kind == "forged"]


@pytest.fixture
def chain(farm: Producer, hub: Hub, region: Region) -> Chain:
    shop = Hub(region, "c", "shop")
    farm.grant(hub, resell=True)
    regional = hub.as_producer(farm)
    regional.grant(shop)
    return Chain(farm, regional, shop)


def test_resold_goods_are_proved_by_the_producers_own_signature(chain: Chain) -> None:
    assert chain.proofs() == ["proved"]
    statement, document = read_statement(chain.sent().origin)
    assert (statement.actor, statement.seller, statement.sold_to) == (
        "https://a.example/.well-known/commensal",
        chain.farm.iri,
        chain.regional.iri,
    )
    assert (statement.price, statement.facts["dfc-b:name"], statement.facts["dfc-b:hasQuantity"]) == (
        2000,
        ("Apples",),
        ("1 Piece",),
    )
    assert document["proof"]["verificationMethod"].startswith(statement.actor)


def test_what_the_producer_sells_itself_is_signed_by_it(farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    assert [item.proof for item in hub.received(farm)] == ["direct"]
    with hub.read() as tx:
        assert len(tx.all(select(federation_statement.c.name))) == 1


def altered_origin(offered: OfferedItem, **changes: Any) -> OfferedItem:
    """The producer's statement with other content, under its old signature."""
    statement, document = read_statement(offered.origin)
    text = write_statement(replace(statement, **changes), SigningKey.generate(document["proof"]["verificationMethod"]))
    return replace(offered, origin=text)


LIES: dict[str, tuple[Change, str]] = {
    "the producer's price": (lambda item: altered_origin(item, price=100), "signature does not fit"),
    "the producer's name": (
        lambda item: replace(item, provenance=(Hop(item.provenance[0].iri, "Old Orchard"), item.provenance[1])),
        "another name of the producer",
    ),
    "another producer": (
        lambda item: replace(item, provenance=(Hop(OTHER_FARM, "farm"), item.provenance[1])),
        "another producer",
    ),
    "the size": (
        lambda item: replace(item, product=replace(item.product, quantity=DfcQuantity(value=Decimal(2), unit="Piece"))),
        "another hasQuantity",
    ),
    "the name of the goods": (
        lambda item: replace(item, product=replace(item.product, name="Cherries")),
        "another name:",
    ),
    "a label": (
        lambda item: replace(item, product=replace(item.product, labels=("Demeter",))),
        "another hasCertification",
    ),
    "an allergen": (
        lambda item: replace(item, product=replace(item.product, allergens=("nuts",))),
        "another hasAllergen",
    ),
    "a statement for another hub": (
        lambda item: replace(item, provenance=(item.provenance[0], Hop(OTHER_HUB, "other"), item.provenance[1])),
        "another buyer",
    ),
    "no statement any more": (lambda item: replace(item, origin=""), "comes without one now"),
    "itself as the producer": (
        lambda item: replace(item, provenance=item.provenance[1:]),
        "says that its seller is the producer",
    ),
    "somebody else as the seller": (lambda item: replace(item, provenance=item.provenance[:1]), "is not its seller"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_reseller_that_lies_about_the_goods_is_refused_and_people_are_told(chain: Chain, lie: str) -> None:
    change, reason = LIES[lie]
    before = chain.names()
    if lie == "the size":
        add_people(chain.shop)
    chain.lie(change)
    assert chain.names() == before
    (text,) = chain.alerted()
    assert reason in text
    with chain.shop.read() as tx:
        assert tx.all(select(federation_notice.c.kind).where(federation_notice.c.kind == "item_left_out"))
    if lie == "the size":
        subjects = {mail.subject for mail in new_mails(chain.shop, chain.region).values()}
        assert {"Instance B offers what the producer has not signed", "hub: goods left out"} <= subjects


def test_a_seller_whose_statement_says_another_price_than_its_message_is_refused(chain: Chain) -> None:
    cheaper = DfcPrice(amount=1, currency="EUR", vat_rate=Decimal("5.5"))
    chain.lie(lambda item: item, unsigned=lambda item: replace(item, offer=replace(item.offer, price=cheaper)))
    assert chain.names() == [("Apples", 2200)]
    assert "its seller's statement says another price" in chain.alerted()[0]


def test_an_honest_reseller_may_change_its_own_price_and_name(chain: Chain) -> None:
    price = DfcPrice(amount=3000, currency="EUR", vat_rate=Decimal("5.5"))
    chain.lie(
        lambda item: replace(item, offer=replace(item.offer, price=price), item=replace(item.item, name="Our apples"))
    )
    assert chain.names() == [("Apples", 3000)]  # under the producer's name
    assert chain.alerted() == []


def test_an_older_statement_of_the_producer_is_not_believed_after_a_newer_one(chain: Chain) -> None:
    old = chain.sent().origin
    with chain.farm.write() as tx:
        set_price(tx, "farm", chain.farm.item, 2100)
    chain.region.work()
    minutes(chain.region, 2)
    statement, _ = read_statement(chain.sent().origin)
    assert (statement.rev, statement.price) == (2, 2100)
    chain.lie(lambda item: replace(item, origin=old))
    assert "of revision 1, after 2" in chain.alerted()[0]


@pytest.mark.parametrize(
    ("check", "lie"),
    [
        ("_refuse_other_origin", "the producer's name"),
        ("_refuse_other_origin", "itself as the producer"),
        ("verify", "the producer's price"),
    ],
)
def test_without_its_check_the_lie_would_be_believed(
    chain: Chain, check: str, lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, check, do_nothing)
    chain.lie(LIES[lie][0])
    assert chain.alerted() == []


def test_who_sends_no_statement_cannot_sell_in_the_producers_name(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_the_farm(item: OfferedItem) -> OfferedItem:
        return replace(item, provenance=item.provenance[:1], statement="", origin="")

    chain.lie(lambda item: item, unsigned=as_the_farm)
    assert "is not its seller" in chain.alerted()[0]
    monkeypatch.setattr(verification, "_refuse_other_seller", do_nothing)
    chain.lie(lambda item: item, unsigned=as_the_farm)
    assert chain.proofs() == ["direct"]


def test_goods_of_older_instances_are_listed_and_marked_as_not_proved(
    farm: Producer, hub: Hub, region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the reseller is newer than the producer's instance: nobody vouches for what it has not seen signed."""
    shop = Hub(region, "c", "shop")
    monkeypatch.setattr(catalogue_upsert, "_signed", lambda item, name: "")
    farm.grant(hub, resell=True)
    monkeypatch.undo()
    regional = hub.as_producer(farm)
    regional.grant(shop)
    assert [item.proof for item in hub.received(farm)] == ["direct"]
    assert [(item.proof, item.price) for item in shop.received(regional)] == [("unproved", 2200)]


# ------------------------------------------------------------------------------------------------ origins


def test_goods_wait_while_their_origin_cannot_be_reached_and_come_when_it_answers(
    farm: Producer, hub: Hub, region: Region
) -> None:
    shop = Hub(region, "c", "shop")
    farm.grant(hub, resell=True)
    regional = hub.as_producer(farm)
    add_people(shop)
    region.cut("a", "c")
    regional.grant(shop)
    assert shop.received(regional) == []
    for _ in range(8):
        clock_of(region).advance(minutes=15)
        minutes(region)
    subjects = {mail.to: mail.subject for mail in mails_at(shop) if "instance" in mail.subject}
    assert subjects["manager@shop.example"] == "Instance B: goods wait for their producer's instance"
    region.mend()
    for _ in range(8):
        clock_of(region).advance(minutes=60)
        minutes(region)
    assert [item.proof for item in shop.received(regional)] == ["proved"]


def test_an_origin_under_another_root_key_is_not_believed_until_its_fingerprint_is_compared(chain: Chain) -> None:
    region, shop = chain.region, chain.shop
    genuine = fingerprints(shop)
    clock_of(region).advance(hours=25)
    taken_over = document_with_keys_of("d", region, at="a")
    region.wires.before = lambda origin, request: taken_over if request.url == region["a"].iri else None
    minutes(region, 2)
    with shop.read() as tx:
        assert [entry.kind for entry in alerts(tx)] == ["origin"]
        assert "has not signed" in origins(tx)[0].doubt
    chain.lie(lambda item: replace(item, item=replace(item.item, name="Red")))
    assert "are in doubt" in chain.alerted()[0]
    assert chain.proofs() == ["proved"]  # what is listed stays
    region.wires.before = lambda origin, request: None
    fetched = fetch_document(shop.federation, region["a"].iri)
    with shop.write() as tx:
        trust_origin(shop.federation, tx, fetched)
    assert fingerprints(shop) == genuine
    chain.lie(lambda item: replace(item, item=replace(item.item, name="Red")))
    assert len(chain.alerted()) == 1


def test_new_keys_of_an_origin_are_fetched_when_it_signs_with_them(chain: Chain) -> None:
    region = chain.region
    clock_of(region).advance(hours=1)
    for _ in range(2):  # to the key that stood by and is known, and to one that the shop has never seen
        with chain.farm.write() as tx:
            rotate(chain.farm.federation, tx, at_once=True)
        region.work()
    with chain.farm.write() as tx:
        set_price(tx, "farm", chain.farm.item, 2100)
    region.work()
    minutes(region, 3)
    statement, document = read_statement(chain.sent().origin)
    assert statement.price == 2100
    assert chain.proofs() == ["proved"]
    assert chain.alerted() == []
    assert document["proof"]["verificationMethod"].endswith("#k3")


def test_a_peer_that_invents_origins_comes_to_an_end(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commensal_federation.catalogue.origins.MOST_UNKNOWN", 1)
    for number in range(3):
        host = f"https://nobody{number}.example"

        def invented(item: OfferedItem, host: str = host) -> OfferedItem:
            return replace(
                altered_origin(
                    item,
                    actor=f"{host}/.well-known/commensal",
                    seller=f"{host}/api/dfc/enterprises/1",
                    item=f"{host}/api/dfc/catalog_items/1",
                    id=f"{host}/x",
                )
            )

        chain.lie(invented)
    with chain.shop.read() as tx:
        unknown = tx.all(select(federation_origin.c.iri).where(federation_origin.c.document == ""))
    assert len(unknown) == 1
    assert "have never answered" in chain.alerted()[0]


def fingerprints(place: Place) -> list[str]:
    with place.read() as tx:
        return [origin.fingerprint for origin in origins(tx)]
