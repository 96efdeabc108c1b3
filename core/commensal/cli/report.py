"""``commensal report``: what there is to run, and one of them into a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..base.errors import Invalid, Problem
from ..base.languages.shell import spoken
from ..instance import Instance, open_instance
from ..interfaces.reports.formats import FORMATS, find_format
from ..interfaces.reports.parameters import default_text, read_parameters
from ..interfaces.reports.run import find_report, print_report, reports_of
from ..storage.database import Transaction
from ..trade.enterprises.enterprises import Enterprise
from .folder import HERE, Folder
from .named import named_enterprise
from .printing import console, print_table

Given = Annotated[list[str] | None, typer.Option("--param", help="A parameter of the report, like since=2026-06-01.")]


def add_to(app: typer.Typer) -> None:
    @app.command("report")
    def report(
        enterprise: Annotated[str, typer.Argument(help="The hub: its id or the name in its address.")],
        name: Annotated[str, typer.Argument(help="PLUGIN:REPORT; left out, all are listed.")] = "",
        out: Annotated[Path | None, typer.Option(help="The file; its ending names the format.")] = None,
        format: Annotated[str, typer.Option(help="One of csv, xlsx, html, pdf, jsonl.")] = "",
        param: Given = None,
        language: Annotated[str, typer.Option(help="fr or en; that of the enterprise where it is left out.")] = "",
        flat: Annotated[bool, typer.Option("--flat", help="Lines alone, without headings and sums.")] = False,
        instance: Folder = HERE,
    ) -> None:
        """Lists the reports of an enterprise, or writes one into a file."""
        with open_instance(instance) as opened:
            with opened.store.read() as tx:
                shop = named_enterprise(tx, enterprise)
                language = language or shop.language
                if not name:
                    _list(tx, opened, shop, language)
                    return
            file = out or Path(f"{name.replace(':', '-')}.{format or 'csv'}")
            format = format or file.suffix.lower().removeprefix(".")
            _write(opened, shop, name, file, format, param or [], language, flat)
            console.print(spoken("wrote {file}", file=file))


def _write(
    opened: Instance, shop: Enterprise, name: str, file: Path, format: str, given: list[str], language: str, flat: bool
) -> None:
    if format not in FORMATS:
        raise Invalid(
            [Problem("format", "The format is one of: {formats}.", "--format", {"formats": ", ".join(FORMATS)})]
        )
    plugin, _, wanted = name.partition(":")
    with opened.store.read() as tx:
        report = find_report(tx, opened.hooks, shop.id, plugin, wanted, language)
        values = read_parameters(tx, shop, report.parameters, _pairs(given))
    with opened.store.write() as tx:
        tx.trace("exported", "report", name, enterprise_id=shop.id)
    parts = print_report(opened.store, shop, report, values, format=find_format(format), language=language, flat=flat)
    unfinished = file.with_name(f"{file.name}.part")  # nobody shall take half a report for a whole one
    try:
        with unfinished.open("wb") as target:
            for part in parts:
                target.write(part)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _pairs(given: list[str]) -> dict[str, str]:
    for one in given:
        if "=" not in one:
            raise Invalid(
                [Problem("param", "Write a parameter like name=value, not {text}.", "--param", {"text": one})]
            )
    return dict(one.split("=", 1) for one in given)


def _list(tx: Transaction, opened: Instance, shop: Enterprise, language: str) -> None:
    rows = []
    for name, one in reports_of(tx, opened.hooks, shop.id, language).items():
        asked = "\n".join(f"{two.name}={default_text(tx, shop, two)}" for two in one.parameters)
        rows.append((name, f"{one.label}\n{one.description}", asked))
    print_table((spoken("report"), spoken("label"), spoken("parameters")), rows)
