"""The run sheet on a driver's telephone: without a network, killed in between, with a sender who cancels meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from sqlalchemy import insert, select

from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise_member
from commensal.instance import Instance
from commensal.parts.demo.story import live
from commensal.people.people import add_person, new_person
from commensal_transport.bookings.bookings import Booking
from commensal_transport.bookings.codes import codes_of, proof_of
from commensal_transport.bookings.driving import open_conflicts
from commensal_transport.tables import transport_event
from commensal_transport.trips.trips import Trip

from ..plugins.valley import Valley, open_valley
from .conftest import PASSWORD
from .person import Person
from .telephone import closes_and_opens_again, forget_everything, has_sent_everything, is_ready, opens_and_keeps, stored

DRIVER = "gardener@example.org"
CAMERA = """
    window.BarcodeDetector = class { async detect() { return window.seen ? [{ rawValue: window.seen }] : []; } };
    navigator.mediaDevices.getUserMedia = async () => new MediaStream();
"""  # what the browser of a telephone has and this one lacks: it sees the code in `seen`


@pytest.fixture
def plugins() -> list[str]:
    return ["shop", "office", "transport"]


@pytest.fixture
def valley(instance: Instance, clock: ManualClock) -> Valley:
    """The gardener may log in."""
    valley = open_valley(instance, clock)
    with valley.store.write() as tx:
        noe = add_person(tx, new_person(email=DRIVER, name="Noé", password=PASSWORD, language="fr"), confirmed=True)
        assert noe is not None
        row = {"enterprise_id": "gardener", "person_id": noe.id, "role": "owner", "since": tx.now}
        tx.execute(insert(enterprise_member).values(row))
    return valley


@pytest.fixture
def trip(valley: Valley) -> Trip:
    """The gardener drives with goods of the baker and of the dairy."""
    trip = valley.trip(vehicle=valley.vehicle(cold=20, keeping="cold4"))
    for guest in ("baker", "dairy"):
        valley.book(guest, trip)
    return valley.again(trip)


@pytest.fixture
def telephone(browser: WebDriver, valley: Valley) -> Iterator[Person]:
    """A telephone with a fresh browser, which may lose its network and then complains about that."""
    person = Person(browser, valley.instance.settings.base_url)
    person.on_a_screen(360, "light")
    yield person
    forget_everything(person)
    person.complaints()


def served(valley: Valley) -> AbstractContextManager[str]:
    return live(valley.instance, port=urlsplit(valley.instance.settings.base_url).port or 0)


def sheet_of(trip: Trip) -> str:
    return f"/office/gardener/transport/trips/{trip.id}"


# In one go: the page draws its entries anew at any moment, and takes away elements that were found before.
_NONE_IS_SHOWN = """
const found = document.evaluate(arguments[0], document, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE, null);
for (let at = 0; at < found.snapshotLength; at++) if (found.snapshotItem(at).checkVisibility()) return false;
return true
"""


def presses(person: Person, booking: Booking, deed: str, **typed: str) -> None:
    """Notes what happened to a booking; fields are written into first."""
    entry = f"//*[@data-booking = '{booking.id}' and .//button[contains(., '{deed}')]]"
    for name, text in typed.items():
        field = person.find(f"{entry}//input[@name = '{name}']")
        field.clear()
        field.send_keys(text)
    person.find(f"{entry}//button[contains(., '{deed}')]").click()
    shown = f"//*[@data-booking = '{booking.id}']//*[@class = 'state'][contains(., '{deed}')]"
    person.waits_until(lambda: person.driver.find_elements(By.XPATH, shown), f"{deed} on the run sheet")
    assert person.script(_NONE_IS_SHOWN, f"{entry}//button"), "it can be noted once more"


def scans(person: Person, code: str, answer: str) -> None:
    """Holds the telephone over a QR code."""
    person.script("window.seen = arguments[0]", code)
    person.button("Scanner un code").click()
    person.waits_until(lambda: answer in person.text, f"{answer!r} after a scan")


def types_a_code(person: Person, booking: Booking, code: str | None, answer: str) -> None:
    """Types a code that is refused on the telephone."""
    entry = f"//*[@data-booking = '{booking.id}' and .//button[contains(., 'Chargé')]]"
    field = person.find(f"{entry}//input[@name = 'code']")
    field.clear()
    field.send_keys(code or "")
    person.find(f"{entry}//button[contains(., 'Chargé')]").click()
    person.waits_until(lambda: answer in person.text, f"{answer!r} after a code was typed")


def proofs(valley: Valley, booking: Booking) -> list[str]:
    """What proves each event of a booking."""
    event = transport_event.c
    with valley.store.read() as tx:
        rows = tx.all(select(event.event, event.code).where(event.booking_id == booking.id).order_by(event.id))
        return [proof_of(codes_of(tx, [booking.id]), booking.id, row["event"], row["code"]) for row in rows]


def happened(valley: Valley, trip: Trip) -> list[tuple[str, str]]:
    """Sender and event of everything that was reported, in its order."""
    senders = {booking.id: booking.sender_id for booking in valley.bookings(trip)}
    query = select(transport_event.c.booking_id, transport_event.c.event).order_by(transport_event.c.id)
    with valley.store.read() as tx:
        return [(senders[row["booking_id"]], row["event"]) for row in tx.all(query)]


def by_sender(valley: Valley, trip: Trip) -> dict[str, Booking]:
    return {booking.sender_id: booking for booking in valley.bookings(trip)}


def test_a_whole_round_without_a_network_is_recorded_once(telephone: Person, valley: Valley, trip: Trip) -> None:
    loads, sheet = by_sender(valley, trip), sheet_of(trip)
    with valley.store.read() as tx:
        dairy, baker = (codes_of(tx, [loads[farm].id])[loads[farm].id] for farm in ("dairy", "baker"))
    telephone.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": CAMERA})
    with served(valley):
        opens_and_keeps(telephone, sheet, DRIVER)
    presses(telephone, loads["gardener"], "Chargé")
    scans(telephone, f"commensal:load:{dairy['deliver'].secret}", "Dairy : ce code a déjà servi, ou ce n’est pas")
    scans(telephone, f"commensal:load:{'0' * 32}", "Ce code est celui d’un autre chargement, d’une autre tournée")
    scans(telephone, f"commensal:load:{dairy['pick_up'].secret}", "Dairy : le code est bon.")
    presses(telephone, loads["dairy"], "Chargé", crates="2", celsius="3,5", empties="4")
    assert "Hors ligne · 2 à envoyer" in telephone.text
    closes_and_opens_again(telephone, sheet)
    assert "Hors ligne · 2 à envoyer" in telephone.text, "what happened is still known"
    types_a_code(telephone, loads["baker"], dairy["pick_up"].secret, "Ce code est celui d’un autre chargement")
    types_a_code(telephone, loads["baker"], f"{int(baker['pick_up'].short) + 1:07}", "Ce n’est pas le code")
    presses(telephone, loads["baker"], "Chargé", code=baker["pick_up"].short)
    for farm in ("gardener", "dairy", "baker"):
        presses(telephone, loads[farm], "Déchargé")
    assert happened(valley, trip) == []
    with served(valley):
        telephone.goes_to(sheet)
        is_ready(telephone)
        has_sent_everything(telephone)
        telephone.follows("Tout est livré")
        is_ready(telephone)
        telephone.presses("établir le décompte")
        assert "Tournée faite. Le décompte est prêt." in telephone.text
    order = [(farm, "pick_up") for farm in ("gardener", "dairy", "baker")]
    assert happened(valley, trip) == order + [(farm, "deliver") for farm, _ in order]
    with valley.store.read() as tx:
        event = transport_event.c
        of_dairy = event.booking_id == loads["dairy"].id
        (row, _) = tx.all(
            select(event.crates, event.celsius, event.empties, event.noted_at).where(of_dairy).order_by(event.id)
        )
    assert (row["crates"], str(row["celsius"]), row["empties"]) == (2, "3.5", 4)
    assert row["noted_at"] is not None
    assert proofs(valley, loads["dairy"]) == ["code", "word"]
    assert proofs(valley, loads["baker"]) == ["code", "word"]


def test_what_a_sender_cancelled_meanwhile_is_listed_and_decided_by_people(
    telephone: Person, valley: Valley, trip: Trip
) -> None:
    loads, sheet = by_sender(valley, trip), sheet_of(trip)
    with served(valley):
        opens_and_keeps(telephone, sheet, DRIVER)
    valley.report("baker", loads["baker"], "cancel")
    presses(telephone, loads["baker"], "Chargé")
    with served(valley):
        telephone.goes_to(sheet)
        is_ready(telephone)
        has_sent_everything(telephone)
        telephone.waits_until(lambda: "Non enregistré" in telephone.text, "the conflict on the telephone")
        telephone.goes_to(f"{sheet}?once-more")
        is_ready(telephone)
        assert "Noté sur un téléphone, et non enregistré" in telephone.text
        telephone.presses("Réglé")
        assert "et non enregistré" not in telephone.text
    assert happened(valley, trip) == [("baker", "cancel")]
    with valley.store.read() as tx:
        assert open_conflicts(tx, trip.id) == []


def test_the_telephone_forgets_the_sheet_when_its_driver_leaves(telephone: Person, valley: Valley, trip: Trip) -> None:
    with served(valley):
        opens_and_keeps(telephone, sheet_of(trip), DRIVER)
        telephone.presses("Se déconnecter")
        left = stored(telephone)
    assert left == [[], [], []]


def test_the_telephone_forgets_the_sheet_at_the_end_of_the_day(telephone: Person, valley: Valley, trip: Trip) -> None:
    sheet = sheet_of(trip)
    with served(valley):
        opens_and_keeps(telephone, sheet, DRIVER)
    tomorrow = "const now = Date.now; Date.now = () => now() + 4 * 86_400_000;"
    telephone.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": tomorrow})
    telephone.driver.get(f"{telephone.url.rstrip('/')}{sheet}")
    count = """
        const open = indexedDB.open("transport");
        return new Promise((resolve) => open.onsuccess = () => {
          const all = open.result.transaction("lists").objectStore("lists").count();
          all.onsuccess = () => { open.result.close(); resolve(all.result); };
        })"""
    telephone.waits_until(lambda: telephone.script(count) == 0, "a telephone without the sheet")
