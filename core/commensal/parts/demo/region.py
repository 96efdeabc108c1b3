"""Draws the demo region, without any effect; the same seed gives the same region."""

from __future__ import annotations

import random

from .goods import draw_lot, goods_of
from .kinds import KINDS, GoodsKind
from .names import OWN_NAMES, People, Valley, draw_telephone
from .values import DemoRegion, DrawnProducer, DrawnSale, Hub, Shopper

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
