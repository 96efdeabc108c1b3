"""Passwords: what is asked of one, how it is kept, and how it is checked without telling anything by the time it takes.

Everything here takes tens of milliseconds and 19 MiB: call it outside of transactions.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from ..errors import Busy, Invalid, Problem

SHORTEST, LONGEST = 10, 200  # characters; length is what counts (NIST SP 800-63B, 3.1.1), so nothing else is demanded
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # argon2id, as OWASP advises
_SLOTS = threading.BoundedSemaphore(2)  # when everybody logs in before the close, the rest of the machine still sells
_PATIENCE = 10.0  # seconds

# Of a password that nobody has; checked where there is nobody to check, so that both take equally long.
_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$y8GGy7n/IppE80UPyMhlEg$Aloy9xAP6zQ9hoJxSj7OMXG2HxtEqsuri5lc4KFplFM"

# What is guessed first among passwords of ten characters and more.
_GUESSED_FIRST = """
0123456789 1234567890 0987654321 9876543210 12345678910 1234567891 123456789a 123456789q a123456789 q123456789
1q2w3e4r5t q1w2e3r4t5 1qaz2wsx3edc 1a2b3c4d5e qazwsxedcrfv qwertyuiop qwertyuiop123 azertyuiop azertyuiop123
1234qwerasdf asdfghjkl123 abcdefghij abcdef123456 abcd123456 abc123456789 password12 password123 password1234
passw0rd123 password12345 passwordpassword motdepasse motdepasse1 motdepasse123 motdepassemotdepasse changeme123
administrator administrateur iloveyou123 jetaime123 jetaime1234 bonjour123 bonjour1234 soleil12345 doudou12345
marseille13 loulou12345 chouchou123 welcome123 letmein123 football123 football10 baseball123 superman123
"""
_GUESSED = frozenset(_GUESSED_FIRST.split())


def judge_password(password: str, problems: list[Problem], where: str = "/password") -> None:
    """Adds to `problems` what is wrong with a password somebody would like to have."""
    if len(password) < SHORTEST:
        problems.append(Problem("too_short", "Use at least {least} characters.", where, {"least": SHORTEST}))
    if len(password) > LONGEST:
        problems.append(Problem("too_long", "This is longer than {most} characters.", where, {"most": LONGEST}))
    elif password.casefold() in _GUESSED or len(set(password)) < 4:
        problems.append(Problem("guessable", "This password is one of the first that are guessed.", where))


def hash_password(password: str, where: str = "/password") -> str:
    """What is kept of a new password. Raises `Invalid` where it will not do, `Busy` when too many are being hashed."""
    problems: list[Problem] = []
    judge_password(password, problems, where)
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
