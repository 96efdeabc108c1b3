"""Passwords that are tried first: a word that everybody thinks of, with digits around it, and words of one's own.

Lists of guessed passwords are, past the ten characters that are asked here, nearly all of this kind: a common word or a
row of keys, once or twice, with digits and signs before or after it, some letters written as digits. So the words are
kept, and not the tens of thousands that are made of them. Written for France and England.
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
_LOOKS = str.maketrans("01345@$!7", "oleasasit")
_NO_LETTERS = re.compile(r"[\W\d_]+")
_ROWS = ("0123456789" * 3, "9876543210" * 3)


def guessable(password: str, own: Iterable[str] = ()) -> bool:
    """Whether it is one of the first that are tried. `own` are names around it: of the person, of the place."""
    said = password.casefold()
    if len(set(said)) < 4 or any(said in row for row in _ROWS) or said.isdigit():
        return True
    words = _words() | {name for text in own for name in _parts(text)}
    return any(_made_of(_NO_LETTERS.sub("", one), words) for one in (said, _spelled(said)))


def _made_of(letters: str, words: frozenset[str]) -> bool:
    """One word, or the same one again and again; or hardly a letter, as in dates."""
    if len(letters) < 2:
        return True
    return any(letters == word * (len(letters) // len(word)) for word in words if letters.startswith(word))


def _spelled(said: str) -> str:
    """Passw0rd2024 as it is read: digits at its ends are only digits."""
    core = said.strip("0123456789!?.,;:*-_+#@$&%/() ")
    return core.translate(_LOOKS)


def _parts(text: str) -> set[str]:
    """The words of a name or address, and all of them in one."""
    found = _NO_LETTERS.split(text.casefold())
    return {one for one in (*found, "".join(found)) if len(one) > 2}


@cache
def _words() -> frozenset[str]:
    return frozenset(_WORDS.split())
