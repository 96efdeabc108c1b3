"""All papers of one moment of a sale as one PDF file: whoever prints for the hall presses once."""

from __future__ import annotations

import io
from collections.abc import Sequence

from ...base.errors import NotFound
from ...storage.database import Store, Transaction
from ...trade.enterprises.enterprises import Enterprise
from .formats import find_format
from .formats.pdf import NoTypesetter
from .parameters import read_parameters
from .run import print_report
from .values import Moment, Report


def papers_of(reports: Sequence[Report], moment: Moment, held_scopes: frozenset[str]) -> Sequence[Report]:
    """The lists of a sale that belong on A4 paper at this moment and that the reader may see."""
    return [
        report
        for report in reports
        if report.moment == moment
        and report.layout == "table"
        and report.scope in held_scopes
        and any(parameter.kind == "sale" for parameter in report.parameters)
    ]


def print_papers(
    store: Store, tx: Transaction, shop: Enterprise, papers: Sequence[Report], *, session_id: str, language: str
) -> bytes:
    """One PDF file with all of them, each on pages of its own. `session_id` is the sale; "": the current one.

    Raises `NotFound` without papers, `Invalid` for an unknown sale, and what the format raises (`NoTypesetter`).
    """
    if not papers:
        raise NotFound("no_report", "There is no list to print here. Switch on a plugin with lists.")
    try:
        from pypdf import PdfWriter
    except ModuleNotFoundError:
        raise NoTypesetter from None
    merged = PdfWriter()
    for report in papers:
        texts = {
            parameter.name: session_id for parameter in report.parameters if parameter.kind == "sale" and session_id
        }
        values = read_parameters(tx, shop, report.parameters, texts)
        parts = print_report(store, shop, report, values, format=find_format("pdf"), language=language)
        merged.append(io.BytesIO(b"".join(parts)))
    out = io.BytesIO()
    merged.write(out)
    return out.getvalue()
