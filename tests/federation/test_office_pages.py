"""Pages of the office for producers and hubs that trade with other sites: two instances, joined by a wire."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, update
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise_member
from commensal.orders.fulfil import hand_order_over
from commensal.orders.lock import locked_order
from commensal.orders.tables import customer_order
from commensal.parts.order_corrections.substitutes import shorten_order
from commensal.parts.serving.app import make_app
from commensal.parts.supply.corrections import LineCorrection, correct_order
from commensal.people.people import add_person, new_person
from commensal.people.sessions import begin_session
from commensal_federation.catalogue.grants import give_grant
from commensal_federation.delivery.outbox.dead_letters import dead_letters
from commensal_federation.grants.questions import grants_between, mirror_of
from commensal_federation.grants.sale_ends import raise_barrier
from commensal_federation.messages.catalogue import Grant
from commensal_federation.proposals.proposing import propose_sale
from commensal_federation.proposals.receiving import proposals_of
from commensal_federation.runtime import Federation
from commensal_federation.testing import Region

from ..plugins.conftest import PASSWORD, Browser
from .test_notices import confirm_by_hand
from .trading import Hub, Place, Producer, close, minutes, only_order


@pytest.fixture
def region(new_region: Callable[..., Region]) -> Region:
    region: Region = new_region("a", "b", friends=("ab",), plugins=("office", "federation"))
    return region


@pytest.fixture
def farm(region: Region) -> Producer:
    return Producer(region, "a")


@pytest.fixture
def hub(region: Region) -> Hub:
    return Hub(region, "b")


def operates(place: Place) -> Browser:
    """The browser of an operator of the place's instance."""
    return browser_of(place.federation, is_operator=True)


def opens(place: Place, role: str = "owner", email: str = "ada@example.org") -> Browser:
    """The browser of a member of the enterprise."""
    return browser_of(place.federation, place.id, role, email)


def browser_of(
    federation: Federation,
    enterprise_id: str = "",
    role: str = "",
    email: str = "ada@example.org",
    *,
    is_operator: bool = False,
) -> Browser:
    ada = new_person(email=email, name="Ada", password=PASSWORD, language="en")
    with federation.instance.store.write() as tx:
        person = add_person(tx, ada, confirmed=True, is_operator=is_operator)
        assert person is not None
        if enterprise_id:
            row = {"enterprise_id": enterprise_id, "person_id": person.id, "role": role, "since": tx.now}
            tx.execute(insert(enterprise_member).values(row))
        secret = begin_session(tx, person).secret
    app = make_app(federation.instance)
    browser = Browser(TestClient(app, base_url=federation.base, raise_server_exceptions=False))
    browser.client.cookies.set("__Host-session", secret)
    browser.client.headers["Origin"] = federation.base
    return browser


def grant_of(place: Place) -> Grant:
    with place.read() as tx:
        (grant,) = grants_between(tx, enterprise_id=place.id)
    return grant


def offers(browser: Browser, farm: Producer, hub: Hub, **fields: str) -> None:
    """Goes from "Where I sell" to the hubs of the other site, ticks the hub and sends."""
    there = "/office/farm/hubs/elsewhere"
    assert there in browser.go("/office/farm/hubs").links()
    browser.go(there)
    assert "No hub elsewhere may sell your goods yet" in browser.page.text
    browser.go(f"{there}?peer={farm.region.peer('a', 'b').id}")
    browser.send("?then=offer", **{f"hub {hub.iri}": "1", **fields})
    farm.region.work()


def test_a_producer_ticks_a_hub_elsewhere_and_the_hub_accepts(farm: Producer, hub: Hub) -> None:
    producer, coordinator = opens(farm), opens(hub)
    offers(producer, farm, hub, share="200")
    assert "A share of a lot is 1 to 100 percent" in producer.page.text
    producer.send("?then=offer", **{f"hub {hub.iri}": "1", "share": "30"})
    farm.region.work()
    assert "has not answered yet" in producer.page.text
    assert "/office/farm/hubs/recovery-key" in producer.page.links(), "without a key it could not move later"
    assert "farm offers you its goods" in coordinator.go("/office/hub").text
    assert "/office/hub/producers/elsewhere" in coordinator.go("/office/hub/producers").links()
    coordinator.go("/office/hub/producers/elsewhere")
    coordinator.send("?then=accept", ("grant", grant_of(hub).id))
    farm.region.work()
    assert "sells your goods" in producer.go("/office/farm/hubs/elsewhere").text
    _follows(coordinator, hub)
    assert (grant_of(hub).margin, grant_of(farm).lot_share) == (Decimal(25), 30)
    _is_taken_back(producer, coordinator, farm, hub)


