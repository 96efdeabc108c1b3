"""``commensal report``: lists the reports of an enterprise, or writes one into a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...base.errors import Invalid, Problem
from ...enterprises.enterprises import Enterprise
from ...instance import Instance, open_instance
from ...storage.database import Transaction
from ..reports.formats import FORMATS, find_format
from ..reports.parameters import default_text, read_parameters
from ..reports.replica import store_for_reports
from ..reports.run import find_report, print_report, reports_of
from ..setup.named_files import file_of_caller
from ..terminal.lists import console, print_table
from ..terminal.shell import spoken
from .named import HERE, Folder, named_enterprise

Parameters = Annotated[
    list[str] | None, typer.Option("--param", help="A parameter of the report, like since=2026-06-01.")
]


def add_to(app: typer.Typer) -> None:
    @app.command("report")
    def report(
        enterprise: Annotated[str, typer.Argument(help="The hub: its id or the name in its address.")],
        name: Annotated[str, typer.Argument(help="PLUGIN:REPORT; left out, all are listed.")] = "",
        out: Annotated[Path | None, typer.Option(help="The file; its ending names the format.")] = None,
        format: Annotated[str, typer.Option(help="One of csv, xlsx, html, pdf, jsonl.")] = "",
        param: Parameters = None,
        language: Annotated[
            str, typer.Option(help="Such as fr or en; that of the enterprise where it is left out.")
        ] = "",
        flat: Annotated[bool, typer.Option("--flat", help="Lines alone, without headings and sums.")] = False,
        instance: Folder = HERE,
    ) -> None:
        """Lists the reports of an enterprise, or writes one into a file."""
        with open_instance(instance) as opened:
            with opened.store.read() as tx:
                shop = named_enterprise(tx, enterprise)
                language = language or shop.language
                if not name:
                    _print_reports(tx, opened, shop, language)
                    return
            file = out or Path(f"{name.replace(':', '-')}.{format or 'csv'}")
            format = format or file.suffix.lower().removeprefix(".")
            _write_report(opened, shop, name, file, format, param or [], language, flat)
            console.print(spoken("wrote {file}", file=file))


def _write_report(
    instance: Instance,
    shop: Enterprise,
    name: str,
    file: Path,
    format: str,
    pairs: list[str],
    language: str,
    flat: bool,
) -> None:
    if format not in FORMATS:
        raise Invalid(
            [Problem("format", "The format is one of: {formats}.", "--format", {"formats": ", ".join(FORMATS)})]
        )
    plugin, _, report_id = name.partition(":")
    with instance.store.read() as tx:
        report = find_report(tx, instance.hooks, shop.id, plugin, report_id, language)
        values = read_parameters(tx, shop, report.parameters, _read_pairs(pairs))
    with instance.store.write() as tx:
        tx.trace("exported", "report", name, enterprise_id=shop.id)
    store = store_for_reports(instance)
    parts = print_report(store, shop, report, values, format=find_format(format), language=language, flat=flat)
    with file_of_caller(file) as target:
        for part in parts:
            target.write(part)


def _read_pairs(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise Invalid(
                [Problem("param", "Write a parameter like name=value, not {text}.", "--param", {"text": pair})]
            )
    return dict(pair.split("=", 1) for pair in pairs)


def _print_reports(tx: Transaction, instance: Instance, shop: Enterprise, language: str) -> None:
    rows = []
    for name, report in reports_of(tx, instance.hooks, shop.id, language).items():
        defaults = "\n".join(f"{parameter.name}={default_text(tx, shop, parameter)}" for parameter in report.parameters)
        rows.append((name, f"{report.label}\n{report.description}", defaults))
    print_table((spoken("report"), spoken("label"), spoken("parameters")), rows)
