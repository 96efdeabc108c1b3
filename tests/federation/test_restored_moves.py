"""After a restore, an enterprise that has moved away since the backup is not sold at its old home again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from commensal import Conflict, Refused
from commensal.enterprises.grants import grant
from commensal.enterprises.tables import enterprise_member
from commensal.parts.copies.homes import READER
from commensal_federation.catalogue.grants import SELLING
from commensal_federation.delivery.alerts import alerts
from commensal_federation.moving.moves import moves
from commensal_federation.moving.old_home import cancel_leaving
from commensal_federation.moving.restored import complete_hand_over
from commensal_federation.testing import Region

from .moves import farm, move, states
from .restoring import Backup
from .test_moving_diamond import _sells_beside, crates, lent_and_leased
from .trading import Hub, Place, Producer, assert_consistent, minutes

__all__ = ["farm"]  # fixtures
# The farm lives on a, where a market sells its goods; so does a hub on b. It moves to c.
PEERS = ("ab", "ac", "bc")


@pytest.fixture
def market(farm: Producer) -> Hub:
    hub = Hub(farm.region, "a", "market")
    with hub.write() as tx:
        for scope in SELLING:
            grant(tx, "farm", "market", scope)
    return hub


@pytest.fixture
def shop(farm: Producer) -> Hub:
    hub = Hub(farm.region, "b", "shop")
    farm.grant(hub)
    return hub


def is_sold(hub: Hub, item: str, pieces: int = 1) -> bool:
    try:
        hub.order(item, pieces)
    except Refused:
        return False
    return True


def the_move(farm: Producer) -> Any:
    with farm.read() as tx:
        (row,) = moves(tx)
    return row


def alert_texts(place: Place) -> str:
    with place.read() as tx:
        return "\n".join(alert.text for alert in alerts(tx) if alert.kind == "moved_before")


def test_what_has_moved_away_since_the_backup_is_off_sale_until_a_person_decides(
    region: Region, farm: Producer, market: Hub, shop: Hub, tmp_path: Path
) -> None:
    item, far_item = _sells_beside(market, farm), shop.sell(farm)
    market.order(item, 4)
    backup = Backup(farm, tmp_path)
    new_farm = move(farm)
    shop.order(far_item, 40)
    backup.restore()
    minutes(region, 5)
    assert not is_sold(market, item), "its home is elsewhere, and sells the same crates"
    assert the_move(farm).id in alert_texts(farm), "the operator reads which move to complete"
    with farm.read() as tx:
        member = tx.one(select(enterprise_member).where(enterprise_member.c.enterprise_id == farm.id))
    assert member["role"] == READER, "nobody changes at the old home what lives elsewhere"
    with pytest.raises(Conflict), farm.write() as tx:
        cancel_leaving(farm.federation, tx, the_move(farm).id)

    with farm.write() as tx:
        complete_hand_over(farm.federation, tx, the_move(farm).id)
    minutes(region, 3)
    assert states(region)["a"] == ["leaving moved"]
    assert is_sold(market, item, 2), "as a hub, by a lease of the new home"
    assert is_sold(shop, far_item, 2)
    assert [item.name for item in market.received(new_farm)] == ["Apples"], "its catalogue comes from there"
    assert crates(region) == 100
    assert all(lent == leased for lent, leased in lent_and_leased(region, new_farm.at).values())
    assert_consistent(region)