def _follows(coordinator: Browser, hub: Hub) -> None:
    """From the page of the producer, the hub takes its range over after it has seen the prices: with 20 percent of the
    selling price, what costs 20 euros is sold for 25, as from a producer here."""
    with hub.read() as tx:
        mirror = mirror_of(tx, grant_of(hub).other_iri)
    coordinator.go(f"/office/hub/producers/{mirror}?margin=20")
    assert "Its goods come from another site" in coordinator.page.text
    assert "no price of theirs" not in coordinator.page.text
    there = next(link for link in coordinator.page.links() if link.endswith("/producers/elsewhere"))
    coordinator.go(f"{there}?grant={grant_of(hub).id}&margin=95")
    assert "A margin must be between 0 and 90 percent of the selling price." in coordinator.page.text
    coordinator.go(f"{there}?grant={grant_of(hub).id}&margin=20")
    preview = coordinator.page.text.partition("You sell for")[2]
    assert ("€20.00" in preview, "€25.00" in preview) == (True, True), preview[:80]
    assert grant_of(hub).margin is None, "a preview lists nothing"
    coordinator.send("?then=follow", ("grant", grant_of(hub).id))
    assert "you keep 20% of the selling price" in coordinator.page.text


def _is_taken_back(producer: Browser, coordinator: Browser, farm: Producer, hub: Hub) -> None:
    """After the producer has seen whom it concerns."""
    hub.order(hub.sell(farm), 3)
    minutes(farm.region)
    producer.go("/office/farm/hubs/elsewhere")
    producer.send("?then=end", ("grant", grant_of(farm).id))
    assert "Nothing has changed yet" in producer.page.text
    assert "3 pieces" in producer.page.text.partition("Orders that are not handed out yet")[2].split("hold")[0]
    assert grant_of(farm).state == "accepted"
    producer.send("?then=end")
    farm.region.work()
    assert grant_of(hub).state == "revoked"
    assert "has taken its permission back" in coordinator.go("/office/hub/producers/elsewhere").text


