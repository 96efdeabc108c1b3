"""A producer that is away is on sale at hubs elsewhere neither, in the days of which it has told them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import insert
from starlette.testclient import TestClient

from commensal.enterprises.tables import enterprise_member
from commensal.enterprises.tokens import make_token
from commensal.parts.accounts.operators import add_operator
from commensal.parts.sale_calendar.absences import absences_of, absent_suppliers, add_absence
from commensal.parts.serving.app import make_app
from commensal.sale_sessions.questions import sale_by_id
from commensal.sale_sessions.visible_offers import offers_for
from commensal_federation.catalogue.away import take_absences
from commensal_federation.delivery.restore.restored import notice_restore
from commensal_federation.grants.questions import mirror_of

from .restoring import Backup
from .test_protocol_attacks import last_sent
from .trading import Hub, Place, Producer, minutes

PEERS = ("ab",)


def client_of(place: Place) -> TestClient:
    """The API for the owner of an enterprise."""
    store = place.instance.store
    ann = add_operator(store, email="ann@example.org", name="Ann", password="a long enough one", language="en")
    with place.write() as tx:
        row = {"enterprise_id": place.id, "person_id": ann.id, "role": "owner", "since": tx.now}
        tx.execute(insert(enterprise_member).values(row))
        token = make_token(tx, ann.id, name="Tests", scopes=frozenset({"products:write", "demand:read"}))
    return TestClient(make_app(place.instance), headers={"Authorization": f"Bearer {token.secret}"})


def day_of_the_sale(hub: Hub) -> date:
    with hub.read() as tx:
        return sale_by_id(tx, "hub-session").session.begins_at.date()


def on_sale(hub: Hub) -> list[str]:
    with hub.read() as tx:
        return [offer.name for offer in offers_for(tx, "hub-session", ())]


def periods(place: Place, enterprise_id: str) -> list[tuple[date, date]]:
    with place.read() as tx:
        return [(absence.first_day, absence.last_day) for absence in absences_of(tx, enterprise_id)]


def copy_of(farm: Producer, hub: Hub) -> str:
    with hub.read() as tx:
        return mirror_of(tx, farm.iri)


def test_a_hub_elsewhere_hears_when_a_producer_is_away_and_when_no_more(farm: Producer, hub: Hub) -> None:
    """By the API of the producer's instance."""
    farm.grant(hub)
    hub.sell(farm)
    client, day = client_of(farm), day_of_the_sale(hub)
    url = "/api/enterprises/farm/absences"
    days = {"first_day": str(day - timedelta(days=1)), "last_day": str(day + timedelta(days=1))}
    assert on_sale(hub) == ["Apples"]
    created = client.post(url, json=days)
    assert created.status_code == 201, created.text
    farm.region.work()
    assert on_sale(hub) == []
    with hub.read() as tx:
        (absent,) = absent_suppliers(tx, "hub-session")
    assert (absent.supplier, absent.last_day) == ("farm", day + timedelta(days=1))
    assert [absence["id"] for absence in client.get(url).json()] == [created.json()["id"]]
    older = last_sent(farm, "CatalogueUpsert")
    assert client.delete(f"{url}/{created.json()['id']}").status_code == 204
    farm.region.work()
    assert on_sale(hub) == ["Apples"]
    with hub.write() as tx:
        take_absences(tx, "hub", farm.iri, replace(older.absences, rev=older.absences.rev - 1))
    assert on_sale(hub) == ["Apples"], "an older word after a newer one"


def test_after_a_restore_a_hub_hears_what_holds_now(farm: Producer, hub: Hub, tmp_path: Path) -> None:
    farm.grant(hub)
    hub.sell(farm)
    backup, day = Backup(farm, tmp_path), day_of_the_sale(hub)
    with farm.write() as tx:
        add_absence(tx, "farm", day, day)
    farm.region.work()
    assert periods(hub, copy_of(farm, hub)) == [(day, day)]
    backup.restore()
    assert notice_restore(farm.federation)
    minutes(farm.region, 10)
    assert periods(farm, "farm") == periods(hub, copy_of(farm, hub)) == []
