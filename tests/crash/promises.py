"""Conditions that hold for a killed instance, whenever that was: its database, its provider, its customers."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from sqlalchemy import select

from commensal.base.clock import SystemClock
from commensal.base.ids import RandomIds
from commensal.instance.instance import DATABASE
from commensal.instance.settings import load_settings
from commensal.orders.tables import customer_order
from commensal.parts.checks import broken_invariants
from commensal.payments.tables import payment
from commensal.storage.database import Store, Transaction
from commensal.storage.jobs.tables import job

from .shoppers import Told
from .till import Book

_PLACED = ("Held", "Complete", "Cancelled")


def broken_promises(folder: Path, told: Told, *, at_rest: bool = False) -> list[str]:
    """Lists all violations. `at_rest`: no shopper waits for an answer, and no job is left to do."""
    with _reading(folder) as tx:
        violations = [*map(str, broken_invariants(tx)), *_orders(tx, told, at_rest), *_charges(tx, folder, at_rest)]
        return [*told.odd, *violations, *(_work(tx, folder) if at_rest else ())]


@contextmanager
def _reading(folder: Path) -> Iterator[Transaction]:
    """Reads the database of an instance that does not run: a copy if it is on SQLite, the original on PostgreSQL."""
    with ExitStack() as stack:
        url = load_settings(folder).database.url if (folder / "instance.toml").exists() else ""
        store = Store(
            url or f"sqlite:///{stack.enter_context(copied(folder / DATABASE))}", clock=SystemClock(), ids=RandomIds()
        )
        stack.callback(store.close)
        yield stack.enter_context(store.read())


@contextmanager
def copied(file: Path) -> Iterator[Path]:
    """Copies the database files, including the journal: whoever opens the copy recovers it, and the original is left to
    the next life. As after a power cut, the index of the journal in shared memory is gone.
    """
    with tempfile.TemporaryDirectory(prefix="copy-", dir=file.parent) as place:
        copy = Path(place) / file.name
        shutil.copyfile(file, copy)
        journal = file.with_name(f"{file.name}-wal")
        if journal.exists():
            shutil.copyfile(journal, copy.with_name(journal.name))
        yield copy


def damage(file: Path) -> str:
    """Returns what SQLite's own check reports of a damaged database, or an empty text."""
    with closing(sqlite3.connect(file)) as database:
        result = str(database.execute("PRAGMA integrity_check").fetchone()[0])
    return "" if result == "ok" else result


def _orders(tx: Transaction, told: Told, at_rest: bool) -> Iterator[str]:
    """What customers were told stands; at rest, there is no order of which its customer was not told."""
    row = customer_order.c
    rows = tx.all(select(row.id, row.number, row.total).where(row.state.in_(_PLACED)))
    stored = {row["id"]: (row["number"], row["total"]) for row in rows}
    for order_id, order_told in list(told.orders.items()):
        if stored.get(order_id) != order_told:
            yield f"order {order_id} was confirmed as {order_told} and is {stored.get(order_id)}"
    if at_rest and (untold := stored.keys() - told.orders.keys()):
        yield f"{len(untold)} orders were placed twice or for nobody"


def _charges(tx: Transaction, folder: Path, at_rest: bool) -> Iterator[str]:
    """The provider has charged each payment once and no order beyond its total; at rest, both books agree."""
    book, row = Book(folder / "till"), payment.c
    payments = {row["id"]: row for row in tx.all(select(payment).where(row.method.startswith("till:")))}
    charges, kept_amounts = book.every("charged"), Counter[str]()
    for payment_id, times in Counter(charge.about for charge in charges).items():
        if times > 1:
            yield f"payment {payment_id} was charged {times} times"
        if payment_id not in payments:
            yield f"the provider has charged {payment_id}, of which nothing is written down"
    for charge in charges:
        if charge.about in payments:
            kept_amounts[payments[charge.about]["order_id"]] += charge.amount
    totals = {row["id"]: row["total"] for row in tx.all(select(customer_order.c.id, customer_order.c.total))}
    for order_id, amount in kept_amounts.items():
        if amount > totals[order_id]:
            yield f"order {order_id} costs {totals[order_id]} and was charged {amount}"
    if at_rest:
        for kind, entries in (("payment", charges), ("refund", book.every("refunded"))):
            done_amount = sum(
                payment["amount"]
                for payment in payments.values()
                if (payment["kind"], payment["state"]) == (kind, "Done")
            )
            moved_amount = sum(entry.amount for entry in entries)
            if done_amount != moved_amount:
                yield f"the provider has moved {moved_amount} as {kind}s, and {done_amount} are written down"


def _work(tx: Transaction, folder: Path) -> Iterator[str]:
    """Each order has its e-mail and its event, and no job is left or has failed."""
    jobs_left = tx.all(select(job.c.kind, job.c.state, job.c.error).where(job.c.state != "done"))
    for row in jobs_left:
        yield f"a job {row['kind']} is still {row['state']}: {row['error']}"
    orders = {row["id"] for row in tx.all(select(customer_order.c.id).where(customer_order.c.state.in_(_PLACED)))}
    if missing := orders - {entry.about for entry in Book(folder / "till").every("told")}:
        yield f"plugins were not told of {len(missing)} orders"
    mails = len(list((folder / "mail").glob("[!.]*.eml")))
    if unfinished := list((folder / "mail").glob(".*")):
        yield f"{len(unfinished)} unfinished e-mails lie about"
    if mails < len(orders):
        yield f"{len(orders)} orders, and only {mails} e-mails"
