"""Rhythms: RFC 5545 rules in the wall-clock time of the coordinator."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from commensal.sale_sessions.rhythm import next_opening, rhythm_problems, shifted

PARIS = ZoneInfo("Europe/Paris")
THURSDAY = datetime(2026, 6, 4, 18, 0, tzinfo=PARIS)
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def openings(rule: str, start: datetime, count: int) -> list[datetime]:
    """Returns the next `count` openings in Paris time, each derived from the previous one as `repeat_due` does."""
    dates = []
    for _ in range(count):
        following = next_opening(rule, start.astimezone(UTC), "Europe/Paris", not_before=start)
        if following is None:
            break
        start, rule = following
        dates.append(start.astimezone(PARIS))
    return dates


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=WEEKLY", ["2026-06-11", "2026-06-18", "2026-06-25"]),
        ("FREQ=WEEKLY;INTERVAL=2", ["2026-06-18", "2026-07-02", "2026-07-16"]),
        ("FREQ=WEEKLY;BYDAY=TU,FR", ["2026-06-05", "2026-06-09", "2026-06-12"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,FR", ["2026-06-05", "2026-06-16", "2026-06-19"]),
        ("FREQ=MONTHLY;BYDAY=1FR", ["2026-06-05", "2026-07-03", "2026-08-07"]),
        ("FREQ=MONTHLY;BYDAY=-1SA", ["2026-06-27", "2026-07-25", "2026-08-29"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", ["2026-06-30", "2026-07-31", "2026-08-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", ["2026-07-31", "2026-08-31", "2026-10-31"]),
        ("FREQ=DAILY;INTERVAL=3", ["2026-06-07", "2026-06-10", "2026-06-13"]),
        ("FREQ=WEEKLY;BYMONTH=9,10", ["2026-09-03", "2026-09-10", "2026-09-17"]),
    ],
)
def test_a_rule_gives_these_days_always_at_the_same_hour(rule: str, expected: list[str]) -> None:
    assert rhythm_problems(rule) == []
    dates = openings(rule, THURSDAY, 3)
    assert [f"{opening:%Y-%m-%d}" for opening in dates] == expected
    assert {f"{opening:%H:%M}" for opening in dates} == {"18:00"}


def test_six_in_the_evening_stays_six_in_the_evening_when_summer_begins() -> None:
    dates = openings("FREQ=WEEKLY", datetime(2026, 3, 26, 18, 0, tzinfo=PARIS), 1)
    assert dates == [datetime(2026, 4, 2, 18, 0, tzinfo=PARIS)]
    assert dates[0].astimezone(UTC).hour == 16  # it was 17 the week before


def test_six_in_the_evening_stays_six_in_the_evening_when_winter_begins() -> None:
    dates = openings("FREQ=WEEKLY", datetime(2026, 10, 22, 18, 0, tzinfo=PARIS), 1)
    assert dates == [datetime(2026, 10, 29, 18, 0, tzinfo=PARIS)]
    assert dates[0].astimezone(UTC).hour == 17


def test_a_time_that_the_clocks_skip_is_read_by_the_offset_before_the_gap() -> None:
    dates = openings("FREQ=WEEKLY", datetime(2026, 3, 22, 2, 30, tzinfo=PARIS), 1)
    assert dates[0].astimezone(UTC) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 in Paris


def test_a_time_that_comes_twice_is_the_first_of_the_two() -> None:
    dates = openings("FREQ=WEEKLY", datetime(2026, 10, 18, 2, 30, tzinfo=PARIS), 1)
    assert dates[0].astimezone(UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_count_is_of_sales_the_first_included() -> None:
    assert len(openings("FREQ=WEEKLY;COUNT=3", THURSDAY, 10)) == 2
    assert openings("FREQ=WEEKLY;COUNT=1", THURSDAY, 10) == []


def test_dates_that_were_skipped_count() -> None:
    after = THURSDAY + timedelta(weeks=2, days=1)
    following = next_opening("FREQ=WEEKLY;COUNT=5;WKST=MO", THURSDAY, "Europe/Paris", not_before=after)
    assert following == (THURSDAY + timedelta(weeks=3), "FREQ=WEEKLY;COUNT=2;WKST=MO")


def test_until_a_day_includes_the_day_and_until_a_moment_the_moment() -> None:
    assert len(openings("FREQ=WEEKLY;UNTIL=20260618", THURSDAY, 10)) == 2
    assert len(openings("FREQ=WEEKLY;UNTIL=20260618T160000Z", THURSDAY, 10)) == 2  # 18:00 in Paris
    assert len(openings("FREQ=WEEKLY;UNTIL=20260618T155959Z", THURSDAY, 10)) == 1


@pytest.mark.parametrize(
    ("rule", "codes"),
    [
        ("", {"unknown_part", "frequency"}),
        ("weekly", {"unknown_part", "frequency"}),
        ("FREQ=YEARLY", {"frequency"}),
        ("FREQ=SECONDLY", {"frequency"}),
        ("FREQ=DAILY;BYSECOND=1", {"unknown_part"}),
        ("FREQ=DAILY;BYHOUR=1,2,3", {"unknown_part"}),
        ("RRULE:FREQ=DAILY", {"unknown_part", "frequency"}),
        ("FREQ=DAILY\nDTSTART:20260101T000000", {"frequency"}),
        ("FREQ=WEEKLY;FREQ=DAILY", {"twice"}),
        ("FREQ=WEEKLY;INTERVAL=0", {"number"}),
        ("FREQ=WEEKLY;INTERVAL=٣", {"number"}),
        ("FREQ=WEEKLY;INTERVAL=0;COUNT=many", {"number"}),
        ("FREQ=WEEKLY;COUNT=2;UNTIL=20270101", {"two_ends"}),
        ("FREQ=WEEKLY;UNTIL=20260231", {"until"}),
        ("FREQ=WEEKLY;UNTIL=20261231T180000", {"until"}),  # whose 18:00?
        ("FREQ=WEEKLY;BYDAY=XX", {"unreadable"}),
        ("FREQ=WEEKLY;BYDAY=", {"unreadable"}),
        ("FREQ=MONTHLY;BYSETPOS=0;BYDAY=MO", {"unreadable"}),
        ("FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=2", {"never"}),
        ("FREQ=DAILY;INTERVAL=9999", {"never"}),
        ("FREQ=DAILY;" * 100, {"too_long"}),
    ],
)
def test_a_rule_that_cannot_be_says_what_is_wrong_with_it(rule: str, codes: set[str]) -> None:
    problems = rhythm_problems(rule)
    assert {problem.code for problem in problems} == codes
    assert all(str(problem).startswith("/rhythm: ") for problem in problems)


parts = st.one_of(
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]).map("FREQ={}".format),
    st.integers(0, 10**5).map("INTERVAL={}".format),
    st.lists(st.tuples(st.sampled_from(["", "1", "-1", "+2", "-54", "9"]), st.sampled_from([*DAYS, "XX"]))).map(
        lambda days: "BYDAY=" + ",".join(f"{nth}{day}" for nth, day in days)
    ),
    st.tuples(
        st.sampled_from(["BYMONTHDAY", "BYMONTH", "BYSETPOS", "COUNT", "WKST"]),
        st.lists(st.integers(-400, 400), max_size=3),
    ).map(lambda part: f"{part[0]}={','.join(map(str, part[1]))}"),
    st.sampled_from(DAYS).map("WKST={}".format),
    st.text(max_size=12),
)


@example("FREQ=DAILY;BYMONTHDAY=30;BYMONTH=2", datetime(2026, 1, 1))  # noqa: DTZ001 - never, which must not take long
@given(st.lists(parts, min_size=1, max_size=6).map(";".join), st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)))  # noqa: DTZ001
def test_whatever_somebody_writes_is_refused_or_leads_on_in_time(rule: str, at: datetime) -> None:
    start = at.replace(tzinfo=UTC)
    if rhythm_problems(rule):
        return
    following = next_opening(rule, start, "Europe/Paris", not_before=start)
    if following is not None:
        assert start < following[0] <= start + timedelta(days=801)
        assert rhythm_problems(following[1]) == []


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001
    st.integers(0, 20 * 24 * 60),
    st.integers(-400, 400),
)
def test_moving_by_days_keeps_the_clocks(start: datetime, minutes: int, days: int) -> None:
    opens = start.replace(tzinfo=PARIS)
    moment = (start + timedelta(minutes=minutes)).replace(tzinfo=PARIS)
    result = shifted(
        moment.astimezone(UTC),
        "Europe/Paris",
        start=opens.astimezone(UTC),
        new_start=(start + timedelta(days=days)).replace(tzinfo=PARIS).astimezone(UTC),
    )
    expected = moment.astimezone(UTC).astimezone(PARIS).replace(tzinfo=None) + timedelta(days=days)
    assert abs(result.astimezone(PARIS).replace(tzinfo=None) - expected) <= timedelta(hours=1)  # only within a gap
