"""All papers of one moment of a sale, or of some days, as one PDF file: whoever prints for the hall presses once."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence

from ...base.errors import NotFound
from ...enterprises.enterprises import Enterprise
from ...storage.database import Store, Transaction
from .formats import find_format
from .formats.pdf import NoTypesetter
from .parameters import SALE, read_parameters
from .run import print_report
from .values import Moment, Report


def papers_of(
    reports: Sequence[Report], moment: Moment, held_scopes: frozenset[str], chosen: Collection[str] = (SALE,)
) -> Sequence[Report]:
    """The lists that belong on A4 paper at this moment and that the reader may see: those of a sale, or those that have
    all parameters of the names `chosen`."""
    return [
        report
        for report in reports
        if report.moment == moment
        and report.layout == "table"
        and report.scope in held_scopes
        and set(chosen) <= {parameter.name for parameter in report.parameters}
    ]


def print_papers(
    store: Store,
    tx: Transaction,
    shop: Enterprise,
    papers: Sequence[Report],
    *,
    chosen: Mapping[str, str],
    language: str,
) -> bytes:
    """One PDF file with all of them, each on pages of its own. `chosen` are texts of parameters by name, like "sale";
    the others have their defaults, so that without a sale it is the current one.

    Raises `NotFound` without papers, `Invalid` for an unknown sale or impossible days, and what the format raises
    (`NoTypesetter`).
    """
    if not papers:
        raise NotFound("no_report", "There is no list to print here. Switch on a plugin with lists.")
    try:
        from pypdf import PdfWriter
    except ModuleNotFoundError:
        raise NoTypesetter from None
    merged = PdfWriter()
    for report in papers:
        texts = {parameter.name: chosen.get(parameter.name, "") for parameter in report.parameters}
        values = read_parameters(tx, shop, report.parameters, texts)
        parts = print_report(store, shop, report, values, format=find_format("pdf"), language=language)
        merged.append(io.BytesIO(b"".join(parts)))
    out = io.BytesIO()
    merged.write(out)
    return out.getvalue()
