"""Names of ordered goods in the reader's language. A line keeps one name: the one under which it was sold."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, select

from ..base.languages.written import Written, in_language
from ..pricing.values import PricedLine
from ..products.tables import supplied_product
from ..storage.database import Transaction

_NAMES = select(supplied_product.c.id, supplied_product.c.name, supplied_product.c.names).where(
    supplied_product.c.id.in_(bindparam("products", expanding=True))
)


def names_of_lines(tx: Transaction, lines: Collection[PricedLine], *, reader: str, own: str) -> Mapping[str, Written]:
    """What a reader of the language `reader` calls the goods of these lines, by line id; `own` is the language of the
    shop. One statement.

    The producer's names in further languages hold for a line while the product is called as when it was sold, and the
    shop has given it no name of its own.
    """
    products = sorted({line.product_id for line in lines})
    rows = tx.all(_NAMES, {"products": products}) if products else ()
    names = {(row["id"], row["name"]): row["names"] for row in rows}
    return {line.id: in_language(reader, own, line.name, names.get((line.product_id, line.name), {})) for line in lines}
