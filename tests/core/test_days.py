"""The day on which a moment falls depends on the time zone, and both databases agree on it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Text, literal, select

from commensal.storage.database import Store, Time, local_day


@pytest.mark.parametrize(
    ("moment", "timezone", "day"),
    [
        (datetime(2026, 6, 4, 21, 59, tzinfo=UTC), "Europe/Paris", "2026-06-04"),
        (datetime(2026, 6, 4, 22, 0, tzinfo=UTC), "Europe/Paris", "2026-06-05"),
        (datetime(2026, 12, 31, 22, 59, tzinfo=UTC), "Europe/Paris", "2026-12-31"),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), "Europe/Paris", "2027-01-01"),
        (datetime(2026, 6, 4, 9, 59, tzinfo=UTC), "Pacific/Tahiti", "2026-06-03"),
        (datetime(2026, 6, 4, 20, 30, tzinfo=UTC), "Indian/Reunion", "2026-06-05"),
    ],
)
def test_a_moment_falls_on_the_day_of_its_time_zone(store: Store, moment: datetime, timezone: str, day: str) -> None:
    with store.read() as tx:
        assert tx.value(select(local_day(literal(moment, Time), literal(timezone, Text)))) == day


def test_no_moment_is_on_no_day(store: Store) -> None:
    with store.read() as tx:
        assert tx.value(select(local_day(literal(None, Time), literal("Europe/Paris", Text)))) is None
