"""What was signed about an order is one file, which a third party verifies without an instance."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update
from typer.testing import CliRunner

from commensal.base.errors import Conflict, NotFound
from commensal.parts.cli import app
from commensal_federation.catalogue.tables import federation_told_price
from commensal_federation.delivery.sync.sweeping import forget_old
from commensal_federation.evidence import verifying
from commensal_federation.evidence.verifying import verify_evidence
from commensal_federation.evidence.writing import BadEvidence, evidence_of
from commensal_federation.identity.rotation import rotate
from commensal_federation.messages.offer_statement import name_of
from commensal_federation.orders.questions import orders_of
from commensal_federation.orders.tables import federation_order_message
from commensal_federation.orders.work import KEPT, forget_statements
from commensal_federation.provenance.tables import federation_statement
from commensal_federation.signing import canonical
from commensal_federation.testing import Region

from .conftest import NewRegion
from .moves import farm_of_ann, move
from .trading import Hub, Place, Producer, answer, clock_of, close, folder_at, minutes, only_order, region_of_peers

PEERS = ("ab", "bc")
BOTH = True  # databases
Change = Callable[[dict[str, Any]], object]


def evidence(place: Place) -> bytes:
    order = only_order(place)
    with place.read() as tx:
        return evidence_of(place.federation, tx, place.id, order.id)


@pytest.fixture
def shop(region: Region) -> Hub:
    return Hub(region, "c", "shop")


@pytest.fixture
def sold(farm: Producer, hub: Hub, shop: Hub) -> Producer:
    """The regional hub, through which the shop's customers have ordered ten crates of the farm's, of which eight come.

    The shop's instance has ordered eight since, because the farm's answer was passed back to it.
    """
    farm.grant(hub, resell=True)
    regional = hub.as_producer(farm)
    regional.grant(shop)
    shop.trust()
    shop.order(shop.sell(regional), 10)
    close(farm.region)
    answer(farm, 8)
    minutes(farm.region, 2)
    return regional


def test_the_file_proves_who_ordered_what_of_whom_and_what_the_producer_had_asked(
    sold: Producer, farm: Producer, shop: Hub
) -> None:
    proved = verify_evidence(evidence(shop))
    assert (proved.buyer, proved.supplier, proved.state) == (shop.iri, sold.iri, "Complete")
    (line,) = proved.lines
    assert (line.name, line.ordered, line.confirmed, line.price) == ("Apples", 8, 8, 2200)
    assert (line.stated, line.producer, line.producer_name) == (True, farm.iri, "farm")
    assert (line.producer_price, line.producer_currency) == (2000, "EUR")
    assert [(signer.iri[:17], signer.bound) for signer in proved.signers] == [
        ("https://a.example", "fetched"),
        ("https://b.example", "peer"),
        ("https://c.example", "own"),
    ]


def test_both_sides_of_an_order_export_the_same_facts(sold: Producer, farm: Producer, hub: Hub) -> None:
    """Of the order between the regional hub and the farm, whose goods are its own."""
    with hub.read() as tx:
        (bought,) = [order for order in orders_of(tx, "hub") if order.role == "buyer"]
        file = evidence_of(hub.federation, tx, "hub", bought.id)
    facts = [replace(verify_evidence(body), exporter="", signers=()) for body in (file, evidence(farm))]
    assert facts[0] == facts[1]
    assert facts[0].lines[0].producer == farm.iri


def without(document: dict[str, Any], part: str, index: int) -> None:
    del document[part][index]


def alter(document: dict[str, Any], part: str, index: int, before: str, after: str) -> None:
    entry = document[part][index]
    assert before in entry["text"]
    entry["text"] = entry["text"].replace(before, after, 1)


FORGERIES: dict[str, tuple[Change, str]] = {
    "a price in a statement": (lambda file: alter(file, "statements", 0, '"price":2', '"price":1'), "statement zQm"),
    "a quantity in the order": (lambda file: alter(file, "messages", 0, '"8"', '"11"'), "message 1 (OrderUpdate)"),
    "the answer": (lambda file: alter(file, "messages", 1, '"8"', '"9"'), "message 2 (OrderAnswer)"),
    "no statements": (lambda file: file["statements"].clear(), "its statement zQm"),
    "no keys of the farm": (lambda file: without(file, "signers", 0), "the keys of https://a.example"),
    "no answer": (lambda file: without(file, "messages", 1), "the seal of the exporter"),
    "a line that names no statement": (lambda file: file["lines"].clear(), "the seal of the exporter"),
    "another way in which a key was known": (
        lambda file: file["signers"][0].update(bound="peer"),
        "the seal of the exporter",
    ),
    "another fingerprint": (lambda file: file["signers"][0].update(fingerprint="0" * 47), "their fingerprint"),
    "another order": (lambda file: file.update(order="https://c.example/api/dfc/orders/1"), "it is another order"),
}


def test_an_altered_file_is_refused_and_says_which_part(sold: Producer, shop: Hub) -> None:
    body = evidence(shop)
    for forgery, (change, part) in FORGERIES.items():
        document = json.loads(body)
        change(document)
        with pytest.raises(BadEvidence) as refused:
            verify_evidence(canonical(document))
        assert part in str(refused.value), forgery


OTHERS: tuple[Any, ...] = (None, -1, "x", [], {"a": []})  # what a forger could write in any place


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each part of a JSON document, of the containers too."""
    if path:
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from leaves(inner, (*path, key))


