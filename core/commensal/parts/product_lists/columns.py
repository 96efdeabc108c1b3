"""The columns of a product list: the headers of Open Food Network (OFN), their French translation, and a few of ours.

If a list lacks a column, the values of that column stay as they are; without that of the producer all goods are those
of the enterprise, as long as it may change nobody else's. OFN's tax category is read as a VAT rate; its
shipping category and date of availability have no counterpart here: they are accepted, and reported as unused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import lru_cache

from ...base.errors import Problem
from ...base.plugin_fields import PluginFields
from ...base.search import search_key
from ...products.fields import PRODUCT_FIELDS, ProductFacts


@dataclass(frozen=True)
class ListColumn:
    """`key` is OFN's header if OFN has the column. `others` are further spellings that are read, never written."""

    key: str
    english: str
    french: str
    others: tuple[str, ...] = ()
    required: bool = False
    used: bool = True

    def header(self, language: str) -> str:
        return self.french if language == "fr" else self.english


def _column(name: str, *, required: bool = False) -> ListColumn:
    """The column of a field of products."""
    entry = PRODUCT_FIELDS[name]
    return ListColumn(entry.column, entry.english, entry.french, entry.others, required)


COLUMNS = (
    ListColumn("id", "id", "identifiant", ("product id", "identifiant du produit")),
    ListColumn("producer", "producer", "producteur", ("supplier", "productrice", "fournisseur")),
    _column("sku"),
    _column("name", required=True),
    ListColumn("display_name", "display_name", "nom affiché", ("nom d'affichage", "displayed name")),
    _column("product_type"),
    _column("description"),
    ListColumn("units", "units", "unités", ("unit value", "contenance", "quantité par unité"), required=True),
    ListColumn("unit_type", "unit_type", "type d'unité", ("unité", "unit", "type unité"), required=True),
    ListColumn("variant_unit_name", "variant_unit_name", "nom de l'unité", ("unit name", "nom d'unité", "nom unité")),
    ListColumn("price", "price", "prix", ("prix unitaire",), required=True),
    ListColumn("on_hand", "on_hand", "stock", ("en stock", "disponible", "quantité disponible")),
    ListColumn("available_on", "available_on", "disponible le", ("date de disponibilité",), used=False),
    ListColumn("on_demand", "on_demand", "à la demande", ("sur demande", "à volonté")),
    ListColumn(
        "shipping_category",
        "shipping_category",
        "catégorie de livraison",
        ("conditions de transport", "condition de transport", "catégorie d'expédition"),
        used=False,
    ),
    ListColumn(
        "tax_category",
        "tax_category",
        "tva",
        ("vat", "vat rate", "taux de tva", "catégorie fiscale", "catégorie de taxe", "catégorie de tva", "type de tva"),
    ),
    ListColumn("lot", "lot", "lot", ("stock lot", "lot de stock", "shared stock", "stock partagé")),
    ListColumn("low_level", "low_stock", "seuil d'alerte", ("low stock threshold", "low stock amount", "stock faible")),
    _column("weighed"),
    _column("weight_tolerance"),
    _column("deposit"),
    *(_column(entry.name) for entry in fields(ProductFacts)),
    ListColumn("hidden", "hidden", "masqué", ("caché",)),
)
BY_KEY = {column.key: column for column in COLUMNS}


def columns_with(declared: PluginFields) -> tuple[ListColumn, ...]:
    """All columns of a list, those of fields that plugins declare last. Their key is ``plugin.field``.

    The header is the field's label; where another column has it already, the key.
    """
    columns, taken = list(COLUMNS), set(_BY_SPELLING)
    for plugin, entry in declared:
        key = f"{plugin}.{entry.name}"
        english, french = (label if fold_header(label) not in taken else key for label in (entry.english, entry.french))
        others = tuple(label for label in entry.others if fold_header(label) not in taken)
        columns.append(ListColumn(key, english, french, others))
        taken |= {fold_header(label) for label in (key, english, french, *others)}
    return tuple(columns)


