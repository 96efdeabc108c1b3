"""The journal: it only grows, it never forks, and every change made outside the software is found."""

from __future__ import annotations

import csv
import hashlib
import threading
import tracemalloc
from collections.abc import Iterable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from commensal.base.clock import ManualClock
from commensal.base.errors import StoreError
from commensal.payments.journal import FIRST, journal_csv, journal_entries, verify_journal
from commensal.payments.payments import receive_payment
from commensal.payments.refunds import correct, refund
from commensal.payments.tables import payment_journal
from commensal.storage.database import Store, Transaction, insert_rows
from commensal.testing.placed import a_placed_order, a_shop


def pay(tx: Transaction, order_id: str, amount: int, key: str, shop: str = "shop") -> None:
    values = {"enterprise_id": shop, "method": "cash:cash", "person_id": "ada"}
    receive_payment(tx, order_id=order_id, amount=amount, idempotency_key=key, **values)


@pytest.fixture
def order(store: Store, clock: ManualClock) -> str:
    """An order with five entries: four payments of 1.01 to 4.01 and a refund of 0.50."""
    with store.write() as tx:
        a_shop(tx)
        order_id = a_placed_order(tx, total=5000)
    for euros in range(1, 5):
        clock.advance(minutes=7)
        with store.write() as tx:
            pay(tx, order_id, euros * 100 + 1, f"key {euros}")
    with store.write() as tx:
        values = {"enterprise_id": "shop", "method": "cash:cash", "person_id": None}
        refund(tx, order_id=order_id, amount=50, idempotency_key="back", anyway=True, **values)  # type: ignore[arg-type]
    return order_id


def tamper(store: Store, *statements: str) -> None:
    """Changes rows as somebody with access to the database could, after removing the triggers."""
    with store.write() as tx:
        if tx.postgresql:
            tx.execute(text("ALTER TABLE payment_journal DISABLE TRIGGER USER"))
        else:
            for event in ("update", "delete"):
                tx.execute(text(f"DROP TRIGGER payment_journal_no_{event}"))
        for statement in statements:
            tx.execute(text(statement))


def problems(store: Store) -> list[tuple[str, str]]:
    with store.read() as tx:
        return [(problem.code, problem.where) for problem in verify_journal(tx, "shop")]


def test_entries_are_numbered_and_chained_from_sixty_four_zeros(store: Store, order: str) -> None:
    with store.read() as tx:
        entries = journal_entries(tx, "shop")
        assert verify_journal(tx, "shop") == []
    assert [entry.sequence for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry.amount for entry in entries] == [101, 201, 301, 401, -50]
    assert [entry.previous_hash for entry in entries] == [FIRST, *(entry.hash for entry in entries[:-1])]


def test_a_shop_without_entries_is_sound(store: Store) -> None:
    with store.write() as tx:
        a_shop(tx)
        assert verify_journal(tx, "shop") == []
        assert list(journal_csv(tx, "shop")) == [HEADER]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payment_journal SET amount = 1 WHERE sequence = 2",
        "DELETE FROM payment_journal WHERE sequence = 5",
        "DELETE FROM payment_journal",
    ],
)
def test_the_database_refuses_to_change_or_delete_an_entry(store: Store, order: str, statement: str) -> None:
    with pytest.raises(DBAPIError, match="only grows"), store.write() as tx:
        tx.execute(text(statement))
    assert problems(store) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount", "302"),
        ("at", "'2026-06-04T10:00:00.000001Z'"),
        ("kind", "'refund'"),
        ("method", "'cash:Cash'"),
        ("order_number", "2"),
        ("currency", "'EUX'"),
        ("person_id", "NULL"),
        ("person_id", "''"),
        ("corrects", "1"),
        ("hash", f"'{'a' * 64}'"),
        ("previous_hash", f"'{'a' * 64}'"),
        ("sequence", "9"),
    ],
)
def test_a_changed_entry_is_named(store: Store, order: str, column: str, value: str) -> None:
    tamper(store, f"UPDATE payment_journal SET {column} = {value} WHERE sequence = 3")  # noqa: S608
    expected = "entry_missing" if column == "sequence" else "entry_changed"
    assert problems(store) == [(expected, "entry 3")]


