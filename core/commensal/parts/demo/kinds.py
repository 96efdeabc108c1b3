"""The kinds of producers in a valley of the demo region, with their texts."""

from __future__ import annotations

from dataclasses import dataclass

ORGANIC = ("Organic-AB", "Organic-EU")
DEMETER = (*ORGANIC, "Demeter")
NATURE = ("NatureEtProgres",)
NONE: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GoodsKind:
    """producers: the number of producers of this kind in a valley
    products:  the number of products of each
    titles:    the beginnings of their names
    story:     the description of the enterprise; {owner} and {city} are filled in
    praises:   descriptions of products
    labels:    one of these sets is drawn for each producer (DFC certification facets)
    """

    goods: str
    producers: int
    products: int
    titles: tuple[str, ...]
    story: str
    praises: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...] = (ORGANIC, NONE)


# Thirty producers with three hundred products.
KINDS = (
    GoodsKind(
        goods="vegetables",
        producers=8,
        products=13,
        titles=("Ferme", "Les Jardins", "GAEC", "Le Potager"),
        story="Maraîchage de plein champ et sous abri à {city}, sur quatre hectares que {owner} cultive toute l’année.",
        praises=(
            "Récolté à la main la veille de la distribution.",
            "Cultivé en pleine terre, sans serre chauffée.",
            "Lavé à l’eau de source, à consommer dans la semaine.",
        ),
        labels=(ORGANIC, ORGANIC, ORGANIC, DEMETER, NATURE, ("HEV",), NONE, NONE),
    ),
    GoodsKind(
        goods="fruit",
        producers=3,
        products=9,
        titles=("Les Vergers", "Le Verger", "EARL"),
        story="Un verger familial à {city}, où {owner} cueille les fruits à maturité.",
        praises=(
            "Cueilli à maturité, il voyage peu.",
            "De nos arbres de plein vent.",
            "Trié à la main ; les petits défauts font de bonnes compotes.",
        ),
        labels=(ORGANIC, ("HEV",), NONE),
    ),
    GoodsKind(
        goods="cow",
        producers=2,
        products=10,
        titles=("GAEC", "La Laiterie", "Ferme"),
        story="Trente vaches à l’herbe sur les hauteurs de {city} ; {owner} transforme le lait à la ferme.",
        praises=("Lait entier de nos vaches, transformé en deux jours.", "Fabriqué à la ferme, à garder au frais."),
        labels=(ORGANIC, ("BleuBlancCoeur_FR",), NONE),
    ),
    GoodsKind(
        goods="goat",
        producers=2,
        products=8,
        titles=("La Chèvrerie", "Ferme", "Les Chèvres"),
        story="À {city}, {owner} élève soixante chèvres qui sortent tous les jours et fait ses fromages au lait cru.",
        praises=("Au lait cru entier de nos chèvres.", "Moulé à la louche, affiné dans notre cave."),
        labels=(ORGANIC, NATURE, NONE),
    ),
    GoodsKind(
        goods="sheep",
        producers=1,
        products=8,
        titles=("La Bergerie", "Ferme"),
        story="{owner} mène un petit troupeau de brebis laitières autour de {city}.",
        praises=("Au lait entier de nos brebis.", "Fabriqué à la bergerie, à garder au frais."),
    ),
    GoodsKind(
        goods="poultry",
        producers=3,
        products=8,
        titles=("La Basse-cour", "Ferme", "EARL"),
        story="Des volailles élevées en plein air à {city}, nourries du grain de la ferme de {owner}.",
        praises=("Élevé en plein air, nourri au grain de la ferme.", "Préparé à la ferme, à garder au frais."),
        labels=(ORGANIC, ("BleuBlancCoeur_FR",), ("RedLabel_FR",), NONE),
    ),
    GoodsKind(
        goods="beef",
        producers=1,
        products=9,
        titles=("L’Élevage", "GAEC"),
        story="Vaches allaitantes à l’herbe à {city} ; {owner} vend toute la bête en direct.",
        praises=("Viande maturée trois semaines, sous vide ; le prix suit le poids.",),
        labels=(ORGANIC, NONE),
    ),
    GoodsKind(
        goods="pork",
        producers=1,
        products=9,
        titles=("L’Élevage", "Ferme"),
        story="Des porcs en plein air à {city}, et la charcuterie de {owner} sans nitrites.",
        praises=("Nos porcs vivent dehors ; salé au sel sec.",),
    ),
    GoodsKind(
        goods="lamb",
        producers=1,
        products=8,
        titles=("La Bergerie", "L’Élevage"),
        story="{owner} élève ses agneaux sous la mère dans les prés de {city}.",
        praises=("Agneau élevé sous la mère et à l’herbe, sous vide ; le prix suit le poids.",),
        labels=(NATURE, NONE),
    ),
    GoodsKind(
        goods="bakery",
        producers=2,
        products=9,
        titles=("Le Fournil", "La Boulange"),
        story="Un four à bois à {city}, des farines de la vallée et le levain de {owner}.",
        praises=("Au levain naturel, cuit au feu de bois.", "Cuit le matin de la distribution."),
        labels=(ORGANIC, NATURE, NONE),
    ),
    GoodsKind(
        goods="honey",
        producers=1,
        products=8,
        titles=("Le Rucher", "La Miellerie"),
        story="{owner} conduit cent vingt ruches entre {city} et la forêt.",
        praises=("Récolté et mis en pot au rucher.",),
        labels=(("Organic-BioCoherence",), NATURE, NONE),
    ),
    GoodsKind(
        goods="press",
        producers=1,
        products=8,
        titles=("Le Pressoir", "La Cidrerie"),
        story="À {city}, {owner} presse les pommes des vergers d’alentour. Les bouteilles sont consignées.",
        praises=("Pressé et mis en bouteille sur place ; bouteille consignée.",),
    ),
    GoodsKind(
        goods="brewery",
        producers=1,
        products=7,
        titles=("La Brasserie",),
        story="{owner} brasse à {city} avec l’orge et le houblon de voisins. Les bouteilles sont consignées.",
        praises=("Non filtrée, brassée avec l’orge de la vallée ; bouteille consignée.",),
    ),
    GoodsKind(
        goods="vineyard",
        producers=1,
        products=7,
        titles=("Le Domaine", "Le Clos"),
        story="Neuf hectares de vignes sur les coteaux de {city}, vendangés à la main par {owner} et ses amis.",
        praises=("Vendanges manuelles, peu de soufre.",),
        labels=(ORGANIC, ("AOC_FR", "AOP_EU"), ("IGP_EU",)),
    ),
    GoodsKind(
        goods="groceries",
        producers=1,
        products=15,
        titles=("Le Moulin", "L’Atelier"),
        story="{owner} moud et met en sachets les grains et les graines des fermes de {city}.",
        praises=("Grains de la vallée, moulus sur meule de pierre.", "Préparé en petites quantités."),
        labels=(ORGANIC,),
    ),
    GoodsKind(
        goods="plants",
        producers=1,
        products=12,
        titles=("La Pépinière", "Les Serres"),
        story="Plants de légumes, aromates et fleurs de saison, élevés à {city} par {owner}.",
        praises=("Élevé sans serre chauffée.",),
    ),
)
