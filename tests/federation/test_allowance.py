"""What a partner's word may cost by itself: one budget for each partner and month, then a person decides."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from commensal.enterprises.tables import enterprise_plugin
from commensal_federation.allowance.budget import Kind, budget_of, draw
from commensal_federation.allowance.tables import federation_allowance_draw
from commensal_federation.testing import Region

from .test_office_pages import opens
from .trading import Hub, Place, Producer, clock_of

BOTH = True  # databases
PARTNER = "https://a.example/api/dfc/enterprises/farm"


@pytest.fixture
def region(new_region: Callable[..., Region]) -> Region:
    region: Region = new_region("a", "b", friends=("ab",), plugins=("office", "federation"))
    return region


@pytest.fixture
def farm(region: Region) -> Producer:
    return Producer(region, "a")


@pytest.fixture
def hub(region: Region, farm: Producer) -> Hub:
    hub = Hub(region, "b")
    farm.grant(hub)
    return hub


def draws(
    place: Place, amount: int, base: int = 100_000, *, kind: Kind = "weight", of: str = "an order", by: str = PARTNER
) -> bool:
    with place.write() as tx:
        return draw(tx, place.federation, place.id, by, kind, amount, base, of)


def drawn(place: Place, by: str = PARTNER) -> int:
    with place.read() as tx:
        return budget_of(tx, place.federation, place.id, by).drawn


def test_fifty_a_month_happen_by_themselves_and_no_cent_more(hub: Hub) -> None:
    assert draws(hub, 3000)
    assert draws(hub, 2000, of="another order")
    assert not draws(hub, 1, of="a third order")
    assert drawn(hub) == 5000
    assert draws(hub, 5000, by="https://c.example/api/dfc/enterprises/field"), "each partner has its own"


def test_a_month_ends_at_midnight_by_the_clocks_of_the_instance(hub: Hub) -> None:
    assert hub.instance.settings.timezone == "Europe/Paris"
    clock = clock_of(hub.region)
    clock.set(clock.now().replace(month=6, day=30, hour=21, minute=59))
    assert draws(hub, 5000, of="in June")
    assert not draws(hub, 1, of="in June, too")
    clock.advance(minutes=2)  # 00:01 of July in Paris
    assert draws(hub, 5000, of="in July")


def test_one_thing_never_costs_more_than_its_percentage_in_however_many_steps_and_months(hub: Hub) -> None:
    assert not draws(hub, 1001, 10_000)
    assert draws(hub, 600, 10_000)
    assert draws(hub, 400, 10_000)
    assert not draws(hub, 1, 10_000)
    clock_of(hub.region).advance(days=70)
    assert not draws(hub, 1, 10_000)
    assert draws(hub, 100, 1_000, of="another order")
    assert draws(hub, 100, 1_000, kind="shortage"), "each kind has its own percentage, out of the same budget"


def test_what_costs_nothing_is_not_drawn(hub: Hub) -> None:
    assert draws(hub, 0, 0)
    assert draws(hub, -100, 0)
    assert drawn(hub) == 0


def test_two_at_once_do_not_draw_more_than_there_is(hub: Hub) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda place: draws(hub, 1500, of=f"order {place}"), range(8)))
    assert answers.count(True) == 3
    assert drawn(hub) == 4500


def test_draws_are_only_added(hub: Hub) -> None:
    assert draws(hub, 100)
    for change in (update(federation_allowance_draw).values(amount=1), delete(federation_allowance_draw)):
        with pytest.raises(DBAPIError, match="only grows"), hub.write() as tx:
            tx.execute(change)


def test_who_has_switched_trade_elsewhere_off_has_the_allowance_of_everybody(hub: Hub) -> None:
    with hub.write() as tx:
        tx.execute(delete(enterprise_plugin).where(enterprise_plugin.c.plugin == "federation"))
    assert draws(hub, 5000)
    assert not draws(hub, 1)


def test_people_of_the_hub_see_the_budget_of_a_producer_and_change_it(farm: Producer, hub: Hub) -> None:
    with hub.read() as tx:
        item = hub.received(farm)[0].iri
    assert draws(hub, 1234, of=item, kind="price", by=farm.iri)
    browser = opens(hub)
    page = browser.go("/office/hub/producers/elsewhere").text
    assert "By its word alone, this month: €12.34 of €50.00" in page
    assert "another price: Apples" in page
    browser.send("?then=allowance", allowance_percent="120", allowance_month="a lot")
    assert "Write a whole number from 0 to 100." in browser.page.text
    browser.send("?then=allowance", allowance_percent="20 %", allowance_month="120,50")
    assert "this month: €12.34 of €120.50" in browser.page.text
    with hub.read() as tx:
        row = tx.one(select(enterprise_plugin.c.settings).where(enterprise_plugin.c.plugin == "federation"))
    assert row["settings"] == {"allowance_percent": 20, "allowance_month": 12050}
    assert draws(hub, 10_000, 60_000, by=farm.iri)


def test_people_of_the_producer_see_the_budget_of_a_hub_and_may_leave_nothing_to_it(farm: Producer, hub: Hub) -> None:
    browser = opens(farm)
    assert "By its word alone, this month: €0.00 of €50.00" in browser.go("/office/farm/hubs/elsewhere").text
    browser.send("?then=allowance", allowance_percent="10", allowance_month="0")
    assert "€0.00 of €0.00" in browser.page.text
    assert not draws(farm, 1, by=hub.iri)


def test_who_may_not_set_extensions_up_does_not_change_the_allowance(hub: Hub) -> None:
    browser = opens(hub, "accountant")
    browser.go("/office/hub/producers/elsewhere")
    browser.post(
        "/office/hub/producers/elsewhere?then=allowance", allowance_percent="100", allowance_month="9999", version="1"
    )
    assert browser.status == 403
    assert not draws(hub, 5001)
