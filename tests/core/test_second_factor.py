"""A second factor: codes from an app, recovery codes, and what keeps out somebody with only the password."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.errors import Forbidden, Refused, TooMany
from commensal.enterprises.access import demand, held_at
from commensal.instance import Instance
from commensal.instance.tables import audit_entry
from commensal.parts.accounts.confirmations import reset_password
from commensal.parts.cli.user import _remove_second_factor
from commensal.people import login_throttle, one_time_codes, second_factor
from commensal.people.actor import OPERATOR, Actor
from commensal.people.codes import mail_code
from commensal.people.logging_in import CheckedPassword, CodeWanted, await_code, check_password, finish_log_in, log_in
from commensal.people.new_password import change_password
from commensal.people.one_time_codes import STEP, code_of, step_of, steps_that_match, uri_of
from commensal.people.passwords import hash_password
from commensal.people.people import Person
from commensal.people.second_factor import (
    begin_second_factor,
    confirm_second_factor,
    remove_second_factor,
    second_factor_of,
    turn_off_second_factor,
)
from commensal.people.sessions import NewSession, begin_session, list_sessions
from commensal.people.tables import person, person_recovery_code, person_second_factor
from commensal.storage.database import Store

from .test_people_api import HERE, code_in_last_mail

GOOD = "une longue phrase"
HASH = hash_password(GOOD)
Somebody = Callable[..., Person]


class Telephone:
    """A person's authenticator app, and the recovery codes they wrote down."""

    def __init__(self, store: Store, clock: ManualClock, person: Person) -> None:
        self.store, self.clock, self.person = store, clock, person
        with store.write() as tx:
            self.secret = begin_second_factor(tx, person.id, place="Val").secret
            codes = confirm_second_factor(tx, person.id, self.code(), keep=None)
        assert codes is not None
        self.recovery = list(codes)
        clock.advance(seconds=STEP)  # the code that confirmed the set-up is used up

    def code(self, steps: int = 0) -> str:
        return code_of(self.secret, step_of(self.clock.now()) + steps)

    def log_in(self, code: str = "") -> NewSession | CodeWanted | None:
        """Logs in with the right password and `code`."""
        with self.store.write() as tx:
            return log_in(
                tx, CheckedPassword(email=self.person.email, person=self.person, password_hash=HASH), code=code
            )


@pytest.fixture
def ada(somebody: Somebody) -> Person:
    return somebody("Ada", password_hash=HASH)


@pytest.fixture
def telephone(store: Store, clock: ManualClock, ada: Person) -> Telephone:
    return Telephone(store, clock, ada)


