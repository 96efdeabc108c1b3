"""Passwords: what is asked of one, how it is kept, and how it is checked without telling anything by the time it takes.

Everything here takes tens of milliseconds and 19 MiB: call it outside of transactions.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from ...base.errors import Busy, Invalid, Problem
from .guessable import guessable

SHORTEST, LONGEST = 10, 200  # characters; length is what counts (NIST SP 800-63B, 3.1.1), so nothing else is demanded
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # argon2id, as OWASP advises
_SLOTS = threading.BoundedSemaphore(2)  # when everybody logs in before the close, the rest of the machine still sells
_PATIENCE = 10.0  # seconds

# Of a password that nobody has; checked where there is nobody to check, so that both take equally long.
_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$y8GGy7n/IppE80UPyMhlEg$Aloy9xAP6zQ9hoJxSj7OMXG2HxtEqsuri5lc4KFplFM"


def judge_password(
    password: str, problems: list[Problem], where: str = "/password", *, own: Iterable[str] = ()
) -> None:
    """Adds to `problems` what is wrong with a password somebody would like to have. `own` are names that others would
    try first: the person's, the instance's."""
    if len(password) < SHORTEST:
        problems.append(Problem("too_short", "Use at least {least} characters.", where, {"least": SHORTEST}))
    if len(password) > LONGEST:
        problems.append(Problem("too_long", "This is longer than {most} characters.", where, {"most": LONGEST}))
    elif len(password) >= SHORTEST and guessable(password, own):
        problems.append(Problem("guessable", "This password is one of the first that are guessed.", where))


def hash_password(password: str, where: str = "/password", *, own: Iterable[str] = ()) -> str:
    """What is kept of a new password. Raises `Invalid` where it will not do, `Busy` when too many are being hashed."""
    problems: list[Problem] = []
    judge_password(password, problems, where, own=own)
    if problems:
        raise Invalid(problems)
    return _hashed(password)


def password_matches(password: str, kept: str | None) -> bool:
    """Whether `kept` was made of this password; None (nobody, or no password) takes as long, and is False.

    Raises `Busy` when too many others are being checked.
    """
    with _slot():
        try:
            _HASHER.verify(kept or _NOBODYS, _same_everywhere(password[:LONGEST]))
        except VerificationError:
            return False
    return kept is not None


def renewed_hash(password: str, kept: str) -> str:
    """What to keep instead of `kept`, which matches; "" where it was made with the settings of today.

    Raises `Busy`. The password is not judged again: who has it may go on using it.
    """
    return _hashed(password) if _HASHER.check_needs_rehash(kept) else ""


def _hashed(password: str) -> str:
    with _slot():
        return _HASHER.hash(_same_everywhere(password))


def _same_everywhere(password: str) -> str:
    """One keyboard composes é, another sends e and an accent: both are the same password (NFKC, NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)


@contextmanager
def _slot() -> Iterator[None]:
    if not _SLOTS.acquire(timeout=_PATIENCE):
        raise Busy("too many passwords are being checked")
    try:
        yield
    finally:
        _SLOTS.release()
