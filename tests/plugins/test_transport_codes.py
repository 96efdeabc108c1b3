"""Codes that prove a hand-over: shown by one side, checked by the carrier without a network, and good for one thing."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from commensal import Conflict, Invalid
from commensal.base.clock import ManualClock
from commensal.instance import Instance
from commensal_transport.bookings.bookings import Booking
from commensal_transport.bookings.codes import Step, codes_of, digest_of, proof_of, read_code
from commensal_transport.tables import transport_event

from .test_transport_pages import member
from .valley import Valley, open_valley

PLUGINS = ("shop", "office", "transport")
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def valley(instance: Instance, clock: ManualClock) -> Valley:
    return open_valley(instance, clock)


def secret(valley: Valley, booking: Booking, step: Step) -> str:
    with valley.store.read() as tx:
        known = codes_of(tx, [booking.id])[booking.id][step].secret
    assert known is not None
    return known


def short(valley: Valley, booking: Booking, step: Step) -> str:
    with valley.store.read() as tx:
        return codes_of(tx, [booking.id])[booking.id][step].short


def proofs(valley: Valley, booking: Booking) -> list[str]:
    event = transport_event.c
    with valley.store.read() as tx:
        codes = codes_of(tx, [booking.id])
        rows = tx.all(select(event.event, event.code).where(event.booking_id == booking.id).order_by(event.id))
        return [proof_of(codes, booking.id, row["event"], row["code"]) for row in rows]


def test_codes_of_another_load_another_end_and_forged_ones_are_refused_and_a_right_one_counts_once(
    valley: Valley,
) -> None:
    trip = valley.trip(vehicle=valley.vehicle(cold=20, keeping="cold4"))
    baker, dairy = valley.book("baker", trip), valley.book("dairy", trip)
    theirs = [secret(valley, baker, "pick_up"), secret(valley, baker, "deliver")]
    forged = digest_of(theirs[0])[:32]  # all that a carrier's instance is told
    for wrong in (secret(valley, dairy, "pick_up"), theirs[1], forged):
        with pytest.raises(Conflict, match="another load, another round, or the other end"):
            valley.report("gardener", baker, "pick_up", code=wrong)
    assert valley.booking(baker).state == "confirmed", "nothing is recorded"
    valley.report("gardener", baker, "pick_up", code=theirs[0])
    with pytest.raises(Conflict, match="cannot happen"):
        valley.report("gardener", baker, "pick_up", code=theirs[0])
    valley.report("gardener", baker, "deliver", code=theirs[1])
    assert proofs(valley, baker) == ["code", "code"]


def test_a_short_code_is_kept_even_if_it_is_wrong_so_that_nobody_tries_them_out(valley: Valley) -> None:
    trip = valley.trip(vehicle=valley.vehicle(cold=20, keeping="cold4"))
    baker, dairy = valley.book("baker", trip), valley.book("dairy", trip)
    valley.report("gardener", baker, "pick_up", code=short(valley, dairy, "pick_up"))
    assert valley.booking(baker).state == "picked_up"
    valley.report("gardener", baker, "deliver", code=short(valley, baker, "deliver"))
    valley.report("gardener", dairy, "pick_up")
    assert proofs(valley, baker) == ["wrong_code", "code"]
    assert proofs(valley, dairy) == ["word"]


def test_a_slip_in_a_short_code_is_found_before_it_is_sent(valley: Valley) -> None:
    code = short(valley, valley.book("baker", valley.trip()), "pick_up")
    assert read_code(f" {code[:3]} {code[3:]} ") == code
    for place in range(7):
        slip = code[:place] + str((int(code[place]) + 1) % 10) + code[place + 1 :]
        with pytest.raises(Invalid, match="not a code of a load"):
            read_code(slip)


def test_each_side_reads_its_own_code_on_paper_while_it_is_of_use(valley: Valley, client: TestClient) -> None:
    trip = valley.trip()
    baker = valley.book("baker", trip)
    codes = {step: short(valley, baker, step) for step in ("pick_up", "deliver")}
    farm, hub = member(valley, client, "baker", language="fr"), member(valley, client, "shop")
    note = farm.go("/office/baker/transport").links()
    assert f"/office/baker/transport/loads/{baker.id}" in note
    paper = farm.go(f"/office/baker/transport/loads/{baker.id}")
    assert "Bon de livraison" in paper.text
    assert [code in re.sub(r"(\d{3}) (\d{4})", r"\1\2", paper.text) for code in codes.values()] == [True, False]
    assert any(attributes.get("src", "").startswith("data:image/svg+xml") for tag, attributes in paper.elements)
    page = hub.go(f"/office/shop/transport/loads/{baker.id}").text.replace(" ", "")
    assert [code in page for code in codes.values()] == [False, True]
    assert member(valley, client, "dairy").client.get(f"/office/dairy/transport/loads/{baker.id}").status_code == 404

    gardener = member(valley, client, "gardener")
    sheet = gardener.go(f"/office/gardener/transport/trips/{trip.id}")
    assert not [code for code in codes.values() if code in sheet.text.replace(" ", "")]
    digests = [attributes["data-digest"] for _, attributes in sheet.elements if "data-digest" in attributes]
    assert digests == [digest_of(secret(valley, baker, step)) for step in ("pick_up", "deliver")]
    entry = {"booking": baker.id, "event": "pick_up", "crates": "3"}
    gardener.post(f"/office/gardener/transport/trips/{trip.id}", **entry, code="1234567")
    assert "This is not a code of a load" in gardener.page.text
    gardener.post(f"/office/gardener/transport/trips/{trip.id}", **entry, code=codes["pick_up"])
    assert "Noted" in gardener.page.text
    text = farm.go(f"/office/baker/transport/loads/{baker.id}").text
    assert "prouvé par le code" in text
    assert "Code pour le chauffeur" not in text, "it has been used"
