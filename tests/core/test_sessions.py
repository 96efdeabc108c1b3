"""Sessions and log-ins: what begins one, what ends one, and what slows down those who guess."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from commensal.base.clock import ManualClock
from commensal.base.errors import Invalid, NotFound, TooMany
from commensal.people import login_throttle
from commensal.people.logging_in import CheckedPassword, actor_of_session, check_password, log_in
from commensal.people.new_password import check_new_password, prove_password
from commensal.people.passwords import hash_password
from commensal.people.people import Person, disable_person
from commensal.people.sessions import (
    NewSession,
    begin_session,
    list_sessions,
    log_out,
    note_seen,
    revoke_session,
    revoke_sessions,
    was_seen_long_ago,
)
from commensal.people.tables import person, person_session
from commensal.storage.database import Store
from commensal.storage.jobs.tables import job

GOOD = "une longue phrase"
HASH = hash_password(GOOD)
Somebody = Callable[..., Person]


def session_is_known(store: Store, secret: str) -> bool:
    with store.read() as tx:
        return actor_of_session(tx, secret, "") is not None


def test_a_log_in_begins_a_session_of_which_only_the_fingerprint_is_kept(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada", password_hash=HASH)
    checked_password = check_password(store, " ADA@example.org ", GOOD)
    with store.write() as tx:
        new = log_in(tx, checked_password, agent="Firefox")
        assert isinstance(new, NewSession)
        row = tx.one(select(person_session))
        assert new.secret not in map(str, row.values())
        assert new.secret not in repr(new)
        actor = actor_of_session(tx, new.secret, "192.0.2.1")
    assert actor is not None
    assert (actor.person_id, actor.email, actor.confirmed, actor.is_operator) == (ada.id, ada.email, True, False)
    assert (actor.session_hash, actor.token_scopes, actor.address) == (row["hash"], None, "192.0.2.1")


def test_every_log_in_makes_a_new_secret_and_ends_the_session_the_browser_had(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada", password_hash=HASH)
    checked_password = CheckedPassword(email=ada.email, person=ada, password_hash=HASH)
    with store.write() as tx:
        first = log_in(tx, checked_password)
        assert isinstance(first, NewSession)
        before = actor_of_session(tx, first.secret, "")
        assert before is not None
        second = log_in(tx, checked_password, replaces=before.session_hash)
        assert isinstance(second, NewSession)
    assert not session_is_known(store, first.secret)
    assert session_is_known(store, second.secret)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.org", "something else"),
        ("nobody@example.org", GOOD),
        ("no address", GOOD),
        ("ada@example.org", ""),
    ],
)
def test_a_wrong_address_and_a_wrong_password_look_alike(
    store: Store, somebody: Somebody, email: str, password: str
) -> None:
    somebody("Ada", password_hash=HASH)
    checked_password = check_password(store, email, password)
    assert checked_password.person is None
    with store.write() as tx:
        assert log_in(tx, checked_password) is None


def test_who_is_locked_out_cannot_log_in_and_is_not_told_more(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada", password_hash=HASH)
    with store.write() as tx:
        new = begin_session(tx, ada)
        disable_person(tx, ada.id)
    assert not session_is_known(store, new.secret)
    assert check_password(store, ada.email, GOOD).person is None


def test_a_password_that_changes_between_check_and_log_in_lets_nobody_in(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada", password_hash=HASH)
    checked_password = check_password(store, ada.email, GOOD)
    with store.write() as tx:
        tx.execute(person.update().values(password_hash="another"))
    with store.write() as tx:
        assert log_in(tx, checked_password) is None
        assert list_sessions(tx, ada.id) == []


def guess(store: Store, email: str, *, address: str = "", browser: str = "") -> int:
    """Tries a wrong password. Returns the seconds until the next try is allowed; 0 if this one was checked."""
    try:
        checked_password = check_password(store, email, "something else", address=address, browser=browser)
    except TooMany as busy:
        return busy.retry_after
    with store.write() as tx:
        assert log_in(tx, checked_password) is None
    return 0


def test_guessing_is_slowed_down_for_known_and_unknown_addresses(
    store: Store, clock: ManualClock, somebody: Somebody
) -> None:
    ada = somebody("Ada", password_hash=HASH)
    for email in (ada.email, "nobody@example.org"):
        assert [guess(store, email) for _ in range(login_throttle.FREE)] == [0] * login_throttle.FREE
        waits = []
        for _ in range(7):
            waits.append(guess(store, email))
            clock.advance(seconds=waits[-1])
            assert guess(store, email) == 0
        assert waits == [31, 61, 121, 241, 481, 901, 901]
    with pytest.raises(TooMany):
        check_password(store, "nobody@example.org", GOOD)
    clock.advance(minutes=15)
    checked_password = check_password(store, ada.email, GOOD)
    with store.write() as tx:
        assert log_in(tx, checked_password) is not None
    assert [guess(store, ada.email) for _ in range(login_throttle.FREE)] == [0] * login_throttle.FREE, (
        "the count starts again"
    )


def test_without_the_waiting_guessing_goes_on(
    store: Store, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Disables the guard: the right password works after any number of failures."""
    ada = somebody("Ada", password_hash=HASH)
    monkeypatch.setattr("commensal.people.logging_in.count_try", lambda tx, email, source: None)
    assert [guess(store, ada.email) for _ in range(login_throttle.FREE + 3)] == [0] * (login_throttle.FREE + 3)
    assert check_password(store, ada.email, GOOD).person is not None


