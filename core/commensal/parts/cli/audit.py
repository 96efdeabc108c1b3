"""``commensal audit``: lists who changed what."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from ...audit.trail import AuditEntry, AuditFilter, audit_entries
from ...base.converting import read_moment
from ...base.errors import Invalid, Problem
from ...base.languages.formats import format_moment
from ...instance import Instance, open_instance
from ...people.people import person_by_email
from ...storage.database import Transaction
from ..terminal.lists import print_table
from ..terminal.shell import spoken
from .named import HERE, Folder, named_enterprise

_PAGE = 500


def add_to(app: typer.Typer) -> None:
    @app.command("audit")
    def audit(
        enterprise: Annotated[str, typer.Option(help="Its id or the name in its address.")] = "",
        person: Annotated[str, typer.Option(help="Who did it: their e-mail address or id.")] = "",
        object: Annotated[str, typer.Option(help="What was changed: KIND, or KIND:ID.")] = "",
        since: Annotated[str, typer.Option(help="A moment, in UTC where it names no zone.")] = "",
        limit: Annotated[int, typer.Option(help="The largest number of entries.", min=1)] = 200,
        format: Annotated[str, typer.Option(help="text, or jsonl: a line of JSON for each entry.")] = "text",
        instance: Folder = HERE,
    ) -> None:
        """Tells who changed what, the newest first."""
        if format not in ("text", "jsonl"):
            message = "The format is one of: {formats}."
            raise Invalid([Problem("format", message, "--format", {"formats": "text, jsonl"})])
        with open_instance(instance) as opened, opened.store.read() as tx:
            entry_filter = _make_filter(tx, enterprise, person, object, since)
            _print_entries(opened, _entries(tx, entry_filter, limit), in_json=format == "jsonl")


def _make_filter(tx: Transaction, enterprise: str, person: str, object: str, since: str) -> AuditFilter:
    kind, _, object_id = object.partition(":")
    return AuditFilter(
        enterprise_id=named_enterprise(tx, enterprise).id if enterprise else "",
        person_id=person_by_email(tx, person).id if "@" in person else person,
        object_kind=kind,
        object_id=object_id,
        since=_read_moment(since) if since else None,
    )


def _read_moment(text: str) -> datetime:
    try:
        parsed = read_moment(text)
    except ValueError:
        message = "{text} is not a moment; write it like 2026-06-06 20:00."
        raise Invalid([Problem("moment", message, "--since", {"text": text[:40]})]) from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _entries(tx: Transaction, entry_filter: AuditFilter, limit: int) -> Iterator[AuditEntry]:
    """The newest entries, at most `limit`, read page by page to bound memory."""
    while limit > 0:
        page = audit_entries(tx, entry_filter, min(limit, _PAGE))
        yield from page
        if len(page) < min(limit, _PAGE):
            return
        limit -= len(page)
        entry_filter = replace(entry_filter, after=page[-1].id)


def _print_entries(instance: Instance, entries: Iterator[AuditEntry], *, in_json: bool) -> None:
    if in_json:
        for entry in entries:
            sys.stdout.write(msgspec.json.encode(entry).decode() + "\n")
        return
    rows = []
    for entry in entries:
        when = format_moment(entry.at, instance.settings.timezone, instance.settings.language)
        what = f"{entry.action} {entry.object_kind} {entry.object_id}".strip()
        count = f" ({entry.rows})" if entry.rows > 1 else ""
        person = entry.person or entry.person_id or entry.client or entry.actor
        rows.append((when, person, entry.command, what + count, _describe_changes(entry.fields)))
    print_table((spoken("when"), spoken("who"), spoken("command"), spoken("what"), spoken("changed")), rows)


def _describe_changes(fields: Mapping[str, object]) -> str:
    return "\n".join(
        f"{name}: {value[0]} → {value[1]}" if isinstance(value, list) and len(value) == 2 else f"{name}: {value}"
        for name, value in fields.items()
    )