@pytest.mark.parametrize("sequence", [1, 3, 5])
def test_a_deleted_entry_is_named_also_the_last_one(store: Store, order: str, sequence: int) -> None:
    tamper(store, f"DELETE FROM payment_journal WHERE sequence = {sequence}")  # noqa: S608
    assert problems(store) == [("entry_missing", f"entry {sequence}")]


def test_a_journal_that_was_emptied_is_found(store: Store, order: str) -> None:
    tamper(store, "DELETE FROM payment_journal")
    assert problems(store) == [("entry_missing", "entry 1")]


def test_entries_that_changed_places_are_named(store: Store, order: str) -> None:
    swap = "UPDATE payment_journal SET sequence = {} WHERE sequence = {}"
    tamper(store, swap.format(99, 2), swap.format(2, 3), swap.format(3, 99))
    assert problems(store) == [("entry_changed", "entry 2")]


def test_an_entry_forged_with_a_hash_of_its_own_breaks_the_chain_after_it(store: Store, order: str) -> None:
    with store.read() as tx:
        third = journal_entries(tx, "shop")[2]
    forged_hash = independent_hash({**row_of(third), "amount": "1"})
    tamper(store, f"UPDATE payment_journal SET amount = 1, hash = '{forged_hash}' WHERE sequence = 3")  # noqa: S608
    assert problems(store) == [("entry_replaced", "entry 4")]


def test_an_entry_added_beside_the_counter_is_named(store: Store, order: str) -> None:
    tamper(store, "UPDATE enterprise_counter SET value = 4 WHERE series = 'journal'")
    assert problems(store) == [("entry_added", "entry 5")]


def test_nothing_is_built_upon_a_chain_that_lost_its_end(store: Store, order: str) -> None:
    tamper(store, "DELETE FROM payment_journal WHERE sequence = 5")
    with pytest.raises(StoreError, match="lacks its entry 5"), store.write() as tx:
        pay(tx, order, 100, "another")


