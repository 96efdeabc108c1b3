"""A sale closes, and goods of three instances come to a hub with one van, whose driver has no network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from sqlalchemy import insert

from commensal.enterprises.tables import enterprise_member
from commensal.people.people import add_person, new_person

from ..federation.carrying import Road, open_road
from ..federation.over_http import regions_over_http
from ..federation.trading import Place, minutes
from .conftest import PASSWORD
from .person import Person
from .telephone import closes_and_opens_again, forget_everything, has_sent_everything, is_ready, opens_and_keeps

pytestmark = pytest.mark.long  # a minute
LARGEST = 100_000  # bytes of a page with its scripts


@pytest.fixture
def person(browser: WebDriver) -> Person:
    """All of them, one after the other, at one telephone."""
    person = Person(browser, "")
    person.on_a_screen(360, "light")
    return person


def logs_in(person: Person, place: Place, page: str) -> None:
    """Somebody of this enterprise opens one of its pages; who was there before is gone."""
    person.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    person.url = place.federation.base
    person.goes_to(f"/login?next=/office/{place.id}/{page}")
    person.writes(email=f"zoe@{place.id}.example.org", password=PASSWORD)
    person.presses("Se connecter")
    assert person.script("return document.documentElement.outerHTML.length") < LARGEST


def employ(place: Place) -> None:
    zoe = new_person(email=f"zoe@{place.id}.example.org", name="Zoé", password=PASSWORD, language="fr")
    with place.write() as tx:
        added = add_person(tx, zoe, confirmed=True)
        assert added is not None
        row = {"enterprise_id": place.id, "person_id": added.id, "role": "owner", "since": tx.now}
        tx.execute(insert(enterprise_member).values(row))


def reads_the_code(person: Person) -> str:
    """The seven digits that stand on a delivery note."""
    (code,) = re.findall(r"à saisir (\d{3} \d{4})", person.text)
    return str(code)


def presses(person: Person, sender: str, deed: str, code: str = "") -> None:
    """Notes at a stop what happened to the goods of somebody."""
    entry = f"//*[@data-booking and .//button[contains(., '{deed}') and contains(., '{sender}') and not(@hidden)]]"
    booking = person.find(entry).get_attribute("data-booking")
    if code:
        person.find(f"{entry}//input[@name = 'code']").send_keys(code)
    person.find(f"{entry}//button[contains(., '{deed}')]").click()
    state = f"//*[@data-booking = '{booking}']//*[@class = 'state']"
    person.waits_until(lambda: deed in person.find(state).text, f"{deed}: {sender}")


def books(person: Person, road: Road, farm: Place) -> str:
    """A farm reads the price at another instance, books with one click, and gets its delivery note."""
    logs_in(person, farm, "transport")
    person.presses("Réserver")
    assert "Commandé" in person.text
    road.region.work()
    minutes(road.region, 2)
    person.goes_to(f"/office/{farm.id}/transport")
    assert "réservé" in person.text
    person.follows("Bon de livraison avec le code")
    return reads_the_code(person)


def test_one_van_carries_the_goods_of_three_instances_and_all_read_one_statement(
    person: Person, tmp_path: Path
) -> None:
    with regions_over_http(tmp_path) as http:
        road = open_road(http, "shop", "office", others=("c",), mill_at="c", with_orchard=True)
        orchard = Place(road.region, "b", "orchard")
        for place in (road.farm, road.mill, road.hub, orchard):
            employ(place)
        logs_in(person, road.mill, "transport/drive")
        person.presses("Proposer la place")
        sheet = person.path
        road.region.work()
        minutes(road.region, 2)
        shown = {"farm": books(person, road, road.farm), "orchard": books(person, road, orchard)}

        logs_in(person, road.hub, "transport")
        assert person.text.count("apporté par") == 3
        taken = {}
        for farm, name in (("farm", "farm ("), ("orchard", "Orchard")):
            person.goes_to("/office/near/transport")
            person.find(f"//li[contains(., '{name}')]//a[contains(., 'Code pour le chauffeur')]").click()
            person.waits_until(lambda: "Code pour le chauffeur qui décharge" in person.text, "the code of the hub")
            taken[farm] = reads_the_code(person)

        person.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        person.url = road.mill.federation.base
        opens_and_keeps(person, sheet, "zoe@mill.example.org")
        with http.away("c"):
            for farm in ("mill", "farm", "Orchard"):
                presses(person, farm, "Chargé", shown.get(farm.lower(), ""))
            closes_and_opens_again(person, sheet)
            for farm in ("mill", "farm", "Orchard"):
                presses(person, farm, "Déchargé", taken.get(farm.lower(), ""))
        person.goes_to(sheet)
        is_ready(person)
        has_sent_everything(person)
        person.follows("Tout est livré")
        is_ready(person)
        person.presses("établir le décompte")
        forget_everything(person)
        road.region.work()
        minutes(road.region, 2)

        digests = []
        for place in (road.farm, orchard, road.hub):
            logs_in(person, place, "transport")
            person.find("//a[contains(@href, '/statements/')]").click()
            person.waits_until(lambda: "même décompte" in person.text, "the statement")
            digests += re.findall("[0-9a-f]{16}", person.text)
            assert ("Vous devez" in person.text) == (place is not road.hub)
        assert len(digests) == 3
        assert len(set(digests)) == 1
        logs_in(person, road.hub, "transport")
        assert person.text.count("livré") >= 3
        person.find("//li[contains(., 'Orchard')]//a[contains(., 'Bon de livraison')]").click()
        person.waits_until(lambda: "Ce qui s’est passé" in person.text, "what happened")
        assert "prouvé par le code" in person.text
