"""Handles jobs of kind "sold_out": announces that orders have taken the last of some lots."""

from __future__ import annotations

from ...hooks import specifications
from ...instance import Instance
from ...storage.jobs import Job
from ..events.announce import announce
from ..stock.tables import stock_lot


def announce_sold_out(instance: Instance, job: Job) -> None:
    """Tells the plugins of each lot's enterprise. A lot that has some again by now is left out."""
    lot = stock_lot.c
    is_empty = (lot.id.in_(job.payload["lots"])) & (lot.free == 0)
    instance.store.transact(lambda tx: announce(tx, specifications.sold_out, stock_lot, is_empty))
