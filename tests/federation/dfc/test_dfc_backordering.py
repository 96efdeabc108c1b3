"""A hub orders at platforms known by their address alone: in whole cases, once, whatever happens to the requests; its
customers get what will come.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, SoldOut
from commensal.parts.cli import app
from commensal.parts.serving.app import make_app
from commensal.storage.jobs.clock import trust_clock
from commensal_federation.dfc.vocabulary import DfcEvent
from commensal_federation.linked_catalogues.backorders.sums import backorder_warnings
from commensal_federation.linked_catalogues.links import unlink
from commensal_federation.linked_catalogues.notices import take_notices
from commensal_federation.linked_catalogues.refreshing import refresh
from commensal_federation.runtime import federation_of

from .emitted import faults_of
from .ordering import Buying, an_instance
from .portal import Portal, PortalGood, PortalOrder


@pytest.fixture
def new_hub(tmp_path: Path, clock: ManualClock, sqlite_template: Path) -> Iterator[Callable[..., Buying]]:
    """Makes the hub, which may reach these hosts."""
    hubs: list[Buying] = []

    def make(*hosts: str) -> Buying:
        hubs.append(Buying(an_instance(tmp_path, sqlite_template, clock, "http://hub.example", *hosts), clock))
        return hubs[-1]

    yield make
    for request in hubs:
        request.instance.close()


@pytest.fixture
def hub(new_hub: Callable[..., Buying], portal: Portal) -> Buying:
    """The hub sells all that the portal lists."""
    hub = new_hub(portal.host)
    hub.link(portal.catalogue)
    return hub


def tell_platform(hub: Buying) -> None:
    """Passes the time after which the platform has received the order."""
    hub.minutes()


# ------------------------------------------------------------------------------------------------ as it should be


def test_what_customers_order_is_one_order_there_in_whole_cases_and_complete_at_the_close(
    hub: Buying, portal: Portal
) -> None:
    hub.order({"Vinegar": 4, "Chia": 1})
    hub.order({"Vinegar": 3}, "Bea")
    tell_platform(hub)
    assert portal.counts == [("Held", {"1-case": 2, "3": 1})]
    assert portal.ordering() == ["POST"]
    lines = {line.name: line for line in hub.backorder.lines}
    assert (lines["Vinegar"].pieces, lines["Vinegar"].cases, lines["Vinegar"].surplus) == (7, 2, 5)
    assert {line.answer for line in lines.values()} == {"confirmed"}
    assert (lines["Vinegar"].price, lines["Chia"].price) == (2000, 250)
    hub.order({"Vinegar": 5}, "Cem")
    tell_platform(hub)
    assert portal.ordering() == ["POST"], "twelve pieces are two cases still"
    hub.close()
    assert portal.counts == [("Complete", {"1-case": 2, "3": 1})]
    assert hub.progress == "told"
    assert hub.pieces() == [("Ada", 5), ("Bea", 3), ("Cem", 5)]
    hub.sound()


@pytest.mark.parametrize(("pieces", "cases"), [(3, 3), (12, 1)])
def test_a_case_that_holds_another_number_of_pieces_now_is_ordered_as_often_as_that_takes(
    hub: Buying, portal: Portal, pieces: int, cases: int
) -> None:
    hub.order({"Vinegar": 7})
    tell_platform(hub)
    assert portal.counts == [("Held", {"1-case": 2})]
    portal.goods["1"].pieces = pieces
    refresh(federation_of(hub.instance), hub.backorder.link_id)
    hub.close()
    assert portal.counts == [("Complete", {"1-case": cases})]
    assert hub.pieces() == [("Ada", 7)]
    hub.sound()


def test_the_first_request_is_written_as_open_food_network_writes_it(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    tell_platform(hub)
    (sent_document,) = portal.sent
    assert faults_of(sent_document) == []
    nodes = {node["@type"]: node for node in sent_document["@graph"]}
    product = f"{portal.catalogue}/2"
    assert nodes["dfc-b:Order"]["@id"] == f"{portal.here}/Orders"
    assert nodes["dfc-b:Order"]["dfc-b:orderedBy"] == "http://hub.example/api/dfc/enterprises/hub"
    assert nodes["dfc-b:OrderLine"]["@id"] == f"{portal.here}/Orders/OrderLines/1"
    assert nodes["dfc-b:OrderLine"]["dfc-b:concerns"] == f"{product}/Offer"
    assert nodes["dfc-b:Offer"]["dfc-b:offeredItem"] == {"@id": product}
    assert nodes["dfc-b:SaleSession"]["dfc-b:endDate"] == "Fri Jun 05 2026 10:00:00 UTC"
    assert "Ada" not in json.dumps(sent_document)


def test_orders_are_amended_and_what_nobody_wants_any_more_is_cancelled(hub: Buying, portal: Portal) -> None:
    first_order = hub.order({"Beans": 3, "Chia": 2})
    tell_platform(hub)
    hub.change(first_order, {"Beans": 5})
    tell_platform(hub)
    assert portal.counts == [("Held", {"2": 5})]
    hub.cancel(first_order)
    tell_platform(hub)
    ((state, _),) = portal.counts
    assert state == "Cancelled"
    hub.order({"Chia": 1}, "Bea")
    tell_platform(hub)
    assert portal.counts[1] == ("Held", {"3": 1})
    assert portal.ordering() == ["POST", "PUT", "PUT", "POST"]
    hub.sound()


def test_a_platform_is_not_unlinked_while_an_order_there_is_open(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    tell_platform(hub)
    with pytest.raises(Conflict, match="not complete yet"), hub.instance.store.write() as tx:
        unlink(tx, "hub", hub.backorder.link_id)
    hub.close()
    with hub.instance.store.write() as tx:
        assert unlink(tx, "hub", hub.backorder.link_id).state == "ended"


def test_nothing_is_ordered_where_nothing_is_left_before_it_was_told(hub: Buying, portal: Portal) -> None:
    hub.cancel(hub.order({"Beans": 3}))
    hub.close()
    assert portal.ordering() == []
    assert hub.backorders() == []


def test_one_sale_orders_of_any_number_of_platforms(new_hub: Callable[..., Buying], portal: Portal) -> None:
    with Portal({"9": PortalGood("Dulse")}) as second_portal, Portal({"7": PortalGood("Rye")}) as third_portal:
        hub = new_hub(portal.host, second_portal.host, third_portal.host)
        for platform in (portal, second_portal, third_portal):
            hub.link(platform.catalogue)
        hub.order({"Vinegar": 1, "Dulse": 2, "Rye": 3})
        second_portal.faults = ["500"]
        tell_platform(hub)
        assert [platform.counts for platform in (portal, second_portal, third_portal)] == [
            [("Held", {"1-case": 1})],
            [],
            [("Held", {"7": 3})],
        ], "one that fails keeps none waiting"
        hub.minutes(5)
        hub.close()
        assert [platform.counts[0][0] for platform in (portal, second_portal, third_portal)] == ["Complete"] * 3


def test_nobody_waits_while_a_platform_thinks(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 1})

    def order_meanwhile() -> None:
        portal.meanwhile = lambda: None
        hub.order({"Beans": 2}, "Bea")

    portal.meanwhile = order_meanwhile
    tell_platform(hub)
    assert hub.pieces() == [("Ada", 1), ("Bea", 2)]
    tell_platform(hub)
    assert portal.counts == [("Held", {"2": 3})]


# ------------------------------------------------------------------------------------------------ as networks are


@pytest.mark.parametrize("fault", ["lose", "500 done"])
def test_an_order_whose_answer_is_lost_is_found_again(hub: Buying, portal: Portal, fault: str) -> None:
    hub.order({"Beans": 3})
    portal.faults = [fault]
    tell_platform(hub)
    assert hub.progress == "failing"
    hub.order({"Beans": 1}, "Bea")
    hub.minutes(5)
    assert portal.counts == [("Held", {"2": 4})]
    assert portal.ordering() == ["POST", "PUT"]
    hub.sound()


def test_an_order_that_failed_and_that_nobody_wants_any_more_is_not_sent_again(hub: Buying, portal: Portal) -> None:
    order = hub.order({"Beans": 3})
    portal.faults = ["500"]
    tell_platform(hub)
    hub.cancel(order)
    hub.minutes(5)
    assert (portal.ordering(), portal.counts, hub.progress) == (["POST"], [], "told")


def test_what_others_ordered_there_is_not_taken_for_ours(hub: Buying, portal: Portal) -> None:
    existing_order = PortalOrder(lines={"2": 3})
    portal.orders["1"] = existing_order
    hub.order({"Beans": 3})
    portal.faults = ["500"]
    tell_platform(hub)
    portal.orders["2"] = PortalOrder(lines={"3": 3})
    hub.minutes(5)
    assert portal.counts[2:] == [("Held", {"2": 3})]
    assert portal.ordering() == ["POST", "POST"]
    assert hub.backorder.iri not in (f"{portal.here}/Orders/1", f"{portal.here}/Orders/2")


def test_a_platform_that_lists_no_orders_is_not_asked_twice_where_the_answer_was_lost(
    hub: Buying, portal: Portal
) -> None:
    portal.lists = False
    hub.order({"Beans": 3})
    portal.faults = ["lose"]
    hub.minutes(10)
    assert portal.ordering() == ["POST"]
    assert (hub.progress, hub.backorder.error[:14]) == ("parked", "On ne sait pas")
    hub.retry()
    tell_platform(hub)
    assert portal.ordering() == ["POST", "POST"], "a person has looked there"


def test_a_platform_that_is_away_for_a_day_gets_the_order_when_it_is_back(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    portal.faults = ["500"] * 100
    for _ in range(11):
        hub.run(hours=2)
    assert hub.backorder.failures == 11
    assert hub.progress == "failing"
    portal.faults = []
    hub.run(hours=2)
    hub.minutes(3)
    assert portal.counts == [("Complete", {"2": 3})]
    hub.sound()


def test_who_fails_for_a_week_is_parked_and_shown_until_a_person_tries_again(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    portal.faults = ["500"] * 100
    for _ in range(10):
        hub.run(days=1)
    assert hub.progress == "parked"
    portal.faults = []
    hub.run(days=1)
    assert portal.counts == []
    hub.retry()
    hub.minutes(3)
    assert portal.counts == [("Complete", {"2": 3})]


def test_nothing_is_parked_or_held_to_be_over_while_the_clock_is_in_doubt(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    portal.faults, right = ["500"] * 100, hub.clock.now()
    with hub.instance.store.write() as tx:
        trust_clock(tx, vouched=True)
    hub.minutes(3)
    hub.run(days=1500)
    assert hub.progress == "failing"
    portal.faults = []
    hub.run(days=1)
    hub.clock.set(right + timedelta(minutes=10))
    assert portal.counts == [("Held", {"2": 3})]
    with hub.instance.store.read() as tx:
        assert hub.backorder.due_at is not None, "it is looked at again once the clock is right"


# ------------------------------------------------------------------------------------------------ what comes


def test_a_line_that_is_shortened_reaches_who_ordered_last(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    hub.run(seconds=5)
    hub.order({"Beans": 4}, "Bea")
    portal.most = {"2": 5}
    tell_platform(hub)
    assert hub.pieces() == [("Ada", 3), ("Bea", 2)]
    assert [(order_cut.pieces, order_cut.owed) for order_cut in hub.cuts()] == [(2, 0)]
    (line,) = hub.backorder.lines
    assert (line.confirmed, line.coming) == (5, 5)
    with pytest.raises(SoldOut):
        hub.order({"Beans": 4}, "Cem")  # of ten, five were sold, and two will not come
    hub.close()
    assert portal.counts == [("Complete", {"2": 5})]
    hub.sound()


def test_cases_that_do_not_come_take_whole_pieces_off_orders(hub: Buying, portal: Portal) -> None:
    hub.order({"Vinegar": 8})
    portal.most = {"1-case": 1}
    tell_platform(hub)
    assert hub.pieces() == [("Ada", 6)]
    portal.most = {"1-case": 0}
    hub.order({"Chia": 1}, "Bea")
    hub.minutes(3)
    assert hub.pieces() == [("Ada", 0), ("Bea", 1)]
    hub.sound()


def test_what_the_platform_changes_later_is_heard_and_what_it_cancels_is_shown(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    hub.order({"Chia": 2}, "Bea")
    tell_platform(hub)
    (order,) = portal.orders.values()
    order.lines["2"] = 1
    portal.repriced = "3.10"
    hub.run(hours=1)
    assert hub.pieces() == [("Ada", 1), ("Bea", 2)]
    assert [line.told_price for line in hub.backorder.lines] == [310, 310]
    hub.minutes()
    (order,) = portal.orders.values()
    assert order.lines == {"2": 1, "3": 2}
    order.state = "Cancelled"
    hub.run(hours=1)
    assert hub.pieces() == [("Ada", 0), ("Bea", 0)]
    assert (hub.progress, hub.backorder.error[:22]) == ("parked", "La plateforme a annulé")


def test_a_platform_that_says_that_the_order_has_changed_is_heard_at_once(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    tell_platform(hub)
    (order,) = portal.orders.values()
    order.lines["2"] = 2
    with hub.instance.store.write() as tx:
        assert take_notices(tx, portal.host, [DfcEvent(kind="update", objects=(hub.backorder.iri,))]) == 1
    hub.run()
    assert hub.pieces() == [("Ada", 2)]


def test_a_platform_that_takes_no_amendment_brings_what_stands_there(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    tell_platform(hub)
    hub.order({"Beans": 2}, "Bea")
    portal.faults = ["409"]
    tell_platform(hub)
    assert hub.pieces() == [("Ada", 3), ("Bea", 0)]
    assert portal.counts == [("Held", {"2": 3})]
    hub.sound()


# ------------------------------------------------------------------------------------------------ hostile


def answer_with(portal: Portal, quantity: object, *, order: str = "", state: str = "Held") -> bytes:
    """Returns an answer of the platform with any quantity and state."""
    iri = order or f"{portal.here}/Orders/1"
    nodes = [
        {"@id": iri, "@type": "dfc-b:Order", "dfc-b:hasOrderStatus": f"dfc-v:{state}", "dfc-b:hasPart": f"{iri}/1"},
        {
            "@id": f"{iri}/1",
            "@type": "dfc-b:OrderLine",
            "dfc-b:quantity": quantity,
            "dfc-b:concerns": f"{portal.catalogue}/2/Offer",
        },
    ]
    return json.dumps({"@context": "https://www.datafoodconsortium.org", "@graph": nodes}).encode()


@pytest.mark.parametrize(
    ("quantity", "unit", "coming"),
    [(1, "Dozen", 12), ("7.5", "Kilogram", 3), (2500, "Gram", 1), (4, "Crate", 4), (4, "Unheard", 4)],
)
def test_an_answer_in_another_unit_is_the_same_number_of_pieces(
    hub: Buying, portal: Portal, quantity: object, unit: str, coming: int
) -> None:
    """By the size that the platform states; an amount that was taken for a number would promise what does not come."""
    hub.order({"Chia": 24})
    seeds = {"@id": f"{portal.catalogue}/3", "@type": "dfc-b:SuppliedProduct"}
    size = {"dfc-b:hasQuantity": an_amount("2.5", "Kilogram")}
    portal.faults = [answer_in(portal, "3", an_amount(quantity, unit), {**seeds, **size})]
    tell_platform(hub)
    assert (hub.backorder.error, hub.pieces()) == ("", [("Ada", coming)])
    hub.sound()


def an_amount(value: object, unit: str) -> dict[str, object]:
    return {"@type": "dfc-b:QuantitativeValue", "dfc-b:value": value, "dfc-b:hasUnit": f"dfc-m:{unit}"}


def answer_in(portal: Portal, product: str, amount: dict[str, object], *more: dict[str, object]) -> bytes:
    """Returns an answer of the platform about a product, whose quantity has a unit, with more nodes."""
    document = json.loads(answer_with(portal, 0).replace(b"/2/Offer", f"/{product}/Offer".encode()))
    line = document["@graph"][1]
    del line["dfc-b:quantity"]
    line["dfc-b:hasQuantity"] = amount
    document["@graph"] += more
    return json.dumps(document).encode()


def test_an_amount_of_what_has_no_size_changes_nothing(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    portal.faults = [answer_in(portal, "2", an_amount(2, "Kilogram"))]
    tell_platform(hub)
    assert hub.pieces() == [("Ada", 3)]
    assert "par la quantité 2 Kilogram" in hub.backorder.error


def test_nonsense_changes_nothing(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    tell_platform(hub)
    hub.order({"Beans": 1}, "Bea")
    nonsense: list[object] = [-1, "1.5", "NaN", "1e400", 10**30, "<b>3</b>", None, []]
    for quantity in nonsense:
        portal.faults = [answer_with(portal, quantity, order=hub.backorder.iri)]
        hub.run(hours=2)
        assert not portal.faults
        assert hub.pieces() == [("Ada", 3), ("Bea", 1)], quantity
        assert "par la quantité" in hub.backorder.error, quantity
    assert hub.backorder.failures == 8
    hub.run(hours=2)
    assert portal.counts == [("Held", {"2": 4})], "it is told again"


def test_no_order_of_another_host_is_believed(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    portal.faults = [answer_with(portal, 0, order="http://127.0.0.1:1/Orders/1")]
    tell_platform(hub)
    assert hub.pieces() == [("Ada", 3)]
    assert (hub.backorder.iri, hub.progress) == ("", "failing")
    assert "un nom qui ne lui appartient pas" in hub.backorder.error


def test_answers_that_are_none_are_failures(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    tell_platform(hub)
    hub.order({"Beans": 1}, "Bea")
    for answer in (b"<html>", b"[" * 10_000, b"{}", b"\xff", b" " * 33_000_000):
        portal.faults = [answer]
        hub.run(hours=2)
        assert not portal.faults
        assert hub.pieces() == [("Ada", 3), ("Bea", 1)]
    assert hub.backorder.failures == 5


def test_more_than_was_ordered_is_not_more(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    portal.faults = [answer_with(portal, 999)]
    tell_platform(hub)
    (line,) = hub.backorder.lines
    assert (line.confirmed, line.answer) == (3, "confirmed")
    assert "plus que ce qui a été commandé de Beans" in hub.backorder.error


# ------------------------------------------------------------------------------------------------ people


def test_an_operator_sees_what_was_ordered_and_what_failed_and_tries_again(hub: Buying, portal: Portal) -> None:
    folder = hub.instance.folder
    settings = 'name = "Hub"\nbase_url = "http://hub.example"\n[plugins]\nenabled = ["federation"]\n'
    (folder / "instance.toml").write_text(settings)
    (folder / "instance.toml").chmod(0o600)

    def shell(*words: str) -> str:
        result = CliRunner().invoke(app, ["federation", "dfc", *words, "--instance", str(folder)])
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    hub.order({"Vinegar": 7})
    portal.most = {"1-case": 1}
    tell_platform(hub)
    output = shell("orders", "--session", "hub-session")
    assert f"Vente de juin at {portal.catalogue}: sent" in output
    assert f"{portal.here}/Orders/1188908237107 Vinegar: 7 pieces, 2 cases of 6, shortened to 1" in output
    portal.orders.clear()
    portal.most = {}
    hub.order({"Chia": 1}, "Bea")
    tell_platform(hub)
    output = shell("orders")
    assert "not tried any more" in output
    assert "Il n’y a rien à" in output, "what has failed is kept in the language of the hub, which reads it in a mail"
    with hub.instance.store.read() as tx:
        (warning,) = backorder_warnings(tx)
    assert f"commensal dfc order retry {hub.backorder.id}" in str(warning)
    assert "sent, with changes to be sent" in shell("order", "retry", hub.backorder.id)
    assert hub.backorder.parked_at is None


def test_the_hub_sees_it_over_the_api_and_nobody_else_does(hub: Buying, portal: Portal) -> None:
    hub.order({"Vinegar": 7, "Beans": 2})
    portal.most = {"2": 1}
    tell_platform(hub)
    url = "/api/-/federation/enterprises/hub/backorders"
    headers = {"Authorization": f"Bearer {hub.owner()}"}
    with TestClient(make_app(hub.instance)) as client:
        for path in (url, f"{url}/{hub.backorder.id}", f"{url}/{hub.backorder.id}/cuts"):
            assert client.get(path).status_code == 401
        assert client.post(f"{url}/{hub.backorder.id}/retry").status_code == 401
        (item,) = client.get(f"{url}?session=hub-session", headers=headers).json()["items"]
        assert client.get(f"{url}?session=another", headers=headers).json()["items"] == []
        assert item == client.get(f"{url}/{hub.backorder.id}", headers=headers).json()
        (cut,) = client.get(f"{url}/{hub.backorder.id}/cuts", headers=headers).json()
        retry = client.post(f"{url}/{hub.backorder.id}/retry", headers={**headers, "Idempotency-Key": "k"})
        settlement = client.post(
            f"/api/-/federation/enterprises/hub/cuts/{cut['id']}/settle", headers={**headers, "Idempotency-Key": "s"}
        )
    lines = {line["name"]: line for line in item["lines"]}
    assert (item["progress"], item["iri"]) == ("told", f"{portal.here}/Orders/1188908237107")
    assert {name: lines["Vinegar"][name] for name in ("pieces", "per_case", "cases", "surplus", "coming")} == {
        "pieces": 7,
        "per_case": "6",
        "cases": 2,
        "surplus": 5,
        "coming": 7,
    }
    assert (lines["Beans"]["answer"], lines["Beans"]["confirmed"], cut["pieces"]) == ("shortened", 1, 1)
    assert retry.status_code == 409
    assert settlement.status_code == 204
    assert hub.cuts()[0].settled_at is not None


def test_the_hub_is_told_once_by_mail_that_an_order_fails(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    portal.faults = ["500"] * 6
    for _ in range(6):
        hub.run(hours=2)
    mails = [file.read_bytes() for file in sorted((hub.instance.folder / "mail").iterdir())]
    parsed = [message_from_bytes(mail, policy=policy.default) for mail in mails]
    subject = f"Une commande de The hub chez {portal.catalogue} a besoin de vous"
    (mail_about_it,) = [mail for mail in parsed if mail["subject"] == subject]
    assert "hub@example.org" in mail_about_it["to"]
    body = mail_about_it.get_body(("plain",))
    assert body is not None
    assert "a répondu 500" in body.get_content()
