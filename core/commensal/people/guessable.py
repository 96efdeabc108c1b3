"""Passwords that attackers try first: common words with digits around them, and names of the person or the place.

Published lists of guessed passwords have, from ten characters on (the least allowed here), nearly only this kind: a
common word or a row of keys, once or twice, digits and signs before or after it, some letters written as digits. So
this file lists the words instead of the tens of thousands of passwords made of them. Written for France and England.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

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