def test_whatever_stands_in_a_part_of_the_file_it_is_refused_by_name(
    sold: Producer, shop: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the forger has signed everything: the file is an attacker's from its first byte to its last."""
    monkeypatch.setattr(verifying, "verify", lambda *_, **__: None)
    body = evidence(shop)
    for path in leaves(json.loads(body)):
        for other in OTHERS:
            document = json.loads(body)
            place = document
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = other
            with contextlib.suppress(BadEvidence):
                verify_evidence(json.dumps(document).encode())


def test_a_producers_statement_about_other_goods_proves_nothing(
    sold: Producer, shop: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reseller could name any statement of a producer that it has got as the origin of its own goods."""
    monkeypatch.setattr(verifying, "verify", lambda *_, **__: None)
    document = json.loads(evidence(shop))
    resold, origin = sorted(document["statements"], key=lambda entry: "origin" not in json.loads(entry["text"]))
    other = json.loads(origin["text"])
    other["product"]["dfc-b:hasQuantity"] = ["50 Kilogram"]
    origin["text"] = canonical(other).decode()
    origin["name"] = name_of(origin["text"])
    reseller = json.loads(resold["text"])
    reseller["origin"] = origin["name"]
    before, resold["text"] = resold["name"], canonical(reseller).decode()
    resold["name"] = name_of(resold["text"])
    for line in document["lines"]:
        line["statement"] = resold["name"] if line["statement"] == before else line["statement"]
    with pytest.raises(BadEvidence, match="is of other goods"):
        verify_evidence(canonical(document))


def test_a_file_that_is_cut_off_is_refused(sold: Producer, shop: Hub) -> None:
    body = evidence(shop)
    for part in (0.2, 0.5, 0.999):
        with pytest.raises(BadEvidence, match="cut off"):
            verify_evidence(body[: int(len(body) * part)])


@pytest.mark.long  # seconds
def test_evidence_outlives_messages_revisions_and_keys(sold: Producer, farm: Producer, shop: Hub) -> None:
    """After years the keys of that time are gone from instances' documents; the file still has them."""
    before = verify_evidence(evidence(shop))
    assert all(line.stated for line in before.lines), "and what is compared below is there"
    for place in (farm, sold, shop):
        for _ in range(2):
            with place.write() as tx:
                rotate(place.federation, tx, at_once=True)
    for _ in range(50):
        clock_of(farm.region).advance(days=9)
        minutes(farm.region)
    for place in (farm, sold, shop):
        with place.write() as tx:
            forget_old(tx)
            forget_statements(place.federation, tx)
    assert replace(verify_evidence(evidence(shop)), signers=()) == replace(before, signers=())


def test_statements_that_nothing_names_any_more_are_forgotten(farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    with farm.write() as tx:
        tx.execute(delete(federation_told_price))
        tx.execute(update(federation_statement).values(verified_at=tx.now - 2 * KEPT))
        forget_statements(farm.federation, tx)
        assert tx.all(federation_statement.select()) == []
    with hub.write() as tx:
        forget_statements(hub.federation, tx)
        assert len(tx.all(federation_statement.select())) == 1  # its catalogue names it


def test_commands_write_and_verify_the_file_and_name_what_was_altered(
    sold: Producer, shop: Hub, region: Region, tmp_path: Path
) -> None:
    folder, file = folder_at(region, "c", tmp_path / "shop"), tmp_path / "evidence.json"
    run = CliRunner().invoke
    order = only_order(shop).id
    written = run(app, ["federation", "evidence", "shop", order, "-o", str(file), "--instance", str(folder)])
    assert written.exit_code == 0, written.output
    verified = run(app, ["federation", "verify-evidence", str(file)])
    assert verified.exit_code == 0, verified.output
    assert "All signatures hold." in verified.output
    assert "8 Apples at €22.00; confirmed: 8" in verified.output
    assert "signed by farm" in verified.output
    file.write_text(file.read_text().replace('\\"price\\":2000', '\\"price\\":1000'))
    altered = run(app, ["federation", "verify-evidence", str(file)])
    assert altered.exit_code == 1
    assert "NOT PROVED: statement zQm" in altered.output


def test_an_order_is_proved_at_the_old_home_when_its_producer_has_moved(new_region: NewRegion) -> None:
    region = region_of_peers(new_region, "ab", "bc", "ac")
    farm, hub = farm_of_ann(region), Hub(region, "b")
    farm.grant(hub)
    hub.order(hub.sell(farm), 3)
    close(region)
    order_id, proved = only_order(farm).id, verify_evidence(evidence(farm))
    assert proved.lines[0].producer_price == 2000
    there = move(farm)
    with farm.write() as tx:
        forget_statements(farm.federation, tx)
        assert verify_evidence(evidence_of(farm.federation, tx, farm.id, order_id)) == proved
    with there.write() as tx:
        (line,) = verify_evidence(evidence_of(there.federation, tx, there.id, order_id)).lines
        assert (line.ordered, line.stated) == (3, False), "the hub has told its order anew, and the offer was of before"
        tx.execute(delete(federation_order_message))
        with pytest.raises(Conflict, match=r"has moved here from https://a\.example"):
            evidence_of(there.federation, tx, there.id, order_id)
    with farm.read() as tx, pytest.raises(NotFound):
        evidence_of(farm.federation, tx, "another farm", order_id)


def test_an_order_of_an_older_version_says_that_nothing_signed_is_kept(sold: Producer, shop: Hub) -> None:
    with shop.write() as tx:
        tx.execute(delete(federation_order_message))
    with pytest.raises(Exception, match="No signed message about this order is kept"):
        evidence(shop)
