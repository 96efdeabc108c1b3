"""Limits on tries to log in. A try is counted before it is checked, so that parallel guesses are all counted.

Passwords are counted for each account and network (an IPv4 address, or the /64 of an IPv6 one), so that an attacker
slows down only their own network; a browser that has logged in to the account before has a count of its own. One more
count covers all networks together, with the ceiling of NIST SP 800-63B (3.2.2). Codes of the second factor, which only
somebody with the password can try, are counted for the account. Addresses without an account are counted alike.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Case, case, delete, literal, select

from ..base.errors import TooMany
from ..base.networks import network
from ..storage.database import Time, Transaction
from ..storage.database.counting import Window, count_within
from ..storage.jobs import enqueue
from .codes import fingerprint
from .sessions import knows_browser
from .tables import log_in_failure, person

FREE = 5  # failures in a row that cost nothing
FREE_OF_ALL = 100  # the same, of all networks together
_FIRST, _LAST = timedelta(seconds=30), timedelta(minutes=15)  # of waiting; doubled by each failure in between
_FORGIVEN = timedelta(days=1)  # without a failure
ALL, CODES = "all", "codes"  # sources beside networks and browsers; codes of a known browser add its fingerprint
BROWSER = "browser "  # the source of a known browser begins so
_WARNED = "warned"  # the source of the row that holds when the owner was last warned


def source_of(tx: Transaction, email: str, *, address: str, browser: str) -> str:
    """The source for which a try at this account counts: a known browser, or else the network.

    `address` is the client's IP address, `browser` the secret of its cookie, if any.
    """
    if browser and knows_browser(tx, email, browser):
        return f"{BROWSER}{fingerprint(browser)}"
    return f"network {network(address)}"


def count_try(tx: Transaction, email: str, source: str) -> None:
    """Counts a try; commit it, then check the password or code, and call `forget_tries` if it is right.

    Two tries at once wait for each other. Raises `TooMany` after too many recent failures; that try is not counted.
    """
    _count(tx, email, source, FREE)
    if source.startswith("network "):
        _count(tx, email, ALL, FREE_OF_ALL)


def forget_tries(tx: Transaction, email: str, source: str) -> None:
    """Resets the count of this source after a right password or code."""
    row = log_in_failure.c
    sources = (source, ALL) if source.startswith("network ") else (source,)
    tx.execute(delete(log_in_failure).where(row.email_hash == fingerprint(email), row.source.in_(sources)))


def forget_all_tries(tx: Transaction, email: str) -> None:
    """Resets the counts of an account whose owner has proved the address by mail.

    Counts of codes stay: otherwise an attacker who reads the mails could guess five more codes for each new password.
    """
    row = log_in_failure.c
    tx.execute(delete(log_in_failure).where(row.email_hash == fingerprint(email), ~row.source.startswith(CODES)))


def warn_owner(tx: Transaction, email: str, source: str) -> None:
    """Enqueues a mail to the account's confirmed address once the next try from this source must wait; at most one a
    day."""
    row = log_in_failure.c
    failures = tx.value(select(row.failures).where(row.email_hash == fingerprint(email), row.source == source))
    if (failures or 0) < FREE:
        return
    owner = select(person.c.name, person.c.language).where(person.c.email == email, person.c.disabled_at.is_(None))
    recipient = tx.first(owner.where(person.c.confirmed_at.is_not(None)))
    if recipient is not None and _first_today(tx, email):
        enqueue(tx, "mail", {"kind": "log_in_failures", "to": email, **recipient})


def _count(tx: Transaction, email: str, source: str, free: int) -> None:
    row = log_in_failure.c
    failures = Window(
        over=row.last_at < tx.now - _FORGIVEN,
        below=row.next_at <= tx.now,
        counted={"failures": row.failures + 1, "last_at": literal(tx.now, Time), "next_at": _next(tx.now, free)},
    )
    if not _insert_or_count(tx, email, source, 1, failures):
        query = select(row.next_at).where(row.email_hash == fingerprint(email), row.source == source)
        remaining: timedelta = tx.value(query) - tx.now
        raise TooMany(int(remaining.total_seconds()) + 1)


def _insert_or_count(tx: Transaction, email: str, source: str, failures: int, window: Window) -> bool:
    statement = count_within(tx.postgresql, log_in_failure, window)
    new = {"failures": failures, "last_at": tx.now, "next_at": tx.now}
    return tx.first(statement, {"email_hash": fingerprint(email), "source": source, **new}) is not None


def _next(now: datetime, free: int) -> Case[datetime]:
    """The expression for the time of the next allowed try, by the number of failures before this one."""
    waits = [(free - 1 + number, min(_FIRST * 2**number, _LAST)) for number in range(6)]
    failed = log_in_failure.c.failures
    steps = [(failed >= least, literal(now + wait, Time)) for least, wait in reversed(waits)]
    return case(*steps, else_=literal(now, Time))


def _first_today(tx: Transaction, email: str) -> bool:
    last_at = log_in_failure.c.last_at
    return _insert_or_count(tx, email, _WARNED, 0, Window(last_at <= tx.now - _FORGIVEN, {"last_at": last_at}))
