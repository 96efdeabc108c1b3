"""The DFC product types: a tree of 253 kinds of product, with French and English labels.

In DFC, herbs are below a term `aromatic` that it does not define; here they are below its `herb`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..search import finds, finds_nearly, search_key

# A concept of the DFC taxonomies: its term, its labels, and its broader concepts.


@dataclass(frozen=True, kw_only=True)
class Concept:
    """term:    the local name of its IRI, exactly as in the taxonomies
    broader: terms of its broader concepts; empty at the top
    """

    term: str
    en: str
    fr: str
    broader: tuple[str, ...] = ()

    def label(self, language: str) -> str:
        """The French label for ``fr``, the English one for every other language."""
        return self.fr if language == "fr" else self.en


def concepts_by_name(concepts: Iterable[Concept]) -> dict[str, Concept]:
    """The concepts by the `search_key` of their term and of their French and English labels."""
    return {search_key(name): concept for concept in concepts for name in (concept.en, concept.fr, concept.term)}


_FILE = Path(__file__).with_name("product_types.tsv")  # term, broader terms, English, French


def _read() -> dict[str, Concept]:
    rows = (line.split("\t") for line in _FILE.read_text(encoding="utf-8").splitlines())
    return {term: Concept(term=term, broader=tuple(broader.split()), en=en, fr=fr) for term, broader, en, fr in rows}


PRODUCT_TYPES: dict[str, Concept] = _read()


# Words of farms and markets for which the DFC has a type under another name. They are only for finding it.
_SPOKEN = {
    "bread": "baguette, boule, ciabatta, focaccia, fougasse, loaf, miche, pain complet, pain de campagne, sourdough",
    "viennoiserie-": "brioche, bun, chausson, croissant, fouace, fouée, kouign amann, pain au chocolat, pain au lait",
    "pastry": "cake, cookie, éclair, flan, gâteau, madeleine, muffin, scone, tart, tarte",
    "biscuit": "gaufrette, sablé, shortbread",
    "mature-cheese": "beaufort, bleu, brie, camembert, cantal, cheddar, comté, emmental, gouda, gruyère, parmesan, "
    "raclette, reblochon, saint-nectaire, tomme",
    "fresh-cheese": "cottage cheese, faisselle, mozzarella, ricotta",
    "goat-mature-cheese": "chabichou, crottin, pélardon, picodon, rocamadour, sainte-maure",
    "sheep-mature-cheese": "feta, manchego, ossau-iraty, pecorino, roquefort",
    "natural-yogurt": "kéfir, yaourt, yoghurt, yogurt",
    "fresh-cream": "cream, crème",
    "beef": "boeuf, burger, steak",
    "delicatessen": "jambon, ham, pâté, rillettes, terrine",
    "salting": "bacon, lardon, saucisson, salami",
    "fresh-meat": "sausage, saucisse",
    "honey": "propolis",
    "jam": "gelée, jelly, marmalade, marmelade",
    "confectionery": "caramel, chocolat, chocolate, nougat",
    "fruit-juice": "jus, juice, jus de pomme, apple juice, nectar",
    "soft-drink": "kombucha, sirop, syrup",
    "oil": "vinaigre, vinegar",
    "fruit-in-compote": "compote, purée de fruits",
    "cosmetic": "savon, soap, shampoing, shampoo, baume",
    "plant": "plant, seedling, semis, arbuste",
    "flower": "bouquet",
    "dried_herb": "tisane, infusion, herbal tea, thé, tea",
    "pulse": "pois chiche, chickpea, fève sèche",
    "flake": "muesli, granola, oats, avoine",
    "courgette": "zucchini",
    "eggplant": "aubergine",
    "rocket": "arugula",
    "beetroot": "betterave, beet",
    "chard": "bette, blette",
    "fish": "truite, trout, saumon, salmon",
    "shellfish": "crevette, shrimp, prawn, crabe, crab",
    "seashell": "huître, oyster, moule, mussel",
    "ferment": "choucroute, sauerkraut, kimchi, miso, levain",
    "canned-vegetable": "ratatouille, coulis, sauce tomate, tomato sauce",
}
WORDS = {word: term for term, words in _SPOKEN.items() for word in words.split(", ")}


def find_product_type(typed: str, language: str = "fr") -> Concept | None:
    """The product type with this label or term, ignoring case, accents and plural endings; None if there is none.

    Words for which the DFC has another name count too: a brioche is a viennoiserie.

    Labels of `language` win: *prune* is a plum in French.
    """
    first, second = (_FRENCH, _ENGLISH) if language == "fr" else (_ENGLISH, _FRENCH)
    key = search_key(typed)
    for candidate in (key, _singular(key)):
        for labels in (first, second, _TERMS, _WORDS):
            if candidate in labels:
                return labels[candidate]
    return None


def near_product_types(typed: str, language: str) -> list[Concept]:
    """Up to six types whose labels have the words that somebody typed, or nearly; those in the reader's language first.
    An empty list if no label has one of them.
    """
    words = [word for word in _WORD.findall(search_key(typed[:_LONGEST])) if len(word) >= _SHORTEST]
    named = [concept.label(language) for concept in PRODUCT_TYPES.values()]
    others = [concept.label("en" if language == "fr" else "fr") for concept in PRODUCT_TYPES.values()]
    tries = ((named, finds), (others, finds), (named, finds_nearly), (others, finds_nearly))
    for searched in ([" ".join(words)] if words else [], words):
        for labels, is_found in tries:
            near = [
                concept
                for concept, label in zip(PRODUCT_TYPES.values(), labels, strict=True)
                if any(is_found(label, each) for each in searched)
            ]
            if near:
                return sorted(near, key=lambda concept: len(concept.label(language)))[:_SHOWN]
    near_words = dict.fromkeys(term for word, term in WORDS.items() if any(finds_nearly(word, each) for each in words))
    return [PRODUCT_TYPES[term] for term in near_words][:_SHOWN]


def wide_product_types() -> list[Concept]:
    """The types at the top of the tree, such as bakery and vegetable: one of them is true of every product."""
    return [concept for concept in PRODUCT_TYPES.values() if not concept.broader]


def lineage(term: str) -> tuple[Concept, ...]:
    """The product type with its ancestors, from the top of the tree: fruit, berry, raspberry."""
    concept = PRODUCT_TYPES[term]
    return (*lineage(concept.broader[0]), concept) if concept.broader else (concept,)


def _singular(key: str) -> str:
    return " ".join(word[:-1] if len(word) > 3 and word[-1] in "sx" else word for word in key.split())


def _by_label(language: str) -> dict[str, Concept]:
    exact = {search_key(concept.label(language)): concept for concept in PRODUCT_TYPES.values()}
    return {_singular(key): concept for key, concept in exact.items()} | exact


_LONGEST, _SHORTEST = 60, 3  # letters of what is typed, and of a word in it
_SHOWN = 6
_WORD = re.compile(r"[a-z0-9]+")
_TERMS = {search_key(term): concept for term, concept in PRODUCT_TYPES.items()}
_FRENCH, _ENGLISH = _by_label("fr"), _by_label("en")
_WORDS = {_singular(search_key(word)): PRODUCT_TYPES[term] for word, term in WORDS.items()}
