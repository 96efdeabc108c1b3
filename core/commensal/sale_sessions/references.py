"""Settings of plugins that name a sale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from ..base.errors import Problem
from ..base.languages.formats import format_day
from ..enterprises.enterprises import enterprise_by_id
from ..enterprises.references import Nameable, NamedKind, Names
from ..hooks.dispatcher import Hooks
from ..storage.database import Transaction
from .tables import coordination, sale_session

_SHOWN = 10  # sales that an error lists


@dataclass(frozen=True)
class NamesSale(Names):
    """Marks a plugin's setting that names a sale session at the enterprise: ``sale: Annotated[str, NamesSale()]``.

    People write its id, or the name of the sale if only one has it; the id is stored.
    """

    kind: NamedKind = "sale"

    def names_by_id(self, tx: Transaction, hooks: Hooks, enterprise_id: str) -> Mapping[str, str]:
        """Returns the names of all sales at the enterprise, the newest first."""
        query = select(sale_session.c.id, coordination.c.name).join_from(sale_session, coordination)
        newest_first = query.where(sale_session.c.enterprise_id == enterprise_id).order_by(sale_session.c.id.desc())
        return {row["id"]: row["name"] for row in tx.all(newest_first)}

    def nameable(self, tx: Transaction, hooks: Hooks, enterprise_id: str, language: str) -> Sequence[Nameable]:
        """Returns all sales at the enterprise with their days, the next first; those whose distribution is over are
        past."""
        timezone = enterprise_by_id(tx, enterprise_id).timezone
        query = select(sale_session.c.id, coordination.c.name, sale_session.c.begins_at, sale_session.c.ends_at)
        query = query.join_from(sale_session, coordination).where(sale_session.c.enterprise_id == enterprise_id)
        return [
            Nameable(
                id=row["id"],
                label=f"{row['name']} · {format_day(row['begins_at'], timezone, language)}",
                past=row["ends_at"] < tx.now,
            )
            for row in tx.all(query.order_by(sale_session.c.begins_at, sale_session.c.id))
        ]

    def unknown(self, text: str, names_by_id: Mapping[str, str], where: str) -> Problem:
        sales = [f"{name} ({id})" for id, name in list(names_by_id.items())[:_SHOWN]]
        message = "There is no sale {name} here, or there are several. Give the id of one: {right}."
        return Problem("no_sale", message, where, {"name": text[:100], "right": ", ".join(sales) or "–"})
