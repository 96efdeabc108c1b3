"""A small network of co-operatives for a day of sales, with machines off, wrong clocks and bad lines. `make network`
plays a week of many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from commensal_federation.leases import holder, lender, on_demand

from ..benchmarks.network_agreement import differences, oversold
from ..benchmarks.network_week import Demand, Network

SCARCE = Demand(days=1, orders=5, there=0.6)
pytestmark = pytest.mark.long


def played(folder: Path) -> Network:
    network = Network(folder, 5, 1, SCARCE)
    network.play()
    return network


def test_nobody_is_refused_what_idles_elsewhere_and_all_books_agree_in_the_end(tmp_path: Path) -> None:
    network = played(tmp_path)
    figures = network.figures
    assert figures.in_vain == []
    assert figures.refused > 0, "goods ran out, so the line before says something"
    assert network.settle() is not None, list(differences(network.region))
    assert 0 < figures.sold <= network.stock()
    assert list(oversold(network.region)) == []
    network.end()


def test_without_recalls_somebody_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def recall(federation: Any, tx: Any, lot_id: str, missing: int, *, but: str = "") -> int:
        return missing

    for module in (holder, lender, on_demand):
        monkeypatch.setattr(module, "recall", recall)
    network = played(tmp_path)
    assert network.figures.in_vain != []
    network.end()
