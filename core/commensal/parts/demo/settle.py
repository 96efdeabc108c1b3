"""Writes the people and enterprises of the region, the grants between enterprises, and the customers of hubs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from ...catalogs.catalogs import SELLING, create_catalog
from ...enterprises.customer_categories import create_category
from ...enterprises.customers import create_customer
from ...enterprises.enterprises import create_enterprise
from ...enterprises.fields import slugs_for
from ...enterprises.grants import grant
from ...enterprises.members import add_member
from ...enterprises.plugins import enable_plugin, offered_plugins
from ...hooks.dispatcher import Hooks
from ...people.people import NewPerson
from ...storage.database import Transaction
from ..accounts.operators import add_confirmed_person
from ..terminal.shell import spoken
from .values import DemoRegion, DrawnProducer, Enterprises, Hub, PeopleIds, Progress, Somebody

OPERATOR = Somebody(name="Dominique Régisseur", email="operateur@example.org", phone="")


def settle_people(tx: Transaction, region: DemoRegion, password_hash: str, watch: Progress) -> PeopleIds:
    """Writes all people. They share one password, so that its hash, which is slow by design, is made once."""

    def write(somebodies: Iterable[Somebody]) -> list[str]:
        return [_add(tx, somebody, password_hash) for somebody in somebodies]

    _add(tx, OPERATOR, password_hash, is_operator=True)
    return PeopleIds(
        hub_owners=write(hub.owner for hub in region.hubs),
        packers=write(hub.packer for hub in region.hubs),
        producer_owners=write(producer.owner for producer in region.producers),
        shoppers=write(shopper.somebody for shopper in watch(region.shoppers, spoken("People"))),
    )


REPORTS = ("distribution_lists", "sales", "custom_report")  # plugins with lists and figures


def settle_enterprises(
    tx: Transaction, hooks: Hooks, region: DemoRegion, people: PeopleIds, also: Collection[str] = ()
) -> Enterprises:
    """Writes hubs with a catalog, a customer category and the plugins of the demo, and producers that let them sell.

    `also` are further plugins for every hub.
    """
    hubs = [_enterprise(tx, hub, owner, is_hub=True) for hub, owner in zip(region.hubs, people.hub_owners, strict=True)]
    for hub_id, hub in zip(hubs, region.hubs, strict=True):
        add_member(tx, hub_id, email=hub.packer.email, role="packer")
        for plugin in _plugins(hooks, {"cash", *REPORTS, *also}):
            enable_plugin(tx, hooks, hub_id, plugin, {})
    producers = []
    for producer, owner in zip(region.producers, people.producer_owners, strict=True):
        producers.append(_enterprise(tx, producer, owner, is_producer=True))
        for place in producer.hubs:
            for scope in SELLING:
                grant(tx, producers[-1], hubs[place], scope, by=owner)
    return Enterprises(
        hubs=hubs,
        producers=producers,
        categories=[create_category(tx, id, name=hub.category).id for id, hub in zip(hubs, region.hubs, strict=True)],
        catalogs=[create_catalog(tx, enterprise_id=hub_id, name="Catalogue").id for hub_id in hubs],
    )


def settle_customers(tx: Transaction, region: DemoRegion, enterprises: Enterprises, watch: Progress) -> None:
    """Makes each shopper a customer of the hubs where they buy."""
    for shopper in watch(region.shoppers, spoken("Customers")):
        somebody = shopper.somebody
        for place in shopper.hubs:
            groups = [enterprises.categories[place]] if shopper.in_category else []
            create_customer(
                tx,
                enterprises.hubs[place],
                email=somebody.email,
                name=somebody.name,
                phone=somebody.phone,
                categories=groups,
            )


def _plugins(hooks: Hooks, usual: Collection[str]) -> list[str]:
    """The usual plugins, and those that write demo data of their own."""
    return [
        plugin for plugin in offered_plugins(hooks) if plugin in usual or "demo_data" in hooks.implemented_by(plugin)
    ]


def _add(tx: Transaction, somebody: Somebody, password_hash: str, *, is_operator: bool = False) -> str:
    new_person = NewPerson(
        email=somebody.email, name=somebody.name, phone=somebody.phone, language="fr", password_hash=password_hash
    )
    person = add_confirmed_person(tx, new_person, is_operator=is_operator)
    assert person is not None, f"{somebody.email} was there before; the demo fills new instances only"
    return person.id


def _enterprise(tx: Transaction, enterprise: Hub | DrawnProducer, owner_id: str, **kind: Any) -> str:
    place = enterprise.place
    return create_enterprise(
        tx,
        owner_id=owner_id,
        currency="EUR",
        name=enterprise.name,
        description=f"<p>{enterprise.description}</p>",
        visibility="public",
        email=f"{next(slugs_for(enterprise.name, owner_id))}@example.org",
        phone=enterprise.phone,
        street=place.street,
        postcode=place.postcode,
        city=place.city,
        country="FR",
        latitude=place.latitude,
        longitude=place.longitude,
        language="fr",
        timezone="Europe/Paris",
        prices_include_vat=True,
        **kind,
    ).id