def fold_header(text: str) -> str:
    """A header's letters and digits for matching, without case, accents, spaces, underscores and punctuation."""
    return "".join(character for character in search_key(text) if character.isalnum())


@lru_cache
def _by_spelling(columns: tuple[ListColumn, ...]) -> dict[str, ListColumn]:
    return {
        fold_header(spelling): column
        for column in columns
        for spelling in (column.key, column.english, column.french, *column.others)
    }


_BY_SPELLING = _by_spelling(COLUMNS)


@dataclass(frozen=True)
class Headers:
    """The position of each column in the file, and its header as the file spells it, both by column key.

    language: "fr" if more headers are French than English, else "en"; words in cells are looked up in it first
    """

    position: dict[str, int]
    spelling: dict[str, str]
    language: str = "en"


def read_headers(cells: Sequence[str], columns: tuple[ListColumn, ...] = COLUMNS) -> tuple[Headers, list[Problem]]:
    """Reads the first row of a file. Returns a `Problem` for each header that is unknown, doubled or missing.

    Skips empty headers: `read_list` notes cells with content below them.
    """
    position: dict[str, int] = {}
    spelling: dict[str, str] = {}
    problems = []
    for index, cell in enumerate(cells):
        if not cell.strip():
            continue
        column = _by_spelling(columns).get(fold_header(cell))
        if column is None:
            problems.append(_unknown(cell))
        elif column.key in position:
            problems.append(_doubled(cell, spelling[column.key]))
        else:
            position[column.key], spelling[column.key] = index, cell.strip()
    problems += [missing_column(column.key) for column in COLUMNS if column.required and column.key not in position]
    return Headers(position, spelling, _language(spelling)), problems


def _language(spelling: dict[str, str]) -> str:
    core = {key: header for key, header in spelling.items() if key in BY_KEY}
    french = sum(fold_header(header) == fold_header(BY_KEY[key].french) for key, header in core.items())
    english = sum(fold_header(header) == fold_header(BY_KEY[key].english) for key, header in core.items())
    return "fr" if french > english else "en"


_FRENCH_QUANTITY = frozenset({"quantite", "quantites", "qte"})
_TWO_MEANINGS = _FRENCH_QUANTITY | {"quantity", "quantities", "qty", "amount"}


def count_known_headers(cells: Sequence[str]) -> int:
    """The number of cells that are known headers."""
    return sum(fold_header(cell) in _BY_SPELLING for cell in cells)


def _unknown(cell: str) -> Problem:
    header = cell.strip()[:60]
    if fold_header(header) in _TWO_MEANINGS:
        contents, stock = BY_KEY["units"], BY_KEY["on_hand"]
        text = (
            "The column {header} can mean two things. Name it {contents} for what one piece contains, or {stock} for "
            "how many pieces there are."
        )
        language = "fr" if fold_header(header) in _FRENCH_QUANTITY else "en"
        return _problem(
            "two_meanings", text, header=header, contents=contents.header(language), stock=stock.header(language)
        )
    matches = get_close_matches(fold_header(header), _BY_SPELLING, n=1, cutoff=0.7)
    if not matches:
        return _problem("unknown_header", "The column {header} is not known. Rename or remove it.", header=header)
    column = _BY_SPELLING[matches[0]]
    spellings = (column.english, column.french, *column.others, column.key)
    meant = next(spelling for spelling in spellings if fold_header(spelling) == matches[0])
    return _problem(
        "unknown_header", "The column {header} is not known. Did you mean {meant}?", header=header, meant=meant
    )


def _doubled(cell: str, before: str) -> Problem:
    return _problem(
        "doubled_header",
        "The columns {before} and {header} say the same thing. Remove one of them.",
        header=cell.strip()[:60],
        before=before[:60],
    )


def missing_column(key: str) -> Problem:
    """The problem of a list without this column."""
    column = BY_KEY[key]
    return _problem(
        "missing_header", "There is no column {english} ({french}).", english=column.english, french=column.french
    )


def _problem(code: str, text: str, **values: str) -> Problem:
    return Problem(code, text, "row 1", {"row": 1, **values})