@pytest.mark.parametrize(
    ("moment", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(moment: int, code: str) -> None:
    """RFC 6238, appendix B: the secret is the ASCII text 12345678901234567890."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    now = datetime.fromtimestamp(moment, UTC)
    assert code_of(secret, step_of(now)) == code
    assert list(steps_that_match(secret, code, now)) == [step_of(now)]


def test_an_application_reads_who_and_where_from_the_uri() -> None:
    assert uri_of("ABC", place="Le Val: été", account="ada+x@example.org") == (
        "otpauth://totp/Le%20Val%20%20%C3%A9t%C3%A9:ada%2Bx@example.org"
        "?secret=ABC&issuer=Le%20Val%20%20%C3%A9t%C3%A9&algorithm=SHA1&digits=6&period=30"
    )


def test_the_password_alone_lets_nobody_in_any_more(
    store: Store, telephone: Telephone, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(telephone.log_in(), CodeWanted)
    assert telephone.log_in("000000") is None
    assert isinstance(telephone.log_in(telephone.code()), NewSession)
    monkeypatch.setattr("commensal.people.logging_in.has_second_factor", lambda tx, person_id: False)
    assert isinstance(telephone.log_in(), NewSession), "the guard is off, and the password is enough"


def test_a_secret_counts_only_once_a_code_of_it_was_typed(store: Store, ada: Person) -> None:
    with store.write() as tx:
        begin_second_factor(tx, ada.id, place="Val")
        assert confirm_second_factor(tx, ada.id, "000000", keep=None) is None
        assert isinstance(log_in(tx, CheckedPassword(email=ada.email, person=ada, password_hash=HASH)), NewSession)
        assert second_factor_of(tx, ada.id).since is None


def test_a_code_may_be_a_step_early_or_late_and_no_more(telephone: Telephone, monkeypatch: pytest.MonkeyPatch) -> None:
    telephone.clock.advance(minutes=10)
    assert [telephone.log_in(telephone.code(steps)) is not None for steps in (-2, 2, -1, 0, 1)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    monkeypatch.setattr(one_time_codes, "_EITHER_SIDE", 20)
    assert telephone.log_in(telephone.code(20)) is not None, "the window is open, and an old code gets in"


def test_a_code_is_no_use_to_who_has_read_it(telephone: Telephone, monkeypatch: pytest.MonkeyPatch) -> None:
    code = telephone.code()
    assert isinstance(telephone.log_in(code), NewSession)
    assert telephone.log_in(code) is None
    telephone.clock.advance(seconds=STEP)
    assert telephone.log_in(code) is None, "within the window, and used"

    def match_without_spending(tx: Any, person_id: str, secret: str, code: str) -> bool:
        return bool(list(steps_that_match(secret, code, tx.now)))

    monkeypatch.setattr(second_factor, "_spend_step", match_without_spending)
    assert isinstance(telephone.log_in(code), NewSession), "nobody notes what was used, and it gets in again"


def test_a_recovery_code_lets_in_once_however_it_is_typed(store: Store, telephone: Telephone) -> None:
    first, second, *_ = telephone.recovery
    assert len(set(telephone.recovery)) == 10
    assert isinstance(telephone.log_in(f" {first.upper()} "), NewSession)
    assert telephone.log_in(first) is None
    assert isinstance(telephone.log_in(second.replace("-", "")), NewSession)
    with store.read() as tx:
        assert second_factor_of(tx, telephone.person.id).recovery_codes == 8
        hashes = [row["hash"] for row in tx.all(select(person_recovery_code.c.hash))]
    assert not any(code.replace("-", "") in hashed for code in telephone.recovery for hashed in hashes)


def test_a_recovery_code_of_another_is_none(
    store: Store, clock: ManualClock, telephone: Telephone, somebody: Somebody
) -> None:
    eve = Telephone(store, clock, somebody("Eve", password_hash=HASH))
    assert telephone.log_in(eve.recovery[0]) is None
    assert eve.log_in(eve.recovery[0]) is not None


def test_guessing_codes_is_slowed_down_like_passwords(telephone: Telephone, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(login_throttle.FREE):
        assert telephone.log_in("000000") is None
    with pytest.raises(TooMany) as error:
        telephone.log_in(telephone.code())
    assert error.value.retry_after == 31
    assert check_password(telephone.store, telephone.person.email, GOOD).person is not None, "passwords count apart"
    monkeypatch.setattr(second_factor, "count_try", lambda tx, email, source: None)
    assert telephone.log_in(telephone.code()) is not None, "nobody is slowed down, and guessing goes on"


def test_codes_that_are_guessed_all_at_once_are_all_counted(telephone: Telephone) -> None:
    """On PostgreSQL each of them once read the count from before the first one."""

    def guess(number: int) -> bool:
        try:
            return telephone.log_in(f"{number:06}") is None
        except TooMany:
            return False

    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(guess, range(12)))
    assert outcomes.count(True) == login_throttle.FREE


def test_a_guess_waits_for_the_one_before_it(store: Store, telephone: Telephone) -> None:
    """The second step of a log-in locks nothing else that would make guesses on PostgreSQL take turns."""

    def guess(code: str) -> NewSession | None:
        with store.write() as tx:
            return finish_log_in(tx, pending, code)

    with store.write() as tx:
        pending = await_code(tx, telephone.person.id)
    for _ in range(login_throttle.FREE - 1):
        assert guess("000000") is None
    with ThreadPoolExecutor(1) as pool:
        with store.write() as tx:
            assert finish_log_in(tx, pending, "000000") is None
            second = pool.submit(guess, "000001")
            with pytest.raises(TimeoutError):
                second.result(timeout=0.3)
        with pytest.raises(TooMany):
            second.result(timeout=30)


def test_who_has_the_password_does_not_keep_a_known_browser_from_typing_its_code(
    store: Store, telephone: Telephone
) -> None:
    session = telephone.log_in(telephone.code())
    assert isinstance(session, NewSession)
    telephone.clock.advance(seconds=STEP)
    for _ in range(login_throttle.FREE):
        telephone.log_in("000000")
    checked_password = CheckedPassword(
        email=telephone.person.email, person=telephone.person, password_hash=HASH, browser=session.browser
    )
    with store.write() as tx:
        assert isinstance(log_in(tx, checked_password, code=telephone.code()), NewSession)


def test_the_second_half_of_a_log_in_needs_the_first(
    store: Store, clock: ManualClock, telephone: Telephone, ada: Person
) -> None:
    with store.write() as tx:
        pending = [await_code(tx, ada.id) for _ in range(2)]
        with pytest.raises(Refused, match="too long"):
            finish_log_in(tx, "made up", telephone.code())
        assert finish_log_in(tx, pending[0], "000000") is None
        assert isinstance(finish_log_in(tx, pending[0], telephone.code()), NewSession)
        with pytest.raises(Refused, match="too long"):  # one log-in ends the other pending ones
            finish_log_in(tx, pending[1], telephone.code(1))
        code = await_code(tx, ada.id)
    clock.advance(minutes=10)
    with store.write() as tx, pytest.raises(Refused, match="too long"):
        finish_log_in(tx, code, telephone.code())


def test_a_new_password_ends_log_ins_that_wait_for_a_code(store: Store, telephone: Telephone, ada: Person) -> None:
    with store.write() as tx:
        code = await_code(tx, ada.id)
        change_password(tx, ada.id, (HASH, HASH), keep=None)
        with pytest.raises(Refused, match="too long"):
            finish_log_in(tx, code, telephone.code())


def test_a_forgotten_password_goes_round_no_second_factor(store: Store, telephone: Telephone, ada: Person) -> None:
    """Nor does it reset the count of guessed codes."""
    for _ in range(login_throttle.FREE):
        assert telephone.log_in("000000") is None
    with store.write() as tx:
        mail_code(tx, ada.email, "reset", kind="reset_password")
    code = code_in_last_mail(store)
    with store.write() as tx:
        reset_password(tx, code, HASH)
    with pytest.raises(TooMany):
        telephone.log_in(telephone.code())
    telephone.clock.advance(minutes=1)
    assert isinstance(telephone.log_in(), CodeWanted)


def test_setting_up_a_second_factor_ends_the_sessions_of_other_browsers(
    store: Store, clock: ManualClock, ada: Person
) -> None:
    with store.write() as tx:
        for _ in range(3):
            begin_session(tx, ada)
    Telephone(store, clock, ada)
    with store.read() as tx:
        assert list_sessions(tx, ada.id) == []


def test_a_second_factor_is_turned_off_by_a_code_only(
    store: Store, telephone: Telephone, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.write() as tx:
        assert not turn_off_second_factor(tx, ada.id, "000000", keep=None)
        assert second_factor_of(tx, ada.id).since is not None
        assert turn_off_second_factor(tx, ada.id, telephone.recovery[3], keep=None)
        assert second_factor_of(tx, ada.id) == second_factor.SecondFactor(since=None, recovery_codes=0)
    second_telephone = Telephone(store, telephone.clock, ada)
    monkeypatch.setattr(second_factor, "prove_second_factor", lambda tx, person_id, code, source="": True)
    with store.write() as tx:
        assert turn_off_second_factor(tx, second_telephone.person.id, "", keep=None), "the guard is off"


def test_whoever_runs_the_instance_can_take_it_away_and_the_trail_says_so(
    instance: Instance, store: Store, telephone: Telephone
) -> None:
    with instance.store.write() as tx:
        begin_session(tx, telephone.person)
        assert remove_second_factor(tx, telephone.person.id)
        assert not remove_second_factor(tx, telephone.person.id)
        assert list_sessions(tx, telephone.person.id) == []
    assert isinstance(telephone.log_in(), NewSession)
    with store.read() as tx:
        entries = [
            (row["action"], row["object_kind"]) for row in tx.all(select(audit_entry).order_by(audit_entry.c.id))
        ]
        trail = str(tx.all(select(audit_entry)))
    assert ("removed", "person_second_factor") in entries
    assert telephone.secret not in trail
    assert not any(code in trail for code in telephone.recovery)


def test_an_instance_may_want_it_of_all_who_have_rights(
    instance: Instance, store: Store, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga = somebody("Olga", operator=True)
    without_factor = Actor(person_id=olga.id, is_operator=True, lacks_second_factor=True)
    with store.read() as tx:
        demand(tx, without_factor, "self")  # so that they can set it up
        with pytest.raises(Forbidden, match="second factor"):
            demand(tx, without_factor, OPERATOR)
        assert held_at(tx, without_factor, "any") == frozenset()
        monkeypatch.setattr("commensal.enterprises.access._refuse_without_second_factor", lambda actor: None)
        demand(tx, without_factor, OPERATOR)  # the guard is off


# ------------------------------------------------------------------------------------------------ over HTTP


def test_a_program_sets_up_a_second_factor_and_logs_in_with_a_code(
    client: TestClient, clock: ManualClock, store: Store, ada: Person
) -> None:
    def ask(method: str, path: str, **body: str) -> Any:
        return client.request(method, f"/api{path}", json=body or None, headers=HERE)

    credentials = {"email": ada.email, "password": GOOD}
    assert ask("POST", "/sessions", **credentials).status_code == 201
    assert ask("POST", "/me/second-factor", password="not the password").status_code == 422
    begun_factor = ask("POST", "/me/second-factor", password=GOOD).json()
    assert begun_factor["secret"] in begun_factor["uri"]

    def code() -> str:
        clock.advance(seconds=STEP)
        return code_of(begun_factor["secret"], step_of(clock.now()))

    response = ask("PUT", "/me/second-factor", code="000000")
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/code")
    recovery = ask("PUT", "/me/second-factor", code=code()).json()["recovery_codes"]
    status = ask("GET", "/me/second-factor").json()
    assert (status["recovery_codes"], "secret" in str(status)) == (10, False)
    assert ask("POST", "/me/second-factor", password=GOOD).status_code == 409

    client.cookies.clear()
    asked_for_code = ask("POST", "/sessions", **credentials)
    assert (asked_for_code.status_code, asked_for_code.json()["code"]) == (401, "code_wanted")
    assert ask("POST", "/sessions", **credentials, code="000000").json()["code"] == "log_in"
    assert ask("POST", "/sessions", **credentials, code=code()).status_code == 201
    assert ask("POST", "/me/second-factor/off", password=GOOD, code="000000").status_code == 422
    assert ask("POST", "/me/second-factor/off", password=GOOD, code=recovery[0]).status_code == 204
    assert ask("POST", "/sessions", **credentials).status_code == 201
    with store.read() as tx:
        assert tx.all(select(person_second_factor)) == []


def test_a_failed_code_over_http_is_counted(client: TestClient, telephone: Telephone, ada: Person) -> None:
    """An error that undid the transaction would undo the count."""
    credentials = {"email": ada.email, "password": GOOD, "code": "000000"}
    statuses = [
        client.post("/api/sessions", json=credentials, headers=HERE).status_code for _ in range(login_throttle.FREE + 1)
    ]
    assert statuses == [401] * login_throttle.FREE + [429]


def test_the_command_lets_in_who_has_lost_the_second_factor(instance: Instance, telephone: Telephone) -> None:
    assert _remove_second_factor(instance, telephone.person.email)
    assert isinstance(telephone.log_in(), NewSession)
    with telephone.store.read() as tx:
        assert tx.value(select(person.c.email)) == telephone.person.email
