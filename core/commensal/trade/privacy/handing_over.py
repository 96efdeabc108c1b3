"""What is known of one person, as an archive for them (GDPR, art. 15 and 20): every row as JSON and as CSV."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Table, or_, select

from ...base.languages.catalogs import translate
from ...base.spreadsheets import csv_bytes
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction
from ...storage.database.marks import is_derived, is_personal
from ...storage.jobs.tables import job
from ..enterprises.tables import enterprise
from .belonging import rows_about
from .values import DataSubject

Rows = Sequence[Mapping[str, Any]]
_MOMENT = (1980, 1, 1, 0, 0, 0)  # of files in the archive: the same data make the same archive


def data_of(tx: Transaction, hooks: Hooks, subject: DataSubject) -> dict[str, Rows]:
    """Everything that is kept of the person, by table; secrets are left out. Plugins add what no key leads to."""
    found: dict[str, Rows] = {}
    for table, theirs in rows_about(subject, hooks.plugins()):
        rows = tx.all(select(*_shown(table)).where(theirs).order_by(*table.primary_key.columns))
        if rows:
            found[table.name] = [dict(row) for row in rows]
    found.update(_messages(tx, subject))
    for answer in hooks.each(specifications.person_data, tx=tx, person=subject):
        found.update({f"{answer.plugin}_{one.name}": one.rows for one in answer.value or () if one.rows})
    found.update(_enterprises(tx, found))
    return found


def archive_of(data: Mapping[str, Rows], language: str) -> bytes:
    """A zip file: ``read-me.txt`` in the person's language, and a JSON and a CSV file for each table."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _files(data, language):
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _files(data: Mapping[str, Rows], language: str) -> Iterator[tuple[str, bytes]]:
    said = translate(
        language,
        "This is what is kept about you here, by table: once as JSON, for machines, and once as CSV, for spreadsheets. "
        "Amounts are in the smallest unit of the currency (cents), moments in UTC. Passwords and keys are left out: "
        "only their fingerprints are kept.",
    )
    yield "read-me.txt", f"{said}\n".encode()
    for name, rows in sorted(data.items()):
        yield f"{name}.json", msgspec.json.format(msgspec.json.encode(rows), indent=2)
        columns = list(rows[0])
        cells = [[_cell(row.get(column)) for column in columns] for row in rows]
        yield f"{name}.csv", csv_bytes([columns, *cells], language)


def _cell(value: Any) -> object:
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode()
    return "" if value is None else value if isinstance(value, str) else msgspec.to_builtins(value)


def _shown(table: Table) -> list[Any]:
    """Whatever opens something, and whatever is only worked out, is left out."""
    return [one for one in table.c if not one.info.get("secret") and (is_personal(one) or not is_derived(one))]


def _messages(tx: Transaction, subject: DataSubject) -> dict[str, Rows]:
    """E-mails that wait to be sent. What was sent is not kept."""
    waiting = tx.all(select(job).where(job.c.kind == "mail", job.c.state != "done"))
    theirs = [row for row in waiting if row["payload"].get("to") == subject.email]
    mails = [{"created_at": row["created_at"], "kind": row["payload"]["kind"], "to": subject.email} for row in theirs]
    return {"mail": mails} if mails else {}


def _enterprises(tx: Transaction, found: Mapping[str, Rows]) -> dict[str, Rows]:
    """Names of the enterprises that appear."""
    ids = {row.get("enterprise_id") for rows in found.values() for row in rows} - {None}
    wanted = select(enterprise.c.id, enterprise.c.name, enterprise.c.slug).where(or_(enterprise.c.id.in_(ids)))
    rows = [dict(row) for row in tx.all(wanted.order_by(enterprise.c.id))] if ids else []
    return {"enterprise": rows} if rows else {}
