"""Legal texts: every version is kept, and an order names the terms of sale that its customer has accepted."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest

from commensal.base.errors import Invalid, NotFound, Refused, Stale
from commensal.enterprises.legal_texts import (
    LegalText,
    has_terms,
    legal_text_by_id,
    legal_text_of,
    legal_texts_of,
    publish_legal_text,
)
from commensal.instance import Instance
from commensal.orders.place import place_order
from commensal.orders.values import Order, Wish
from commensal.parts.privacy.export import my_archive
from commensal.people.people import Person
from commensal.testing.placed import a_lot, a_shop, an_item

TERMS = "Order until Wednesday.\nPay at the market.\n\nFresh food cannot be sent back."


class Hall:
    """A shop that sells one item, and publishes its terms of sale."""

    def __init__(self, instance: Instance) -> None:
        self.instance, self.store = instance, instance.store
        with self.store.write() as tx:
            a_shop(tx)
            self.item = an_item(tx, a_lot(tx, on_hand="100"), name="Leeks", price=1000)

    def publish(self, version: int = 0, **texts: str) -> LegalText:
        with self.store.write() as tx:
            return publish_legal_text(tx, "terms", version, texts, enterprise_id="shop")

    def order(self, terms_id: str = "", *, person: Person | None = None, by_hub: bool = False) -> Order:
        wish = Wish(items={self.item: 1}, name="Ada", email="ada@example.org", language="en", terms_id=terms_id)
        with self.store.write() as tx:
            person_id = person.id if person else None
            return place_order(tx, self.instance.hooks, "shop-session", wish, person_id=person_id, by_hub=by_hub)

    def code_of_refusal(self, terms_id: str = "") -> str:
        with pytest.raises(Refused) as error:
            self.order(terms_id)
        return error.value.problems[0].code if isinstance(error.value, Invalid) else error.value.code


@pytest.fixture
def hall(instance: Instance) -> Hall:
    return Hall(instance)


def test_plain_text_becomes_paragraphs_and_html_is_cleaned(hall: Hall) -> None:
    published = hall.publish(en=TERMS, fr='<h3>Vente</h3><script>alert(1)</script><p onclick="x()">Payez.</p>')
    assert published.texts["en"] == (
        "<p>Order until Wednesday.<br>Pay at the market.</p><p>Fresh food cannot be sent back.</p>"
    )
    assert published.texts["fr"] == "<h3>Vente</h3><p>Payez.</p>"


def test_each_version_is_kept_and_the_latest_is_shown(hall: Hall) -> None:
    first = hall.publish(en="Old.")
    second = hall.publish(first.version, en="New.", fr="Nouveau.")
    with hall.store.read() as tx:
        assert legal_texts_of(tx, "shop") == {"terms": second}
        assert legal_text_by_id(tx, first.id) == first
        assert legal_texts_of(tx) == {}, "the instance has texts of its own"
    assert (first.version, second.version) == (1, 2)
    assert second.text("de", "fr") == ("fr", "<p>Nouveau.</p>")
    assert second.text("it") == ("en", "<p>New.</p>")


def test_whoever_has_not_read_the_current_version_overwrites_nothing(hall: Hall) -> None:
    hall.publish(en="Mine.")
    with pytest.raises(Stale):
        hall.publish(0, en="Theirs.")
    with hall.store.read() as tx:
        assert legal_text_of(tx, "terms", "shop").texts == {"en": "<p>Mine.</p>"}


def test_a_text_in_an_unknown_language_or_of_another_kind_is_refused(hall: Hall) -> None:
    with pytest.raises(Invalid) as error:
        hall.publish(xx="Text.", en="x" * 20_001)
    assert [(problem.code, problem.where) for problem in error.value.problems] == [
        ("language", "/texts/xx"),
        ("too_long", "/texts/en"),
    ]
    with hall.store.write() as tx, pytest.raises(Invalid):
        publish_legal_text(tx, "accessibility", 0, {"en": "Whole."}, enterprise_id="shop")
    with hall.store.write() as tx, pytest.raises(NotFound):
        publish_legal_text(tx, "terms", 0, {"en": "Whole."}, enterprise_id="nobody")


def test_an_order_keeps_the_terms_that_its_customer_accepted(hall: Hall) -> None:
    assert hall.order().terms_id is None, "a shop without terms asks for none"
    old = hall.publish(en="Old.")
    assert hall.code_of_refusal() == "terms_missing"
    assert hall.order(old.id).terms_id == old.id
    new = hall.publish(old.version, en="New.")
    assert hall.code_of_refusal(old.id) == "terms_changed"
    assert hall.order(new.id).terms_id == new.id


def test_terms_that_were_withdrawn_are_asked_of_nobody(hall: Hall) -> None:
    terms = hall.publish(en="Old.")
    with hall.store.read() as tx:
        assert has_terms(tx, "shop"), "pages link them"
    hall.publish(terms.version)
    with hall.store.read() as tx:
        assert not has_terms(tx, "shop")
    assert hall.code_of_refusal(terms.id) == "terms_changed"
    assert hall.order().terms_id is None


def test_an_order_that_the_hub_writes_down_has_accepted_nothing(hall: Hall) -> None:
    hall.publish(en="Terms.")
    assert hall.order(by_hub=True).terms_id is None


def test_the_archive_of_a_person_has_the_terms_that_they_accepted(hall: Hall, somebody: Callable[..., Person]) -> None:
    ada = somebody("ada")
    hall.order(hall.publish(en="Bring bags.").id, person=ada)
    with hall.store.read() as tx:
        archive = zipfile.ZipFile(BytesIO(my_archive(tx, hall.instance, ada.id, "en")))
    assert b"Bring bags." in archive.read("legal_text.json")
    assert b'"terms_id"' in archive.read("customer_order.json")
