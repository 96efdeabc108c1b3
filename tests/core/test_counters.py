"""Numbers without gaps, though many threads take them at once and some transactions fail."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest

from commensal.enterprises.counters import next_number
from commensal.storage.database import Store

THREADS, EACH = 6, 20


def test_numbers_have_no_gap_and_no_double_though_a_fifth_of_the_transactions_fail(store: Store, village: Any) -> None:
    numbers: list[int] = []

    def take_numbers(seed: int) -> None:
        draw = random.Random(seed)
        for _ in range(EACH):
            try:
                with store.write() as tx:
                    number = next_number(tx, "hub", "order")
                    if draw.random() < 0.2:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                continue
            numbers.append(number)  # appending is atomic for threads

    threads = [threading.Thread(target=take_numbers, args=(seed,)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert THREADS * EACH * 0.6 < len(numbers) < THREADS * EACH
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


def test_every_enterprise_and_every_series_counts_for_itself(store: Store, village: Any) -> None:
    with store.write() as tx:
        numbers = [
            next_number(tx, *series)
            for series in [("hub", "order"), ("hub", "order"), ("hub", "journal"), ("farm", "order")]
        ]
    assert numbers == [1, 2, 1, 1]


def test_a_number_of_a_transaction_that_fails_is_given_again(store: Store, village: Any) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as tx:
        assert next_number(tx, "hub", "order") == 1
        raise ZeroDivisionError
    with store.write() as tx:
        assert next_number(tx, "hub", "order") == 1
