"""Promised work is done, at whatever step a worker was killed: e-mails, events, refunds, closed sales."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from commensal.base.clock import SystemClock
from commensal.base.ids import RandomIds
from commensal.instance.instance import DATABASE
from commensal.orders.tables import customer_order
from commensal.storage.database import Store

from .lifeline import KILLED, Lifeline
from .moments import AT_CLOSING, WHILE_WORKING
from .promises import broken_promises
from .shoppers import Crowd, Shopper, Told


@pytest.fixture(scope="module")
def sold(line: Lifeline, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Told]:
    """A shop in which orders were placed, paid, cancelled and refunded, and no job was run yet."""
    folder, told = tmp_path_factory.mktemp("sold") / "shop", Told()
    assert line.run("open_shop", folder=str(folder), days=3) == 0
    crowd = Crowd([Shopper(line, folder, told, f"sold-{n}", ways=["till:card"], moody=n % 2) for n in range(3)])
    crowd.enough.set()

    def leave() -> None:
        crowd.finish()
        line.kill()

    line.serve(60, meanwhile=leave, folder=str(folder), later=0, jobs=False)
    assert len(told.orders) == len(told.paid) == 3
    return folder, told


@pytest.mark.parametrize("step", [*WHILE_WORKING, *AT_CLOSING])
def test_it_is_done_all_the_same(line: Lifeline, tmp_path: Path, sold: tuple[Path, Told], step: str) -> None:
    folder, told = shutil.copytree(sold[0], tmp_path / "shop"), sold[1]
    assert line.run("drain", folder=str(folder), later=1, armed=f"{step}:1") == KILLED
    assert broken_promises(folder, told) == []
    assert line.run("drain", folder=str(folder), later=10) == 0
    assert broken_promises(folder, told, at_rest=True) == []
    assert _states(folder) == {"Complete", "Cancelled"}


def _states(folder: Path) -> set[str]:
    store = Store(f"sqlite:///{folder / DATABASE}", clock=SystemClock(), ids=RandomIds())
    with store.read() as tx:
        states = {row["state"] for row in tx.all(select(customer_order.c.state))}
    store.close()
    return states
