"""An enterprise's catalogs. One is enough for most; a hub may have one for its shop and one for caterers."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from ..base.errors import Conflict, Invalid, NotFound, Problem
from ..base.languages.catalogs import translate
from ..base.texts import read_text
from ..enterprises.enterprises import enterprise_by_id
from ..storage.database import Transaction, edit_row, refuse_conflict
from .tables import catalog
from .values import Catalog


def create_catalog(tx: Transaction, *, enterprise_id: str, name: str) -> Catalog:
    """Creates a catalog. Raises `Invalid` for a name that is empty, too long, or taken."""
    new = Catalog(id=tx.new_id(), enterprise_id=enterprise_id, name=_check_name(name), version=1)
    values = {"id": new.id, "enterprise_id": enterprise_id, "name": new.name, "version": 1}
    with refuse_conflict(tx, duplicate=_name_taken(new.name)):
        tx.execute(insert(catalog).values(values))
    return new


def change_catalog(tx: Transaction, enterprise_id: str, catalog_id: str, version: int, *, name: str) -> Catalog:
    """Renames a catalog. Raises `Invalid`, `NotFound`, `Stale`."""
    name = _check_name(name)
    conditions = (catalog.c.id == catalog_id, catalog.c.enterprise_id == enterprise_id)
    with refuse_conflict(tx, duplicate=_name_taken(name)):
        return Catalog(**edit_row(tx, catalog, *conditions, version=version, values={"name": name}))


def remove_catalog(tx: Transaction, enterprise_id: str, catalog_id: str) -> None:
    """Removes an empty catalog. Raises `NotFound`, `Conflict` if it has items or a sale sells from it."""
    used = Conflict("in_use", "This catalog has items, or a sale sells from it, so it stays.")
    with refuse_conflict(tx, referenced=used):
        result = tx.execute(delete(catalog).where(catalog.c.id == catalog_id, catalog.c.enterprise_id == enterprise_id))
    if result.rowcount != 1:
        raise _not_found()


def catalog_by_id(tx: Transaction, enterprise_id: str, catalog_id: str) -> Catalog:
    """The enterprise's catalog with this id. Raises `NotFound`."""
    row = tx.first(select(catalog).where(catalog.c.id == catalog_id, catalog.c.enterprise_id == enterprise_id))
    if row is None:
        raise _not_found()
    return Catalog(**row)


def catalogs_of(tx: Transaction, enterprise_id: str, *, after: str = "", limit: int = 50) -> list[Catalog]:
    """The enterprise's catalogs ordered by id, beginning after the id `after`."""
    query = select(catalog).where(catalog.c.enterprise_id == enterprise_id, catalog.c.id > after)
    return [Catalog(**row) for row in tx.all(query.order_by(catalog.c.id).limit(limit))]


def first_catalog(tx: Transaction, enterprise_id: str) -> Catalog:
    """The enterprise's first catalog, which is made, with a name in its language, if it has none."""
    catalogs = catalogs_of(tx, enterprise_id, limit=1)
    if catalogs:
        return catalogs[0]
    language = enterprise_by_id(tx, enterprise_id).language
    return create_catalog(tx, enterprise_id=enterprise_id, name=translate(language, "Catalogue"))


def _check_name(name: str) -> str:
    problems: list[Problem] = []
    checked_name = read_text(name, "/name", problems, least=1)
    if problems:
        raise Invalid(problems)
    return checked_name


def _name_taken(name: str) -> Invalid:
    return Invalid([Problem("name_taken", "Another catalog is called {name}.", "/name", {"name": name})])


def _not_found() -> NotFound:
    return NotFound("no_catalog", "There is no such catalog.")