def test_failures_are_forgiven_after_a_day(store: Store, clock: ManualClock) -> None:
    for _ in range(6):
        guess(store, "nobody@example.org")
    clock.advance(days=1, seconds=1)
    assert [guess(store, "nobody@example.org") for _ in range(login_throttle.FREE)] == [0] * login_throttle.FREE


def test_who_guesses_locks_nobody_out_but_themselves(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada", password_hash=HASH)
    waits = [guess(store, ada.email, address="192.0.2.66") for _ in range(login_throttle.FREE + 1)]
    assert waits == [0] * login_throttle.FREE + [31]
    checked_password = check_password(store, ada.email, GOOD, address="198.51.100.7")
    with store.write() as tx:
        assert isinstance(log_in(tx, checked_password), NewSession), "the owner comes from another network"
    assert guess(store, ada.email, address="192.0.2.66") == 31, "and the stranger waits all the same"
    assert guess(store, ada.email, address="::ffff:192.0.2.66") == 31


def test_one_count_for_all_networks_would_keep_the_owner_out(
    store: Store, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Disables the guard."""
    monkeypatch.setattr("commensal.people.logging_in.source_of", lambda tx, email, **kwargs: "network everybody")
    ada = somebody("Ada", password_hash=HASH)
    for _ in range(login_throttle.FREE):
        guess(store, ada.email, address="192.0.2.66")
    with pytest.raises(TooMany):
        check_password(store, ada.email, GOOD, address="198.51.100.7")


def test_a_browser_that_has_been_in_before_has_a_count_of_its_own(store: Store, somebody: Somebody) -> None:
    """A stranger at the next table shares the café's network."""
    ada, address = somebody("Ada", password_hash=HASH), "192.0.2.1"
    first = check_password(store, ada.email, GOOD, address=address)
    with store.write() as tx:
        session = log_in(tx, first)
    assert isinstance(session, NewSession)
    assert guess(store, ada.email, address=address, browser="made up") == 0
    for _ in range(login_throttle.FREE - 1):
        guess(store, ada.email, address=address)
    with pytest.raises(TooMany):
        check_password(store, ada.email, GOOD, address=address)
    checked_again = check_password(store, ada.email, GOOD, address=address, browser=session.browser)
    with store.write() as tx:
        renewed = log_in(tx, checked_again)
    assert isinstance(renewed, NewSession)
    assert renewed.browser == session.browser
    waits = [guess(store, ada.email, address=address, browser=session.browser) for _ in range(login_throttle.FREE + 1)]
    assert waits == [0] * login_throttle.FREE + [31], "and it may not guess for ever either"


def test_a_browser_known_to_one_account_is_a_stranger_to_another(store: Store, somebody: Somebody) -> None:
    ada, eve = somebody("Ada", password_hash=HASH), somebody("Eve", password_hash=HASH)
    checked_password = check_password(store, eve.email, GOOD)
    with store.write() as tx:
        eves_session = log_in(tx, checked_password)
    assert isinstance(eves_session, NewSession)
    waits = [guess(store, ada.email, address="192.0.2.66") for _ in range(login_throttle.FREE)]
    assert [*waits, guess(store, ada.email, address="192.0.2.66", browser=eves_session.browser)] == [
        0
    ] * login_throttle.FREE + [31]


def test_many_networks_together_have_a_ceiling_too(
    store: Store, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_throttle, "FREE_OF_ALL", 10)
    ada = somebody("Ada", password_hash=HASH)
    waits = [guess(store, ada.email, address=f"192.0.2.{number}") for number in range(11)]
    assert waits == [0] * 10 + [31]


def test_guesses_that_come_all_at_once_are_all_counted(store: Store, somebody: Somebody) -> None:
    """On PostgreSQL each of them once read the count from before the first one."""
    ada = somebody("Ada", password_hash=HASH)
    with ThreadPoolExecutor(12) as pool:
        waits = list(pool.map(lambda _: guess(store, ada.email), range(12)))
    assert (waits.count(0), len([wait for wait in waits if wait > 0])) == (login_throttle.FREE, 7)


def test_the_owner_is_told_once_a_day(store: Store, clock: ManualClock, somebody: Somebody) -> None:
    ada, unproved = somebody("Ada", password_hash=HASH), somebody("Eve", confirmed=False, password_hash=HASH)
    for email in (ada.email, unproved.email, "nobody@example.org"):
        for network in range(3):
            for _ in range(login_throttle.FREE + 1):
                guess(store, email, address=f"192.0.2.{network}")
    assert _warned_addresses(store) == [ada.email]
    clock.advance(days=1)
    for _ in range(login_throttle.FREE):
        guess(store, ada.email, address="192.0.2.9")
    assert _warned_addresses(store) == [ada.email] * 2


def _warned_addresses(store: Store) -> list[str]:
    with store.read() as tx:
        mails = tx.all(select(job.c.payload).where(job.c.kind == "mail"))
    return [mail["payload"]["to"] for mail in mails if mail["payload"]["kind"] == "log_in_failures"]


def test_a_session_does_not_guess_the_password_for_ever(store: Store, somebody: Somebody) -> None:
    """Somebody who finds a browser logged in cannot guess its password. The owner still logs in elsewhere."""
    ada = somebody("Ada", password_hash=HASH)
    for _ in range(login_throttle.FREE):
        with pytest.raises(Invalid):
            prove_password(store, ada.id, "something else")
    with pytest.raises(TooMany):
        prove_password(store, ada.id, GOOD)
    with pytest.raises(TooMany):
        check_new_password(store, ada.id, old=GOOD, new="une autre phrase")
    assert check_password(store, ada.email, GOOD).person is not None


@pytest.mark.usefixtures("costly_hashes")
def test_a_hash_of_an_earlier_version_is_made_anew_at_the_log_in(store: Store, somebody: Somebody) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
    ada = somebody("Ada", password_hash=old)
    checked_password = check_password(store, ada.email, GOOD)
    with store.write() as tx:
        assert log_in(tx, checked_password) is not None
        stored_hash = tx.value(select(person.c.password_hash))
        assert stored_hash != old
        assert "m=19456,t=2,p=1" in stored_hash
    checked_again = check_password(store, ada.email, GOOD)
    assert (checked_again.person is not None, checked_again.renewed) == (True, "")


# ------------------------------------------------------------------------------------------------ how sessions end


def test_a_session_ends_after_thirty_idle_days(store: Store, clock: ManualClock, somebody: Somebody) -> None:
    ada = somebody("Ada")
    with store.write() as tx:
        new = begin_session(tx, ada)
    clock.advance(days=29, hours=23)
    assert session_is_known(store, new.secret)
    clock.advance(hours=1)
    assert not session_is_known(store, new.secret)


def test_a_session_that_is_used_ends_after_a_hundred_and_eighty_days(
    store: Store, clock: ManualClock, somebody: Somebody
) -> None:
    ada = somebody("Ada")
    with store.write() as tx:
        new = begin_session(tx, ada)
    for _ in range(8):
        clock.advance(days=20)
        with store.write() as tx:
            actor = actor_of_session(tx, new.secret, "")
            assert actor is not None
            assert actor.session_hash is not None
            note_seen(tx, actor.session_hash)
    clock.advance(days=20)
    assert not session_is_known(store, new.secret)


def test_signs_of_life_are_written_at_most_once_an_hour(store: Store, clock: ManualClock, somebody: Somebody) -> None:
    ada = somebody("Ada")
    with store.write() as tx:
        new = begin_session(tx, ada)
        started_at = tx.now

    def visit() -> bool:
        with store.write() as tx:
            actor = actor_of_session(tx, new.secret, "")
            assert actor is not None
            assert actor.session_hash is not None
            due = was_seen_long_ago(actor, tx.now)
            note_seen(tx, actor.session_hash)
            return due

    clock.advance(minutes=59)
    assert not visit()
    with store.read() as tx:
        assert tx.value(select(person_session.c.seen_at)) == started_at
    clock.advance(minutes=1)
    assert visit()
    with store.read() as tx:
        assert tx.value(select(person_session.c.seen_at)) == clock.now()
    assert not visit()


def test_logging_out_ends_one_session_and_only_that(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada")
    with store.write() as tx:
        first, second = begin_session(tx, ada), begin_session(tx, ada)
        actor = actor_of_session(tx, first.secret, "")
        assert actor is not None
        assert actor.session_hash is not None
        log_out(tx, actor.session_hash)
        log_out(tx, actor.session_hash)
    assert not session_is_known(store, first.secret)
    assert session_is_known(store, second.secret)


def test_people_end_their_own_sessions_and_nobody_elses(store: Store, somebody: Somebody) -> None:
    ada, eve = somebody("Ada"), somebody("Eve")
    with store.write() as tx:
        begin_session(tx, ada, agent="phone")
        begin_session(tx, ada, agent="library")
        library = next(session for session in list_sessions(tx, ada.id) if session.agent == "library")
        with pytest.raises(NotFound):
            revoke_session(tx, eve.id, library.id)
        revoke_session(tx, ada.id, library.id)
        with pytest.raises(NotFound):
            revoke_session(tx, ada.id, library.id)
        assert [session.agent for session in list_sessions(tx, ada.id)] == ["phone"]
        assert revoke_sessions(tx, ada.id) == 1
        assert list_sessions(tx, ada.id) == []


def test_nobody_is_found_by_a_secret_that_was_never_given(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada")
    with store.write() as tx:
        new = begin_session(tx, ada)
    assert not session_is_known(store, "")
    assert not session_is_known(store, new.secret[:-1])
    assert not session_is_known(store, replace(new, secret=new.secret.upper()).secret)
