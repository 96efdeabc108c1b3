"""Passwords: their rules, their hashes, and checks whose duration reveals nothing.

Everything here takes tens of milliseconds and 19 MiB: call it outside of transactions.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from ..base.errors import Busy, Invalid, Problem
from .guessable import is_guessable

SHORTEST, LONGEST = 10, 200  # characters; length is what counts (NIST SP 800-63B, 3.1.1), so nothing else is demanded
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # argon2id, as OWASP advises
_SLOTS = threading.BoundedSemaphore(2)  # leaves the machine to orders when everybody logs in before a sale closes
_PATIENCE = 10.0  # seconds

# The hash of a password that nobody has; checked for unknown addresses, so that they take as long as known ones.
_DUMMY_HASH = "$argon2id$v=19$m=19456,t=2,p=1$y8GGy7n/IppE80UPyMhlEg$Aloy9xAP6zQ9hoJxSj7OMXG2HxtEqsuri5lc4KFplFM"


def judge_password(
    password: str, problems: list[Problem], where: str = "/password", *, own: Iterable[str] = ()
) -> None:
    """Adds to `problems` what is wrong with a new password. `own` are names that attackers would try first: the
    person's, the instance's."""
    if len(password) < SHORTEST:
        problems.append(Problem("too_short", "Use at least {least} characters.", where, {"least": SHORTEST}))
    if len(password) > LONGEST:
        problems.append(Problem("too_long", "This is longer than {most} characters.", where, {"most": LONGEST}))
    elif len(password) >= SHORTEST and is_guessable(password, own):
        problems.append(Problem("guessable", "This password is one of the first that are guessed.", where))


def hash_password(password: str, where: str = "/password", *, own: Iterable[str] = ()) -> str:
    """The hash of a new password. Raises `Invalid` if the password is refused, `Busy` if too many are being hashed."""
    problems: list[Problem] = []
    judge_password(password, problems, where, own=own)
    if problems:
        raise Invalid(problems)
    return _hash(password)


def password_matches(password: str, password_hash: str | None) -> bool:
    """Whether this is the hash of the password; None (no account, or no password) takes as long and returns False.

    Raises `Busy` if too many others are being checked.
    """
    with _slot():
        try:
            _HASHER.verify(password_hash or _DUMMY_HASH, _normalized(password[:LONGEST]))
        except VerificationError:
            return False
    return password_hash is not None


def renewed_hash(password: str, password_hash: str) -> str:
    """The hash to store instead of `password_hash`, which matches; "" if it was made with today's settings.

    Raises `Busy`. Does not judge the password again: its owner may go on using it.
    """
    return _hash(password) if _HASHER.check_needs_rehash(password_hash) else ""


def _hash(password: str) -> str:
    with _slot():
        return _HASHER.hash(_normalized(password))


def _normalized(password: str) -> str:
    """The password in NFKC (NIST SP 800-63B): one keyboard composes é, another sends e and an accent."""
    return unicodedata.normalize("NFKC", password)


@contextmanager
def _slot() -> Iterator[None]:
    if not _SLOTS.acquire(timeout=_PATIENCE):
        raise Busy("too many passwords are being checked")
    try:
        yield
    finally:
        _SLOTS.release()