def test_a_hub_gives_up_what_it_was_granted_after_it_has_seen_whose_orders_wait(farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    hub.order(hub.sell(farm), 2)
    minutes(farm.region)
    coordinator = opens(hub)
    assert "farm: 2 × Apples" in coordinator.go("/office/hub/receive").text
    coordinator.go("/office/hub/producers/elsewhere")
    coordinator.send("?then=give-up", ("grant", grant_of(hub).id))
    assert "2 pieces" in coordinator.page.text
    assert "1 customer" in coordinator.page.text
    with hub.federation.instance.store.write() as tx:
        tx.execute(update(customer_order).values(fulfilment_state="Fulfilled"))
    coordinator.go("/office/hub/producers/elsewhere")
    coordinator.send("?then=give-up", ("grant", grant_of(hub).id))
    assert "pieces" not in coordinator.page.text, "nobody waits for what was handed over"
    coordinator.send("?then=give-up")
    farm.region.work()
    assert (grant_of(farm).state, grant_of(hub).state) == ("refused", "refused")


def test_a_producer_proposes_a_sale_on_a_page_and_changes_it(farm: Producer, hub: Hub, clock: ManualClock) -> None:
    farm.grant(hub)
    producer, coordinator, there = opens(farm), opens(hub), "/office/farm/hubs/elsewhere"
    days = {
        name: (clock.now() + timedelta(days=day)).strftime("%Y-%m-%dT18:00")
        for day, name in enumerate(("opens_at", "closes_at", "begins_at", "ends_at"), 1)
    }
    producer.go(there)
    producer.send("?then=propose", sale_name=" ", **{**days, "ends_at": "soon"})
    assert "Give the sale a name." in producer.page.text
    assert "Give a day and a time, like 2026-06-04 18:00." in producer.page.text
    assert producer.page.form("?then=propose").fields["closes_at"] == days["closes_at"]
    producer.send("?then=propose", sale_name="Apples", ends_at=days["opens_at"])
    assert "A sale opens, then closes" in producer.page.text
    producer.send("?then=propose", ends_at=days["ends_at"])
    farm.region.work()
    assert "Proposed. The people of each hub" in producer.page.text
    assert "farm proposes the sale “Apples”" in coordinator.go("/office/hub/producers/elsewhere").text
    producer.go(next(link for link in producer.page.links() if "?change=" in link))
    assert producer.page.form("?then=propose").fields["opens_at"] == days["opens_at"]
    producer.send("?then=propose", sale_name="Apples and pears")
    farm.region.work()
    assert "“Apples and pears”" in coordinator.go("/office/hub/producers/elsewhere").text
    with farm.read() as tx:
        assert [sale.name for sale in proposals_of(tx, "farm")] == ["Apples and pears"]


def test_a_sale_is_proposed_on_a_page_to_hubs_that_sell_the_goods_alone(farm: Producer, clock: ManualClock) -> None:
    producer, there = opens(farm), "/office/farm/hubs/elsewhere"
    assert "Propose a sale" not in producer.go(there).text
    days = {
        name: f"2026-07-0{day}T18:00" for day, name in enumerate(("opens_at", "closes_at", "begins_at", "ends_at"), 1)
    }
    producer.post(f"{there}?then=propose", sale_name="Apples", **days)
    assert (producer.status, "No hub elsewhere sells your goods yet" in producer.page.text) == (409, True)


def test_a_sale_that_a_producer_proposes_is_answered_on_a_page(farm: Producer, hub: Hub, clock: ManualClock) -> None:
    farm.grant(hub)
    noon = clock.now()
    times: dict[str, Any] = {
        name: noon + timedelta(days=days) for days, name in enumerate(("opens_at", "closes_at", "begins_at"), 1)
    }
    with farm.write() as tx:
        propose_sale(farm.federation, tx, "farm", name="Apples", ends_at=noon + timedelta(days=3, hours=2), **times)
        propose_sale(farm.federation, tx, "farm", name="Pears", ends_at=noon + timedelta(days=3, hours=2), **times)
    farm.region.work()
    coordinator, producer = opens(hub), opens(farm)
    assert "farm proposes the sale “Apples”" in coordinator.go("/office/hub/producers/elsewhere").text
    for action in ("hold", "decline"):
        coordinator.go("/office/hub/producers/elsewhere")
        buttons = [values for tag, values in coordinator.page.elements if tag == "button"]
        proposal = next(button["value"] for button in buttons if button.get("name") == "proposal")
        coordinator.post(f"/office/hub/producers/elsewhere?then={action}", proposal=proposal)
    farm.region.work()
    answers = producer.go("/office/farm/hubs/elsewhere").text
    assert " holds it" in answers
    assert "does not hold it" in answers


def test_a_producer_answers_the_order_of_a_hub_elsewhere_on_a_page(farm: Producer, hub: Hub) -> None:
    """To which the mail and the producer's week lead. A number that cannot be is refused, and stands there as typed."""
    farm.grant(hub)
    confirm_by_hand(farm)
    hub.order(hub.sell(farm), 3)
    close(farm.region)
    producer, packer = opens(farm), opens(farm, "packer", "paul@example.org")
    for page in ("/office/farm", "/office/farm/bring"):
        assert "/office/farm/bring/elsewhere" in producer.go(page).links()
    packer.go("/office/farm/bring/elsewhere")
    assert packer.status in (403, 404)
    assert "3 × Apples" in producer.go("/office/farm/bring/elsewhere").text
    (came,) = (name for name in producer.page.form("").fields if name.startswith("came-"))
    why = came.replace("came", "why")
    producer.send("", **{came: "4", why: "hail"})
    assert producer.status == 422
    assert "Between 0 and 3 pieces can be confirmed." in producer.page.text
    assert producer.page.form("").fields[came] == "4"
    producer.send("", **{came: "2"})
    assert "The hub is told." in producer.page.text
    assert "No order waits for your answer." in producer.page.text
    farm.region.work()
    (line,) = only_order(hub).lines
    assert (line.answer, line.coming, line.reason) == ("shortened", 2, "hail")
    assert "/office/farm/bring/elsewhere" not in producer.go("/office/farm").links()
    assert "/office/farm/bring/elsewhere" in producer.go("/office/farm/bring").links()
    assert "2 × Apples€40.00 In all: €40.00" in producer.go("/office/farm/bring/elsewhere").text
    assert "https://b.example/hubs/hub" in producer.page.links()
    producer.send("", **{came: "3"})  # more than was confirmed
    assert "Between 0 and 2 pieces can be confirmed." in producer.page.text
    producer.send("", **{came: "1", why: "wasps"})
    farm.region.work()
    (line,) = only_order(hub).lines
    assert (line.answer, line.coming, line.reason) == ("shortened", 1, "wasps")
    assert "1 × Apples€20.00 In all: €20.00" in producer.go("/office/farm/bring/elsewhere").text


def test_a_permission_ends_by_itself_on_its_day(farm: Producer, hub: Hub, clock: ManualClock) -> None:
    producer = opens(farm)
    offers(producer, farm, hub, until="9999-12-31")
    assert "Give a day, like 2026-06-30." in producer.page.text, "the day after it is none"
    offers(producer, farm, hub, until=f"{clock.now():%Y-%m-%d}")
    assert grant_of(hub).state == "offered"
    clock.advance(days=1)
    minutes(farm.region)
    assert (grant_of(farm).state, grant_of(hub).state) == ("revoked", "revoked")


def test_only_owners_give_permissions_and_accept_them(farm: Producer, hub: Hub) -> None:
    manager = opens(farm, "manager")
    page = f"/office/farm/hubs/elsewhere?peer={farm.region.peer('a', 'b').id}"
    assert "Which hubs?" not in manager.go(page).text
    manager.post(f"{page}&then=offer", peer=farm.region.peer("a", "b").id, **{f"hub {hub.iri}": "1"})
    assert manager.status == 403
    with farm.read() as tx:
        assert not grants_between(tx, enterprise_id="farm")
    offers(opens(farm, email="olivia@example.org"), farm, hub)
    packer = opens(hub, "packer")
    packer.post("/office/hub/producers/elsewhere?then=accept", grant=grant_of(hub).id)
    assert (packer.status, grant_of(hub).state) == (403, "offered")


def test_an_operator_tries_a_failed_message_again_and_gives_it_up(farm: Producer, hub: Hub) -> None:
    """The hubs of two offers do not exist there."""
    peer, there = farm.region.peer("a", "b"), f"{hub.federation.base}/api/dfc/enterprises"
    with farm.write() as tx:
        for name in ("none", "neither"):
            give_grant(farm.federation, tx, "farm", peer.id, f"{there}/{name}", name)
    farm.region.work()
    operator, page = operates(farm), "/office/instance/letters"
    assert page in operator.go("/office/instance").links()
    operator.go(page)
    assert "The other side does not know what it is about" in operator.page.text
    assert "To Instance B: a permission to sell" in operator.page.text
    with farm.read() as tx:
        other, letter = dead_letters(tx, "out")
    operator.send("?then=retry", ("letter", other.id))
    assert "It is tried again now" in operator.page.text
    farm.region.work()
    operator.go(page)
    operator.post(f"{page}?then=give-up", box="out", letter=letter.id)
    assert "Nothing has changed yet" in operator.page.text
    assert letter.id in operator.page.text
    operator.send("?then=give-up")
    assert "Nothing failed" in operator.page.text
    operator.post(f"{page}?then=give-up", box="out", letter=letter.id, sure="1")
    assert operator.status == 404


def test_an_operator_sees_who_holds_what_and_takes_it_back(farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    hub.order(hub.sell(farm), 3)
    minutes(farm.region)
    operator, page = operates(farm), "/office/instance/leases"
    assert page in operator.go("/office/instance").links()
    operator.go(page)
    (lease,) = farm.leases()
    assert "Apples" in operator.page.text
    assert f"{lease.out:f} pieces" in operator.page.text
    operator.send("?then=force", ("lease", lease.id))
    assert "Nothing has changed yet" in operator.page.text
    assert farm.leases() == [lease]
    operator.send("?then=force")
    assert "Taken back" in operator.page.text
    assert farm.leases()[0].out == 0
    assert "held by hubs here" in operates(hub).go(page).text


def test_after_a_restore_an_operator_sells_on_without_a_neighbour_by_its_name(farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    hub.order(hub.sell(farm), 3)
    peer = farm.region.peer("a", "b")
    with farm.write() as tx:
        raise_barrier(tx, [peer.id])
    operator, page = operates(farm), "/office/instance/leases"
    assert "Instance B has not said yet what it holds" in operator.go(page).text
    operator.send("?then=go-on", ("peer", peer.id))
    assert "Apples" in operator.page.text
    assert farm.region.peer("a", "b").barrier
    operator.send("?then=go-on")
    assert not farm.region.peer("a", "b").barrier


def test_a_hub_that_orders_less_after_the_close_waits_for_the_producer_on_its_page(farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    placed = hub.order(hub.sell(farm), 4)
    close(farm.region)
    with hub.write() as tx:
        locked = locked_order(tx, placed.id, enterprise_id="hub")
        shorten_order(tx, hub.instance.hooks, locked, {placed.lines[0].id: 3})
    minutes(hub.region, 2)
    producer, treasurer = opens(farm), opens(hub)
    assert "hub: it wants to owe another sum" in producer.go("/office/farm").text
    text = producer.go("/office/farm/bring/elsewhere").text
    assert "In all: €80.00" in text
    assert "The hub wants only this and owes €20.00 for it." in text
    suppliers = "/office/hub/money/suppliers?sale=hub-session"
    text = treasurer.go(suppliers).text
    assert "farm: €80.00 by its statement" in text
    assert "has been told that you owe €20.00, and has not agreed yet" in text
    producer.send("?then=agree")
    hub.region.work()
    assert "In all: €20.00" in producer.page.text
    assert "farm: €20.00 by its statement" in treasurer.go(suppliers).text


def test_what_a_hub_elsewhere_got_is_agreed_to_or_disputed_on_a_page(farm: Producer, hub: Hub) -> None:
    """Both sides read the same sum, and that there is a difference."""
    farm.grant(hub)
    order = hub.order(hub.sell(farm), 2)
    close(farm.region)
    with hub.write() as tx:
        placed = hand_order_over(tx, locked_order(tx, order.id, enterprise_id="hub"))
        spoiled = {placed.lines[0].id: LineCorrection(amount=2500)}
        correct_order(tx, hub.instance.hooks, placed, spoiled, reason="mouldy", borne_by="supplier")
    hub.region.work()
    minutes(hub.region)
    producer, treasurer, there = opens(farm), opens(hub), "/office/farm/bring/elsewhere"
    assert there in producer.go("/office/farm").links()
    text = producer.go(there).text
    assert "In all: €40.00" in text
    assert "The hub says that it received this and owes €20.00 for it." in text
    suppliers = "/office/hub/money/suppliers?sale=hub-session"
    text = treasurer.go(suppliers).text
    assert "farm: €40.00 by its statement" in text
    assert "has been told that you owe €20.00, and has not agreed yet" in text
    producer.send("?then=object", objection=" ")
    assert (producer.status, "Say what is not right." in producer.page.text) == (422, True)
    producer.send("?then=object", objection="They were picked that morning.")
    assert "You have told the hub: They were picked that morning." in producer.page.text
    hub.region.work()
    assert "does not agree to what you received" in treasurer.go("/office/hub").text
    assert "They were picked that morning." in treasurer.go(suppliers).text
    producer.send("?then=agree", owed="1999")
    assert "Somebody has changed this meanwhile." in producer.page.text
    producer.go(there)
    producer.send("?then=agree")
    assert "In all: €20.00" in producer.page.text
    hub.region.work()
    text = treasurer.go(suppliers).text
    assert "farm: €20.00 by its statement" in text
    assert "has agreed to what you received" in text
    assert "does not agree" not in treasurer.go("/office/hub").text
