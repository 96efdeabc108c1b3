"""``commensal audit``: who changed what, from the shell of who runs the instance."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
import typer

from ..base.errors import Invalid, Problem
from ..base.languages.formats import format_moment
from ..base.languages.shell import spoken
from ..instance import Instance, open_instance
from ..storage.database import Transaction
from ..trade.audit.questions import AuditEntry, AuditFilter, audit_entries
from ..trade.people.people import person_by_email
from .folder import HERE, Folder
from .named import named_enterprise
from .printing import print_table

_AT_ONCE = 500


def add_to(app: typer.Typer) -> None:
    @app.command("audit")
    def audit(
        enterprise: Annotated[str, typer.Option(help="Its id or the name in its address.")] = "",
        person: Annotated[str, typer.Option(help="Who did it: their e-mail address or id.")] = "",
        object: Annotated[str, typer.Option(help="What was changed: KIND, or KIND:ID.")] = "",
        since: Annotated[str, typer.Option(help="A moment, in UTC where it names no zone.")] = "",
        limit: Annotated[int, typer.Option(help="The most entries.", min=1)] = 200,
        format: Annotated[str, typer.Option(help="text, or jsonl: a line of JSON for each entry.")] = "text",
        instance: Folder = HERE,
    ) -> None:
        """Tells who changed what, the newest first."""
        if format not in ("text", "jsonl"):
            said = "The format is one of: {formats}."
            raise Invalid([Problem("format", said, "--format", {"formats": "text, jsonl"})])
        with open_instance(instance) as opened, opened.store.read() as tx:
            wanted = _wanted(tx, enterprise, person, object, since)
            _show(opened, _entries(tx, wanted, limit), format)  # type: ignore[arg-type]


def _wanted(tx: Transaction, enterprise: str, person: str, object: str, since: str) -> AuditFilter:
    kind, _, named = object.partition(":")
    return AuditFilter(
        enterprise_id=named_enterprise(tx, enterprise).id if enterprise else "",
        person_id=person_by_email(tx, person).id if "@" in person else person,
        object_kind=kind,
        object_id=named,
        since=_moment(since) if since else None,
    )


def _moment(text: str) -> datetime:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        said = "{text} is no moment; write it like 2026-06-06 20:00."
        raise Invalid([Problem("moment", said, "--since", {"text": text[:40]})]) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _entries(tx: Transaction, wanted: AuditFilter, limit: int) -> Iterator[AuditEntry]:
    """Page by page, so that a long trail needs no long memory."""
    while limit > 0:
        found = audit_entries(tx, wanted, min(limit, _AT_ONCE))
        yield from found
        if len(found) < min(limit, _AT_ONCE):
            return
        limit -= len(found)
        wanted = replace(wanted, after=found[-1].id)


def _show(opened: Instance, entries: Iterator[AuditEntry], format: Literal["text", "jsonl"]) -> None:
    if format == "jsonl":
        for one in entries:
            sys.stdout.write(msgspec.json.encode(one).decode() + "\n")
        return
    rows = []
    for one in entries:
        when = format_moment(one.at, opened.settings.timezone, opened.settings.language)
        what = f"{one.action} {one.object_kind} {one.object_id}".strip()
        many = f" ({one.rows})" if one.rows > 1 else ""
        person = one.person or one.person_id or one.client or one.actor
        rows.append((when, person, one.command, what + many, _told(one.fields)))
    print_table((spoken("when"), spoken("who"), spoken("command"), spoken("what"), spoken("changed")), rows)


def _told(fields: Any) -> str:
    return "\n".join(
        f"{name}: {value[0]} → {value[1]}" if isinstance(value, list) and len(value) == 2 else f"{name}: {value}"
        for name, value in fields.items()
    )
