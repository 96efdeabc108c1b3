"""Rate limits: a number of requests in any minute for each address; silent addresses are forgotten."""

from __future__ import annotations

import pytest

from commensal.api.limits import Rates, throttle_codes
from commensal.base.errors import Invalid, Problem, TooMany
from commensal.instance.settings import LimitSettings
from commensal.people.actor import Actor


class Watch:
    """A clock in seconds that tests set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def rates(watch: Watch) -> Rates:
    return Rates(LimitSettings(reads=3, writes=1), seconds=watch)


def test_the_limit_holds_for_every_minute_wherever_it_begins(rates: Rates, watch: Watch) -> None:
    for second in (0, 30, 50):
        watch.now = 1000.0 + second
        rates.count("reads", "192.0.2.1")
    watch.now = 1059.0
    with pytest.raises(TooMany) as error:
        rates.count("reads", "192.0.2.1")
    assert error.value.retry_after == 2
    watch.now = 1060.0
    rates.count("reads", "192.0.2.1")
    with pytest.raises(TooMany):
        rates.count("reads", "192.0.2.1")


def test_what_was_refused_does_not_count(rates: Rates, watch: Watch) -> None:
    rates.count("writes", "192.0.2.1")
    for second in (20, 40, 59):
        watch.now = 1000.0 + second
        with pytest.raises(TooMany):
            rates.count("writes", "192.0.2.1")
    watch.now = 1060.0
    rates.count("writes", "192.0.2.1")


def test_addresses_and_kinds_are_counted_apart_and_an_ipv6_network_as_one(rates: Rates) -> None:
    rates.count("writes", "2001:db8:0:1::1")
    rates.count("writes", "2001:db8:0:2::1")
    rates.count("reads", "2001:db8:0:1::1")
    with pytest.raises(TooMany):
        rates.count("writes", "2001:db8:0:1:ffff::2")


def test_a_limit_of_nothing_refuses_everything(watch: Watch) -> None:
    with pytest.raises(TooMany):
        Rates(LimitSettings(logins=0), seconds=watch).count("logins", "192.0.2.1")


def test_silent_addresses_are_forgotten(rates: Rates, watch: Watch) -> None:
    for number in range(100):
        rates.count("reads", f"192.0.2.{number}")
    watch.now += 61
    rates.count("reads", "198.51.100.1")
    assert len(rates._hits) == 1


def test_an_account_guesses_no_more_codes_from_many_addresses() -> None:
    rates, unknown = Rates(LimitSettings(logins=3)), Invalid([Problem("code_unknown", "Not known.", "/codes/0")])

    def guess(last: int, person: str | None) -> None:
        actor = Actor(person_id=person, address=f"192.0.2.{last}")
        with pytest.raises(Invalid), throttle_codes(rates, actor, ["GUESS"]):
            raise unknown

    for last in range(3):
        guess(last, "eve")
    with pytest.raises(TooMany), throttle_codes(rates, Actor(person_id="eve", address="192.0.2.3"), ["GUESS"]):
        pass
    guess(3, "ada")
    guess(3, None)
