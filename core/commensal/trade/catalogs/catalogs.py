"""An enterprise's catalogs. One is enough for most; a hub may have one for its shop and one for caterers."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from ...base.errors import Conflict, Invalid, NotFound, Problem
from ...base.texts import read_text
from ...storage.database import Transaction, edit_row, refuse_conflict
from .tables import catalog
from .values import Catalog


def create_catalog(tx: Transaction, *, enterprise_id: str, name: str) -> Catalog:
    """Raises `Invalid` for a name that is empty, too long, or taken."""
    made = Catalog(id=tx.new_id(), enterprise_id=enterprise_id, name=_name(name), version=1)
    values = {"id": made.id, "enterprise_id": enterprise_id, "name": made.name, "version": 1}
    with refuse_conflict(tx, duplicate=_taken(made.name)):
        tx.execute(insert(catalog).values(values))
    return made


def change_catalog(tx: Transaction, enterprise_id: str, catalog_id: str, version: int, *, name: str) -> Catalog:
    """Renames a catalog. Raises `Invalid`, `NotFound`, `Stale`."""
    name = _name(name)
    mine = (catalog.c.id == catalog_id, catalog.c.enterprise_id == enterprise_id)
    with refuse_conflict(tx, duplicate=_taken(name)):
        return Catalog(**edit_row(tx, catalog, *mine, version=version, values={"name": name}))


def remove_catalog(tx: Transaction, enterprise_id: str, catalog_id: str) -> None:
    """Removes an empty catalog. Raises `NotFound`, `Conflict` where it has items or a sale sells from it."""
    used = Conflict("in_use", "This catalog has items, or a sale sells from it, so it stays.")
    with refuse_conflict(tx, referenced=used):
        gone = tx.execute(delete(catalog).where(catalog.c.id == catalog_id, catalog.c.enterprise_id == enterprise_id))
    if gone.rowcount != 1:
        raise _not_found()


def catalog_by_id(tx: Transaction, enterprise_id: str, catalog_id: str) -> Catalog:
    """One catalog of the enterprise. Raises `NotFound`."""
    row = tx.first(select(catalog).where(catalog.c.id == catalog_id, catalog.c.enterprise_id == enterprise_id))
    if row is None:
        raise _not_found()
    return Catalog(**row)


def catalogs_of(tx: Transaction, enterprise_id: str, *, after: str = "", limit: int = 50) -> list[Catalog]:
    """The enterprise's catalogs by id, from the one after `after` on."""
    mine = select(catalog).where(catalog.c.enterprise_id == enterprise_id, catalog.c.id > after)
    return [Catalog(**row) for row in tx.all(mine.order_by(catalog.c.id).limit(limit))]


def _name(name: str) -> str:
    problems: list[Problem] = []
    read = read_text(name, "/name", problems, least=1)
    if problems:
        raise Invalid(problems)
    return read


def _taken(name: str) -> Invalid:
    return Invalid([Problem("name_taken", "Another catalog is called {name}.", "/name", {"name": name})])


def _not_found() -> NotFound:
    return NotFound("no_catalog", "There is no such catalog.")
