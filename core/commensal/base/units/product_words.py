"""Words of farms and markets for which the DFC has a product type under another name: a brioche is a viennoiserie.

They are only for finding a type by what somebody types; what is shown is the type's own label.
"""

from __future__ import annotations

from collections.abc import Mapping

_WORDS = {
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
}  # fmt: skip
WORDS: Mapping[str, str] = {word: term for term, words in _WORDS.items() for word in words.split(", ")}
