"""Product labels: DFC certifications and claims, origins, and the allergens of regulation (EU) 1169/2011, annex II."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from .product_types import Concept, lineage


def _concepts(*rows: tuple[str, str, str, str]) -> dict[str, Concept]:
    return {term: Concept(term=term, broader=(broader,), en=en, fr=fr) for term, broader, en, fr in rows}


# Terms of the DFC facets taxonomy. Those below OtherClaim are claims, all others certifications.
LABELS: dict[str, Concept] = _concepts(
    ("OrganicLabel", "Certification", "Organic label", "Label biologique"),
    ("Organic-AB", "OrganicLabel", "Agriculture Biologique (AB)", "Agriculture Biologique (AB)"),
    ("Organic-EU", "OrganicLabel", "EU organic farming", "Agriculture biologique UE"),
    ("Organic-BioCoherence", "OrganicLabel", "Bio Cohérence", "Bio Cohérence"),
    ("NatureEtProgres", "OrganicLabel", "Nature et Progrès", "Nature et Progrès"),
    ("BiodynamicLabel", "Certification", "Biodynamic label", "Label biodynamie"),
    ("Demeter", "BiodynamicLabel", "Demeter", "Demeter"),
    ("LocalLabel", "Certification", "Local label", "Label local"),
    ("AOC_FR", "LocalLabel", "Appellation d’origine contrôlée (AOC)", "Appellation d’origine contrôlée (AOC)"),
    ("AOP_EU", "LocalLabel", "Protected designation of origin (PDO)", "Appellation d’origine protégée (AOP)"),
    ("IGP_EU", "LocalLabel", "Protected geographical indication (PGI)", "Indication géographique protégée (IGP)"),
    ("PGS", "LocalLabel", "Protected geographical status", "Statut géographique protégé"),
    ("PaysansDeNature_FR", "LocalLabel", "Paysans de Nature", "Paysans de Nature"),
    ("EthicalLabel", "Certification", "Ethical label", "Label éthique"),
    ("BleuBlancCoeur_FR", "EthicalLabel", "Bleu-Blanc-Cœur", "Bleu-Blanc-Cœur"),
    ("FairTradeMaxHaavelar", "EthicalLabel", "Fairtrade Max Havelaar", "Fairtrade Max Havelaar"),
    ("FSC", "EthicalLabel", "Forest Stewardship Council", "Forêt durable FSC"),
    ("HEV", "EthicalLabel", "High environmental value (HVE)", "Haute valeur environnementale (HVE)"),
    ("MSC", "EthicalLabel", "Marine Stewardship Council", "Pêche durable MSC"),
    ("Milk-fed", "EthicalLabel", "Milk-fed", "Nourri au lait"),
    ("RainforestAlliance", "EthicalLabel", "Rainforest Alliance", "Rainforest Alliance"),
    ("RedLabel_FR", "EthicalLabel", "Label Rouge", "Label Rouge"),
    ("MarketingLabel", "Certification", "Marketing label", "Label marketing"),
    ("ProductOfTheYear", "MarketingLabel", "Product of the year", "Élu produit de l’année"),
    ("TasteOfTheYear", "MarketingLabel", "Taste of the year", "Reconnu saveur de l’année"),
    ("UnknownLabel", "Certification", "Unknown label", "Label inconnu"),
    ("GlutenFree", "OtherClaim", "Gluten free", "Sans gluten"),
    ("Vegan", "OtherClaim", "Vegan", "Végane"),
    ("Vegetarian", "OtherClaim", "Vegetarian", "Végétarien"),
)

# Terms of the DFC measures taxonomy, in the order of the annex.
ALLERGENS: dict[str, Concept] = _concepts(
    ("CerealsWithGluten", "AllergenDimension", "Cereals containing gluten", "Céréales contenant du gluten"),
    ("Crustaceans", "AllergenDimension", "Crustaceans", "Crustacés"),
    ("Eggs", "AllergenDimension", "Eggs", "Œufs"),
    ("Fishs", "AllergenDimension", "Fish", "Poissons"),
    ("Peanuts", "AllergenDimension", "Peanuts", "Arachides"),
    ("Soy", "AllergenDimension", "Soybeans", "Soja"),
    ("LactoseMilks", "AllergenDimension", "Milk", "Lait"),
    ("Nuts", "AllergenDimension", "Nuts", "Fruits à coque"),
    ("Celeriac", "AllergenDimension", "Celery", "Céleri"),
    ("Mustard", "AllergenDimension", "Mustard", "Moutarde"),
    ("SesameSeeds", "AllergenDimension", "Sesame seeds", "Graines de sésame"),
    ("Sulphites", "AllergenDimension", "Sulphur dioxide and sulphites", "Anhydride sulfureux et sulfites"),
    ("Lupine", "AllergenDimension", "Lupin", "Lupin"),
    ("Molluscs", "AllergenDimension", "Molluscs", "Mollusques"),
)

# Terms of the DFC facets taxonomy below TerritorialOrigin: countries and their regions.
ORIGINS: dict[str, Concept] = _concepts(
    ("Africa", "TerritorialOrigin", "Africa", "Afrique"),
    ("Asia", "TerritorialOrigin", "Asia", "Asie"),
    ("Europe", "TerritorialOrigin", "Europe", "Europe"),
    ("Belgium", "Europe", "Belgium", "Belgique"),
    ("France", "Europe", "France", "France"),
    ("AuvergneRhoneAlpes", "France", "Auvergne-Rhône-Alpes", "Auvergne-Rhône-Alpes"),
    ("BourgogneFrancheComte", "France", "Bourgogne-Franche-Comté", "Bourgogne-Franche-Comté"),
    ("Brittany", "France", "Brittany", "Bretagne"),
    ("CentreValLoire", "France", "Centre-Val de Loire", "Centre-Val de Loire"),
    ("Corsica", "France", "Corsica", "Corse"),
    ("GrandEst", "France", "Grand Est", "Grand Est"),
    ("HautsDeFrance", "France", "Hauts-de-France", "Hauts-de-France"),
    ("IleDeFrance", "France", "Île-de-France", "Île-de-France"),
    ("Normandy", "France", "Normandy", "Normandie"),
    ("NouvelleAquitaine", "France", "Nouvelle-Aquitaine", "Nouvelle-Aquitaine"),
    ("Occitania", "France", "Occitania", "Occitanie"),
    ("PaysDeLoire", "France", "Pays de la Loire", "Pays de la Loire"),
    ("ProvenceAlpesCotesAzur", "France", "Provence-Alpes-Côte d’Azur", "Provence-Alpes-Côte d’Azur"),
    ("Germany", "Europe", "Germany", "Allemagne"),
    ("Ireland", "Europe", "Ireland", "République d’Irlande"),
    ("Italy", "Europe", "Italy", "Italie"),
    ("Netherlands", "Europe", "Netherlands", "Pays-Bas"),
    ("Portugal", "Europe", "Portugal", "Portugal"),
    ("Spain", "Europe", "Spain", "Espagne"),
    ("Switzerland", "Europe", "Switzerland", "Suisse"),
    ("UnitedKingdom", "Europe", "United Kingdom", "Royaume-Uni"),
    ("England", "UnitedKingdom", "England", "Angleterre"),
    ("NorthernIreland", "UnitedKingdom", "Northern Ireland", "Irlande du Nord"),
    ("Scotland", "UnitedKingdom", "Scotland", "Écosse"),
    ("Wales", "UnitedKingdom", "Wales", "Pays de Galles"),
    ("MultiGeoOrigin", "TerritorialOrigin", "Several origins", "Origines multiples"),
    ("NorthAmerica", "TerritorialOrigin", "North America", "Amérique du Nord"),
    ("Oceania", "TerritorialOrigin", "Oceania", "Océanie"),
    ("Australia", "Oceania", "Australia", "Australie"),
    ("NewZealand", "Oceania", "New Zealand", "Nouvelle-Zélande"),
    ("SouthAmerica", "TerritorialOrigin", "South America", "Amérique du Sud"),
    ("UnknownGeoOrigin", "TerritorialOrigin", "Unknown origin", "Origine inconnue"),
)


# How goods are kept and packed: their zone when an order is packed, and the order of the zones in the hall.


class Zone(StrEnum):
    """Where goods stand until they are handed out, in walking order: what may not warm up is fetched last, and what
    breaks is laid on top of what does not."""

    DRY = "dry"
    FRAGILE = "fragile"
    CHILLED = "chilled"
    FROZEN = "frozen"


# What a producer may say of a product. DFC says `refrigerated` and `frozen` of a product, and not where it may break.
HANDLING: dict[str, Concept] = {
    term: Concept(term=term, broader=("Handling",), en=en, fr=fr)
    for term, en, fr in (
        ("Ambient", "At room temperature", "Température ambiante"),
        ("Chilled", "Keep chilled", "À conserver au frais"),
        ("Frozen", "Frozen", "Surgelé"),
        ("Fragile", "Fragile", "Fragile"),
    )
}
# Kinds of product that are kept so unless their producer says otherwise: terms of the DFC product types.
_BY_KIND = {
    "frozen": Zone.FROZEN,
    "dairy-product": Zone.CHILLED,
    "meat-product": Zone.CHILLED,
    "fishery-product": Zone.CHILLED,
    "egg": Zone.FRAGILE,
}


def zone_of(product_type: str, handling: Collection[str]) -> Zone:
    """The zone of a product by what its producer says, else by its kind."""
    for term, zone in (("Frozen", Zone.FROZEN), ("Chilled", Zone.CHILLED)):
        if term in handling:
            return zone
    if "Fragile" in handling:
        return Zone.FRAGILE
    if "Ambient" in handling:
        return Zone.DRY
    return next((_BY_KIND[kind.term] for kind in reversed(lineage(product_type)) if kind.term in _BY_KIND), Zone.DRY)
