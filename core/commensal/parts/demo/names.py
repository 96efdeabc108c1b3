"""Draws names of people and places from the words in `names.txt`. All are invented; any likeness is by chance."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

from ...base.search import search_key
from .values import Location, Somebody


def _read() -> list[list[str]]:
    """The names of each part of the file. A part begins with a title line; bars separate its names."""
    parts = Path(__file__).with_name("names.txt").read_text(encoding="utf-8").split("# ")[1:]
    return [
        [name.strip() for line in part.splitlines()[1:] for name in line.split("|") if name.strip()] for part in parts
    ]


FIRST_NAMES, LAST_NAMES, COMMUNES, STREETS, OWN_NAMES = _read()


class People:
    """Draws people; no two have the same address."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def draw(self, chance: random.Random) -> Somebody:
        first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
        plain = f"{search_key(first)}.{search_key(last)}".replace(" ", "-")
        self._taken[plain] = number = self._taken.get(plain, 0) + 1
        address = plain if number == 1 else f"{plain}{number}"
        return Somebody(name=f"{first} {last}", email=f"{address}@example.org", phone=draw_mobile(chance))


def draw_mobile(chance: random.Random) -> str:
    """A mobile number that the French regulator reserves for fiction."""
    return f"06 39 98 {chance.randint(0, 99):02} {chance.randint(0, 99):02}"


def draw_telephone(chance: random.Random) -> str:
    """A landline number in the east of France that is reserved for fiction."""
    return f"03 53 01 {chance.randint(0, 99):02} {chance.randint(0, 99):02}"


class Valley:
    """A dozen communes within an hour's drive, for thirty producers and three hubs."""

    def __init__(self, number: int, chance: random.Random) -> None:
        south, west = 46.2 + 0.7 * (number % 4), 0.5 + 0.9 * (number // 4 % 6)
        communes = chance.sample(COMMUNES, 12)
        self._places = [
            (city, f"96{(number * 12 + place) % 100:02}0", south + chance.random() * 0.4, west + chance.random() * 0.6)
            for place, city in enumerate(communes)
        ]

    def draw(self, chance: random.Random) -> Location:
        city, postcode, latitude, longitude = chance.choice(self._places)
        return Location(
            street=f"{chance.randint(1, 90)} {chance.choice(STREETS)}",
            postcode=postcode,
            city=city,
            latitude=_degrees(latitude + chance.uniform(-0.02, 0.02)),
            longitude=_degrees(longitude + chance.uniform(-0.02, 0.02)),
        )


def _degrees(value: float) -> Decimal:
    return Decimal(f"{value:.5f}")
