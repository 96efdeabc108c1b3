"""Of several hubs that hold goods, one is away: what idles at the others comes to customers all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from commensal_federation.messages.types import Writing
from commensal_federation.runtime import Binding

from .conftest import NewRegion
from .test_waiting_customers import refusal
from .trading import Hub, Producer, assert_consistent, clock_of, minutes, region_of_peers

BOTH = True  # databases
Fleet = tuple[Producer, dict[str, Hub], dict[str, str]]  # a farm, its hubs and what they sell, by their instances


@pytest.fixture
def fleet(new_region: NewRegion) -> Fleet:
    """A farm and three hubs, B, C and D. All that is there lies at B and C, where nobody has ordered some of it."""
    region = region_of_peers(new_region, "ab", "ac", "ad")
    farm = Producer(region, "a", on_hand="60")
    hubs = {name: Hub(region, name, f"hub-{name}") for name in "bcd"}
    for hub in hubs.values():
        farm.grant(hub)
    items = {name: hub.sell(farm) for name, hub in hubs.items()}
    hubs["b"].order(items["b"], 25)
    hubs["c"].order(items["c"], 15)
    minutes(region)
    assert {name: int(hub.lot(farm).free) for name, hub in hubs.items()} == {"b": 14, "c": 6, "d": 0}
    return farm, hubs, items


@pytest.mark.parametrize("lost", ["requests", "answers"])
def test_a_customer_gets_what_idles_at_another_hub_while_the_one_with_most_is_away(fleet: Fleet, lost: str) -> None:
    """At the second try: the first one finds that B does not answer."""
    (_farm, hubs, items), region = fleet, fleet[0].region
    region.cut(*("ab" if lost == "requests" else "ba"), one_way=True)
    refusal(hubs["d"], items["d"], 3)
    clock_of(region).advance(minutes=1)
    assert refusal(hubs["d"], items["d"], 3) == ""
    assert refusal(hubs["d"], items["d"], 3) == "", "B is known to be away"
    region.mend()
    minutes(region, 3)
    assert refusal(hubs["d"], items["d"], 5) == "", "B is back"
    assert_consistent(region)


def test_who_says_that_goods_idle_and_gives_none_back_is_not_asked_again_and_again(fleet: Fleet) -> None:
    """As an instance does that leaves out how much of what it holds is ordered, or lies."""
    farm, hubs, items = fleet
    hubs["b"].order(items["b"], 14)
    messages = hubs["b"].federation.messages
    for name in ("LeaseReport", "LeaseRequest"):
        messages[name] = replace(
            messages[name], type=replace(messages[name].type, write=without_ordered(messages[name]))
        )
    minutes(farm.region)
    assert refusal(hubs["d"], items["d"], 3) == ""
    assert_consistent(farm.region)


def without_ordered(known: Binding) -> Callable[[Any, Writing], Any]:
    return lambda body, writing: known.type.write(replace(body, ordered=Decimal(0)), writing)
