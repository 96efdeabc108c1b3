"""Kills while people shop, at moments drawn from a seed: 20 in a shop on SQLite, 10 on PostgreSQL.

`make crash` does 2,000.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .campaign import campaign
from .lifeline import Lifeline

KILLS, ON_POSTGRESQL = 20, 10


@pytest.mark.parametrize("seed", ["carrots"])
def test_nothing_that_was_confirmed_is_lost_and_nobody_pays_twice(line: Lifeline, tmp_path: Path, seed: str) -> None:
    figures = campaign(line, tmp_path / "shop", seed=seed, kills=KILLS)
    print(f"{seed}: {figures}")
    assert figures.kills.total() == KILLS
    assert figures.orders > KILLS // 5, "people hardly came to order anything"


def test_nor_is_it_on_postgresql(line: Lifeline, tmp_path: Path, new_postgresql: Callable[[], str]) -> None:
    """The server lives on and notices that its client is gone; what the dead process had locked is free again."""
    figures = campaign(line, tmp_path / "shop", seed="plums", kills=ON_POSTGRESQL, database=new_postgresql())
    print(f"plums: {figures}")
    assert figures.orders > ON_POSTGRESQL // 5
