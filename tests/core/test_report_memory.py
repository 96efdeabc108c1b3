"""A report streams: ten times the lines take no more memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any

from sqlalchemy import event

from commensal.storage.database import Store
from commensal.testing.many_lines import EACH, add_orders, fill, write

FEW = int(os.environ.get("COMMENSAL_TEST_LINES", "10000"))  # and ten times as many; set 100000 for a million lines
_SLACK = 16 * 1024  # kilobytes: what allocators and caches may differ by


def write_report(url: str) -> tuple[int, int]:
    """Writes a report in a process of its own; returns its size in bytes and the process's peak memory in kilobytes."""
    command = [sys.executable, "-m", "commensal.testing.many_lines", url]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    size, memory = result.stdout.split()
    return int(size), int(memory)


def test_ten_times_the_lines_take_no_more_memory(store: Store, database_url: str) -> None:
    order_count = FEW // EACH
    with store.write() as tx:
        fill(tx)
        add_orders(tx, 2, order_count + 1)
    small, before = write_report(database_url)
    with store.write() as tx:
        add_orders(tx, order_count + 2, 10 * order_count + 1)
    large, after = write_report(database_url)
    assert large > small * 9
    assert after < before + _SLACK, f"{before} kB for {small} bytes, {after} kB for {large} bytes"


def test_one_statement_asks_for_all_lines_and_finds_them_by_indexes(store: Store) -> None:
    """No table that grows with other shops' history is scanned."""
    with store.write() as tx:
        for shop, orders in (("shop", 20), ("other", 2000)):
            fill(tx, shop)
            add_orders(tx, 2, orders, shop)
        if tx.postgresql:
            tx.connection.exec_driver_sql("ANALYZE")
    queries: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *args: Any) -> None:
        if "order_line" in statement:
            queries.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    write(store)
    event.remove(store.engine, "before_cursor_execute", note)
    ((statement, parameters),) = queries
    with store.read() as tx:
        explain = "EXPLAIN " if tx.postgresql else "EXPLAIN QUERY PLAN "
        plan = [str(row[-1]) for row in tx.connection.exec_driver_sql(explain + statement, parameters)]
    scans = [step for step in plan if re.search(r"(SCAN|Seq Scan on) (customer_order|order_line)", step)]
    assert not scans, "\n".join(plan)
