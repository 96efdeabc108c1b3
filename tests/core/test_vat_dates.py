"""VAT rates change on a day: before it the old one is in force, from it on the new one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, literal, select

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Invalid, NotFound
from commensal.products.products import create_product
from commensal.products.questions import product_by_id
from commensal.products.tables import product_vat
from commensal.products.vat import ALWAYS, VatRate, rate_in_force, rates_of, remove_rate, set_rate
from commensal.storage.database import Store, Transaction

MAY, JULY = date(2026, 5, 1), date(2026, 7, 1)


@pytest.fixture
def product(store: Store, hamlet: Any) -> str:
    hamlet.enterprise("farm")
    with store.write() as tx:
        return create_product(
            tx,
            enterprise_id="farm",
            name="Cidre",
            product_type="cider",
            quantity=Decimal(75),
            unit="Centilitre",
            vat_rate=Decimal(20),
        ).id


def rate_on(tx: Transaction, product: str, day: date) -> Decimal:
    rate: Decimal = tx.one(select(rate_in_force(product, day.isoformat()).label("rate")))["rate"]
    return rate


def test_the_first_rate_applies_to_any_day(store: Store, product: str) -> None:
    with store.read() as tx:
        for day in (date.min, date(1999, 1, 1), date.max):
            assert rate_on(tx, product, day) == 20
        with pytest.raises(NotFound):
            rates_of(tx, "other", product)


def test_a_rate_is_in_force_from_its_day_until_the_next_ones(store: Store, product: str) -> None:
    with store.write() as tx:
        set_rate(tx, "farm", product, Decimal("5.5"), JULY)
        set_rate(tx, "farm", product, Decimal(10), MAY)
        days = [date(2026, 4, 30), MAY, date(2026, 6, 30), JULY, date(2030, 1, 1)]
        assert [rate_on(tx, product, day) for day in days] == [20, 10, 10, Decimal("5.5"), Decimal("5.5")]
        assert rates_of(tx, "farm", product) == [
            VatRate(valid_from=ALWAYS, rate=Decimal(20)),
            VatRate(valid_from=MAY, rate=Decimal(10)),
            VatRate(valid_from=JULY, rate=Decimal("5.5")),
        ]


def test_a_rate_of_the_same_day_replaces_the_one_before(store: Store, product: str) -> None:
    with store.write() as tx:
        set_rate(tx, "farm", product, Decimal(10), MAY)
        set_rate(tx, "farm", product, Decimal("2.1"), MAY)
        assert [rate.rate for rate in rates_of(tx, "farm", product)] == [20, Decimal("2.1")]
        set_rate(tx, "farm", product, Decimal(0))
        assert rate_on(tx, product, date(2020, 1, 1)) == 0


def test_a_planned_rate_can_be_taken_back_and_the_first_one_cannot(store: Store, product: str) -> None:
    with store.write() as tx:
        set_rate(tx, "farm", product, Decimal(10), JULY)
        remove_rate(tx, "farm", product, JULY)
        assert rate_on(tx, product, JULY) == 20
        with pytest.raises(NotFound):
            remove_rate(tx, "farm", product, JULY)
        with pytest.raises(Conflict):
            remove_rate(tx, "farm", product, ALWAYS)


@pytest.mark.parametrize("rate", ["-1", "100", "5.505", "NaN", "Infinity", "1E-9"])
def test_a_rate_that_cannot_be_is_refused(store: Store, product: str, rate: str) -> None:
    with store.write() as tx, pytest.raises(Invalid) as error:
        set_rate(tx, "farm", product, Decimal(rate), MAY)
    assert [problem.where for problem in error.value.problems] == ["/rate"]


def test_somebody_elses_product_has_no_rates_to_set(store: Store, product: str) -> None:
    with store.write() as tx:
        with pytest.raises(NotFound):
            set_rate(tx, "other", product, Decimal(10), MAY)
        with pytest.raises(NotFound):
            remove_rate(tx, "other", product, ALWAYS)


def test_a_product_shows_the_rate_of_the_day_where_its_producer_is(
    store: Store, product: str, clock: ManualClock
) -> None:
    with store.write() as tx:
        set_rate(tx, "farm", product, Decimal(10), date(2026, 6, 5))
        assert product_by_id(tx, "farm", product).vat_rate == 20
    clock.advance(hours=12)  # 22:00 UTC is midnight in Paris
    with store.read() as tx:
        assert product_by_id(tx, "farm", product).vat_rate == 10


def test_the_rate_can_be_asked_for_in_a_join(store: Store, product: str) -> None:
    with store.write() as tx:
        tx.execute(insert(product_vat).values(product_id=product, valid_from="2026-07-01", rate=Decimal("5.5")))
        row = tx.one(
            select(
                rate_in_force(literal(product), "2026-06-30").label("before"),
                rate_in_force(literal(product), "2026-07-01").label("after"),
                rate_in_force(literal("unknown"), "2026-07-01").label("unknown_product"),
            )
        )
    assert dict(row) == {"before": Decimal(20), "after": Decimal("5.5"), "unknown_product": None}
