"""What two people agree to, and prices from elsewhere, in French on a small telephone."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from commensal.enterprises.tables import enterprise_plugin
from commensal.products.tables import supplied_product
from commensal_bank_transfer.acts import payees_of
from commensal_federation.catalogue.asked_prices import asked_prices
from commensal_federation.catalogue.followed_prices import PriceSource, ToldPrice, follow_prices
from commensal_federation.runtime import federation_of

from .conftest import PASSWORD, Shop
from .orders import a_colleague, olivia
from .person import Person
from .test_office import OFFICE, logs_in
from .test_office_plugins import ACCOUNT, owes_a_supplier

SCREENS = ((360, "light"), (360, "dark"))  # pixels
SECOND, PRICES = f"{OFFICE}/money/second", f"{OFFICE}/producers/prices"
SEPA = f"{OFFICE}/money/suppliers/shop-session/sepa"
THEIRS = "DE89 3704 0044 0532 0130 00"


@pytest.fixture
def plugins() -> list[str]:
    return ["shop", "office", "cash", "pickup", "bank_transfer", "federation"]


@pytest.fixture(autouse=True)
def owing(unplugged_shop: Shop) -> None:
    """Olivia's shop has an account, and owes a bakery for bread."""
    olivia(unplugged_shop)
    rows = [
        {"enterprise_id": "shop", "plugin": plugin, "settings": settings, "version": 1}
        for plugin, settings in {"bank_transfer": ACCOUNT, "federation": {}}.items()
    ]
    with unplugged_shop.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin), rows)
    owes_a_supplier(unplugged_shop)


def colleague_logs_in(shop: Shop, another: Person) -> None:
    email = a_colleague(shop, "Maxime", "manager")
    another.goes_to(f"/login?next={OFFICE}")
    another.writes(email=email, password=PASSWORD)
    another.presses("Se connecter")


def faults_of(person: Person, name: str) -> list[str]:
    """What does not fit, or cannot be read and used."""
    faults = []
    for width, scheme in SCREENS:
        person.on_a_screen(width, scheme)
        faults += [f"{name}, {width} px, {scheme}: {fault}" for fault in person.faults()]
    return [*faults, *(f"{name}: {complaint}" for complaint in person.complaints())]


def bread_costs(shop: Shop, price: int) -> None:
    """The bakery, as if it were elsewhere, asks this price for its bread, in cents."""
    with shop.instance.store.write() as tx:
        bread = tx.value(select(supplied_product.c.id).where(supplied_product.c.name == "Pain"))
        source = PriceSource(
            id="source",
            hub_id="shop",
            iri="https://boulangerie.example/api/dfc/enterprises/1",
            name="Boulangerie de la Petite Sologne",
            peer_id="",
            currency="EUR",
            catalog_id=None,
            margin=None,
        )
        told_price = ToldPrice(iri=f"{source.iri}/items/1", price=price)
        follow_prices(federation_of(shop.instance), tx, source, {bread: told_price})


def waiting(shop: Shop) -> list[int]:
    with shop.instance.store.read() as tx:
        return [each.asked for each in asked_prices(tx, "shop") if not each.kept_off]


def test_two_people_agree_to_the_account_of_a_supplier(person: Person, another: Person, shop: Shop) -> None:
    colleague_logs_in(shop, another)
    logs_in(person)
    person.on_a_screen(360, "light")
    person.goes_to(SEPA)
    person.writes(**{"holder/bakery": "Boulangerie", "iban/bakery": THEIRS})
    person.presses("Enregistrer")
    person.goes_to(SECOND)
    assert THEIRS in person.text
    faults = faults_of(person, "who asked")
    another.goes_to(SECOND)
    assert THEIRS in another.text
    faults += faults_of(another, "who agrees")
    with shop.instance.store.read() as tx:
        assert payees_of(tx, "shop") == {}
    another.presses("Oui")
    with shop.instance.store.read() as tx:
        assert [payee.iban for payee in payees_of(tx, "shop").values()] == [THEIRS.replace(" ", "")]
    assert not faults, "\n".join(faults)


def test_prices_from_elsewhere_are_accepted_and_refused(person: Person, shop: Shop) -> None:
    bread_costs(shop, 300)
    bread_costs(shop, 30_000)
    logs_in(person)
    person.goes_to(PRICES)
    assert "300,00 €" in person.text
    faults = faults_of(person, "a question")
    person.presses("Le laisser hors vente")
    assert waiting(shop) == []
    faults += faults_of(person, "kept off sale")
    bread_costs(shop, 350)
    person.goes_to(PRICES)
    person.presses("Accepter le nouveau prix")
    with shop.instance.store.read() as tx:
        assert asked_prices(tx, "shop") == []
    faults += faults_of(person, "accepted")
    assert not faults, "\n".join(faults)