def test_writers_side_by_side_never_fork_the_chain(store: Store) -> None:
    with store.write() as tx:
        a_shop(tx)
        orders = [a_placed_order(tx, total=100) for _ in range(8)]
    threads = [
        threading.Thread(
            target=store.transact, args=(lambda tx, order_id=order_id: pay(tx, order_id, 100, f"key {order_id}"),)
        )
        for order_id in orders
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as tx:
        assert [entry.sequence for entry in journal_entries(tx, "shop")] == list(range(1, 9))
        assert verify_journal(tx, "shop") == []


def test_a_transaction_that_fails_leaves_no_gap(store: Store, order: str) -> None:
    def act(tx: Transaction) -> None:
        pay(tx, order, 100, "lost")
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        store.transact(act)
    with store.write() as tx:
        pay(tx, order, 100, "kept")
        assert [entry.sequence for entry in journal_entries(tx, "shop", after=5)] == [6]
        assert verify_journal(tx, "shop") == []


def test_each_shop_has_a_chain_of_its_own(store: Store, order: str) -> None:
    with store.write() as tx:
        a_shop(tx, "elsewhere")
        pay(tx, a_placed_order(tx, "elsewhere"), 100, "key", "elsewhere")
        (entry,) = journal_entries(tx, "elsewhere")
        assert (entry.sequence, entry.previous_hash) == (1, FIRST)
        assert verify_journal(tx, "elsewhere") == []


def test_the_journal_is_paged_by_its_numbers(store: Store, order: str) -> None:
    with store.read() as tx:
        assert [entry.sequence for entry in journal_entries(tx, "shop", after=2, limit=2)] == [3, 4]
        lines = list(journal_csv(tx, "shop", after=2, limit=2))
    assert [line.split(",")[-2] for line in lines[1:]] == ["3", "4"]


def test_verifying_needs_no_more_memory_for_a_longer_journal(store: Store) -> None:
    """Two thousand entries are more than four times the size of a batch."""
    with store.write() as tx:
        a_shop(tx)
        order_id = a_placed_order(tx, total=100)
        pay(tx, order_id, 100, "key")
        grow(tx, 2000)
    tracemalloc.start()
    with store.read() as tx:
        assert verify_journal(tx, "shop") == []
        entries = len(journal_entries(tx, "shop", limit=5000))
    with store.read() as tx:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        verify_journal(tx, "shop")
        peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert entries == 2000
    assert peak < 2000 * 700  # bytes: all rows at once would take more than that


def grow(tx: Transaction, length: int) -> None:
    """Adds entries like the first one, chained as the independent script below does."""
    (first,) = journal_entries(tx, "shop")
    rows, hash_before = [], first.hash
    for sequence in range(2, length + 1):
        row = {**row_of(first), "sequence": str(sequence), "previous_hash": hash_before}
        hash_before = independent_hash(row)
        rows.append({**vars(first), "sequence": sequence, "previous_hash": row["previous_hash"], "hash": hash_before})
    insert_rows(tx, payment_journal, rows)
    tx.execute(text(f"UPDATE enterprise_counter SET value = {length} WHERE series = 'journal'"))  # noqa: S608


# ------------------------------------------------------------------------------------------------
# An independent check of an export: it follows the page that documents the format, and uses nothing of the software.

HEADER = (
    "amount,at,corrects,currency,enterprise_id,kind,method,order_id,order_number,payment_id,person_id,"
    "previous_hash,sequence,hash\r\n"
)


def independent_hash(row: dict[str, str]) -> str:
    def number(name: str) -> str:
        return f'"{name}":{row[name] or "null"}'

    def word(name: str) -> str:
        return f'"{name}":"{row[name]}"' if row[name] else f'"{name}":null'

    members = [
        number("amount"),
        word("at"),
        number("corrects"),
        word("currency"),
        word("enterprise_id"),
        word("kind"),
        word("method"),
        word("order_id"),
        number("order_number"),
        word("payment_id"),
        word("person_id"),
        word("previous_hash"),
        number("sequence"),
    ]
    return hashlib.sha256(("{" + ",".join(members) + "}").encode()).hexdigest()


def independent_check(lines: Iterable[str]) -> int:
    """Checks the chain of the export and returns the number of its entries."""
    count, hash_before = 0, "0" * 64
    for count, row in enumerate(csv.DictReader(lines), start=1):
        assert row["sequence"] == str(count)
        assert row["previous_hash"] == hash_before
        assert row["hash"] == independent_hash(row)
        hash_before = row["hash"]
    return count


def row_of(entry: object) -> dict[str, str]:
    values = {name: "" if value is None else str(value) for name, value in vars(entry).items()}
    return {**values, "at": vars(entry)["at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")}


def test_an_export_is_verified_by_a_script_that_knows_nothing_of_us(store: Store, order: str) -> None:
    with store.write() as tx:
        correct(tx, "shop", 2, person_id="ada")
        lines = list(journal_csv(tx, "shop"))
    assert lines[0] == HEADER
    assert independent_check(lines) == 6
    forged_lines = [line.replace("301", "309") for line in lines]
    with pytest.raises(AssertionError):
        independent_check(forged_lines)


def test_no_cell_of_an_export_is_a_formula(store: Store, order: str) -> None:
    with store.read() as tx:
        rows = list(csv.reader(journal_csv(tx, "shop")))
    cells = [cell for row in rows[1:] for cell in row]
    assert not [
        cell
        for cell in cells
        if cell[:1] in ("=", "+", "@", "\t", "\r") or (cell[:1] == "-" and not cell[1:].isdigit())
    ]
