"""The line between instances is cut for an hour: hubs sell what they hold, and then all agree without a human."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commensal.base.errors import Refused
from commensal_federation.delivery.sync.sweeping import SILENT
from commensal_federation.testing import Region

from .agreement import differences, violations_of
from .conftest import NewRegion
from .trading import Hub, Producer, clock_of, minutes

# minutes in which an instance that has heard nothing asks and gets an answer
ONE_CATCH_UP = SILENT // timedelta(minutes=1) + 5


def _pass_minutes(region: Region, count: int) -> None:
    """Lets so many minutes pass in steps of five: workers that tick more often find little to do."""
    for _ in range(count // 5):
        clock_of(region).advance(minutes=4)
        minutes(region)


def _buy_up(hub: Hub, item: str) -> int:
    bought = 0
    try:
        while True:
            hub.order(item, 1, f"ada{bought}")
            bought += 1
    except Refused:
        return bought


def test_after_an_hour_without_a_line_one_catch_up_brings_agreement(new_region: NewRegion) -> None:
    region = new_region("a", "b", "c", friends=("ab", "ac"))
    farm = Producer(region, "a", on_hand="60")
    cut_off, near = hubs = [Hub(region, "b"), Hub(region, "c")]
    for hub in hubs:
        farm.grant(hub)
    items = {hub.at: hub.sell(farm) for hub in hubs}
    for hub in hubs:
        hub.order(items[hub.at], 4)
    minutes(region, 2)
    assert [differences(farm, hub) for hub in hubs] == [[], []]

    held_units = int(cut_off.lot(farm).free)
    region.cut("a", "b")
    _pass_minutes(region, 20)
    bought = _buy_up(cut_off, items["b"])
    assert 0 < bought <= held_units  # idle units are on their way home meanwhile, and sold to nobody
    near.order(items["c"], 9)
    _pass_minutes(region, 20)
    with pytest.raises(Refused):
        cut_off.order(items["b"], 1)
    near.order(items["c"], 2, "Bea")
    _pass_minutes(region, 20)
    assert differences(farm, near) == []
    assert differences(farm, cut_off) != []

    region.mend()
    _pass_minutes(region, ONE_CATCH_UP)
    minutes(region)
    assert [differences(farm, hub) for hub in hubs] == [[], []]
    cut_off.order(items["b"], 5, "Bea")
    minutes(region, 2)
    assert [differences(farm, hub) for hub in hubs] == [[], []]
    assert [hub.lot(farm).reserved for hub in hubs] == [4 + bought + 5, 4 + 9 + 2]
    assert farm.lot.free + sum(hub.lot(farm).on_hand for hub in hubs) == 60
    assert violations_of(farm, *hubs) == []
