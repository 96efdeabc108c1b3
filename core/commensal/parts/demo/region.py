"""Draws the demo region, without any effect; the same seed gives the same region."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

from ...base.search import search_key
from .goods import draw_lot, goods_of
from .kinds import KINDS, GoodsKind
from .values import DemoRegion, DrawnProducer, DrawnSale, Hub, Location, Shopper, Somebody

# Draws names of people and places from the words in `names.txt`. All are invented; any likeness is by chance.


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


SHOPPERS = 200  # of each valley
LARGEST_SCALE = 100
_ORDERED, _ORDER_EARLY = (25, 45), (12, 18)  # per cent of a hub's customers: at a past sale, and on its first day

# The three hubs of a valley: title, description, markup, a group of customers and its rebate, rhythm, past sales.
_HUBS = (
    (
        "Le Panier",
        "Un groupement d’achat tenu par ses adhérents : on commande en ligne, on se retrouve chaque semaine.",
        10,
        "Tarif solidaire",
        20,
        "FREQ=WEEKLY",
        (4, 3, 2, 1),
    ),
    (
        "La Halle",
        "Un magasin de producteurs qui prépare les commandes de toute la vallée.",
        18,
        "Cantines et restaurants",
        8,
        "FREQ=WEEKLY;INTERVAL=2",
        (4, 2),
    ),
    (
        "L’Épicerie",
        "Une épicerie solidaire, ouverte à tous, où chacun paie selon ses moyens.",
        6,
        "Bénéficiaires",
        35,
        "FREQ=WEEKLY;INTERVAL=2",
        (4, 2),
    ),
)


def draw_region(seed: int, scale: int = 1) -> DemoRegion:
    """Three hubs, 30 producers, 300 products, 200 shoppers, 8 past sales and 3 under way, `scale` times (1 to
    `LARGEST_SCALE`)."""
    if not 1 <= scale <= LARGEST_SCALE:
        raise ValueError(f"a scale must be between 1 and {LARGEST_SCALE}")
    people = People()
    hubs: list[Hub] = []
    producers: list[DrawnProducer] = []
    shoppers: list[Shopper] = []
    past_sales: list[DrawnSale] = []
    running_sales: list[DrawnSale] = []
    for number in range(scale):
        chance = random.Random(f"commensal {seed} {number}")
        valley = Valley(number, chance)
        own_names = chance.sample(OWN_NAMES, len(OWN_NAMES))
        first_hub, first_shopper = len(hubs), len(shoppers)
        hubs += _draw_hubs(chance, valley, people, own_names)
        producers += _draw_producers(chance, valley, people, own_names, first_hub)
        shoppers += [_draw_shopper(chance, people, first_hub) for _ in range(SHOPPERS)]
        for place in range(first_hub, len(hubs)):
            regulars = [number for number in range(first_shopper, len(shoppers)) if place in shoppers[number].hubs]
            past_sales += [_draw_sale(chance, place, regulars, weeks_ago, _ORDERED) for weeks_ago in hubs[place].past]
            running_sales.append(_draw_sale(chance, place, regulars, 0, _ORDER_EARLY))
    return DemoRegion(
        seed=seed,
        scale=scale,
        hubs=tuple(hubs),
        producers=tuple(producers),
        shoppers=tuple(shoppers),
        past_sales=tuple(past_sales),
        running_sales=tuple(running_sales),
    )


def _draw_hubs(chance: random.Random, valley: Valley, people: People, own_names: list[str]) -> list[Hub]:
    return [
        Hub(
            name=f"{title} {own_names.pop()}",
            description=description,
            owner=people.draw(chance),
            packer=people.draw(chance),
            phone=draw_telephone(chance),
            place=valley.draw(chance),
            markup=markup,
            category=category,
            off=off,
            rhythm=rhythm,
            past=past,
        )
        for title, description, markup, category, off, rhythm, past in _HUBS
    ]


def _draw_producers(
    chance: random.Random, valley: Valley, people: People, own_names: list[str], first_hub: int
) -> list[DrawnProducer]:
    producers: list[DrawnProducer] = []
    for kind in KINDS:
        for place in range(kind.producers):
            # The first producer of each kind supplies all hubs, so that every hub sells, say, bread.
            count = 3 if place == 0 else chance.choice((1, 2, 2, 3))
            hubs = sorted(chance.sample(range(first_hub, first_hub + len(_HUBS)), count))
            producers.append(_draw_producer(chance, kind, valley, people, own_names.pop(), tuple(hubs)))
    return producers


def _draw_producer(
    chance: random.Random, kind: GoodsKind, valley: Valley, people: People, own_name: str, hubs: tuple[int, ...]
) -> DrawnProducer:
    owner, place, labels = people.draw(chance), valley.draw(chance), chance.choice(kind.labels)
    goods = chance.sample(goods_of(kind.goods), kind.products)
    lots = [
        draw_lot(chance, good, number=number, labels=labels, praise=chance.choice(kind.praises))
        for number, good in enumerate(goods, 1)
    ]
    return DrawnProducer(
        kind=kind.goods,
        name=f"{chance.choice(kind.titles)} {own_name}",
        description=kind.story.format(owner=owner.name, city=place.city),
        owner=owner,
        phone=draw_telephone(chance),
        place=place,
        lots=tuple(lots),
        hubs=hubs,
    )


def _draw_shopper(chance: random.Random, people: People, first_hub: int) -> Shopper:
    count = chance.choice((1, 1, 1, 2))
    return Shopper(
        somebody=people.draw(chance),
        hubs=tuple(sorted(chance.sample(range(first_hub, first_hub + len(_HUBS)), count))),
        in_category=chance.random() < 0.15,
    )


def _draw_sale(
    chance: random.Random, hub: int, regulars: list[int], weeks_ago: int, percent: tuple[int, int]
) -> DrawnSale:
    customers = chance.sample(regulars, len(regulars) * chance.randint(*percent) // 100)
    return DrawnSale(hub=hub, weeks_ago=weeks_ago, shoppers=tuple(customers))
