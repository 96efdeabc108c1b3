"""Passwords: their rules, their hashes, and checks whose duration reveals nothing.

Everything here takes tens of milliseconds and 19 MiB: call it outside of transactions.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from ..base.errors import Busy, Invalid, Problem

# Passwords that attackers try first: common words with digits around them, and names of the person or the place.
#
# Published lists of guessed passwords have, from ten characters on (the least allowed here), nearly only this kind: a
# common word or a row of keys, once or twice, digits and signs before or after it, some letters written as digits. So
# this file lists the words instead of the tens of thousands of passwords made of them. Written for France and
# England.

_WORDS = """
password passwort passe motdepasse mdp secret admin administrator administrateur root user utilisateur guest invite
test testing demo welcome bienvenue login connexion letmein changeme changemoi default iloveyou jetaime jtm love amour
bonjour bonsoir salut coucou hello soleil sunshine princess princesse prince dragon monkey master superman batman
spiderman pokemon starwars naruto minecraft fortnite football foot baseball basketball hockey soccer rugby tennis
marseille paris lyon toulouse bordeaux nantes lille rennes strasbourg nice france bretagne london england liverpool
chelsea arsenal manchester doudou loulou chouchou chou cheri cherie bebe maman papa famille family mommy daddy angel
ange michael jordan jessica ashley nicolas thomas julien camille marine pauline maxime alexandre antoine charlotte
isabelle nathalie sandrine stephanie philippe christophe sebastien frederic laurent patrick pierre jacques jean marie
martin daniel matthew andrew joshua robert charlie george jennifer michelle amanda nicole computer internet google
facebook youtube samsung iphone apple microsoft windows linux qwerty azerty qwertz qwertyuiop azertyuiop asdfghjkl
qsdfghjklm zxcvbnm wxcvbn qazwsx azeqsd qweasd qweasdzxc azeqsdwxc abcdef abcdefg abcdefgh abcdefghij abc abcd abcde
qwer qwert azert qwerasdf qazwsxedc qazwsxedcrfv asdf zxcv trustno whatever freedom liberte shadow flower fleur
chocolat chocolate cookie banana banane orange pepper ginger summer winter spring autumn printemps automne january
february janvier fevrier lundi monday money argent vacances holiday music musique killer hunter ninja matrix mustang
ferrari porsche mercedes harley yamaha peugeot renault toto titi tata lapin chat chien minou caramel tigrou snoopy
garfield mickey panier paniers amap legumes commensal cooperative
"""
_SUBSTITUTIONS = str.maketrans("01345@$!7", "oleasasit")
_NO_LETTERS = re.compile(r"[\W\d_]+")
_ROWS = ("0123456789" * 3, "9876543210" * 3)


def is_guessable(password: str, own: Iterable[str] = ()) -> bool:
    """Whether attackers try this password first. `own` are names related to it: of the person, of the place."""
    folded = password.casefold()
    if len(set(folded)) < 4 or any(folded in row for row in _ROWS) or folded.isdigit():
        return True
    words = _words() | {name for text in own for name in _words_of(text)}
    return any(
        _consists_of(_NO_LETTERS.sub("", candidate), words) for candidate in (folded, _undo_substitutions(folded))
    )


def _consists_of(letters: str, words: frozenset[str]) -> bool:
    """Whether it is one of the words, once or repeated; or has at most one letter, as dates have."""
    if len(letters) < 2:
        return True
    return any(letters == word * (len(letters) // len(word)) for word in words if letters.startswith(word))


def _undo_substitutions(password: str) -> str:
    """The word that Passw0rd2024 stands for: digits and signs at the ends go, digits inside become letters."""
    core = password.strip("0123456789!?.,;:*-_+#@$&%/() ")
    return core.translate(_SUBSTITUTIONS)


def _words_of(text: str) -> set[str]:
    """The words of a name or address, and all of them joined."""
    words = _NO_LETTERS.split(text.casefold())
    return {word for word in (*words, "".join(words)) if len(word) > 2}


@cache
def _words() -> frozenset[str]:
    return frozenset(_WORDS.split())


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
