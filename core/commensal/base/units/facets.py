"""Product labels: DFC certifications and claims, and the allergens of regulation (EU) 1169/2011, annex II."""

from __future__ import annotations

from .concept import Concept


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
