"""Tabulates what documents of other platforms yield: ``python tests/federation/dfc/examples_table.py FOLDER``."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from commensal_federation.dfc.findings import DocumentFindings
from commensal_federation.dfc.offered_products import OfferedProducts
from commensal_federation.dfc.read import DfcDocument, UnreadableDocument, read
from commensal_federation.dfc.vocabulary import DfcItem, DfcOffer, DfcProduct


def main(folder: Path) -> None:
    print("| document | dialect | products | prices | stocks | units | findings |")
    print("|---|---|---:|---:|---:|---|---|")
    for file in sorted(folder.iterdir()):
        try:
            print(f"| {file.stem} | {row(read(file.read_bytes()))} |")
        except UnreadableDocument as error:
            print(f"| {file.stem} | not read: {error.text} | | | | | |")


def row(document: DfcDocument) -> str:
    """The cells of a document: dialect, counts, and how often each finding occurs, by its code."""
    currencies = Counter(row.price.currency for row in document.all(DfcOffer) if row.price)
    findings = DocumentFindings()
    goods = list(OfferedProducts(document, currencies.most_common(1)[0][0] if currencies else "EUR", findings))
    stocks = [row for row in document.all(DfcItem) if row.stock is not None]
    stocked = [row for row in document.all(DfcProduct) if row.stock is not None]
    units = sorted({good.size.unit for good in goods})
    counts = Counter({finding.code: finding.count for finding in (*document.findings, *findings.collected)})
    cells = (
        document.version + (" events" if document.events else ""),
        len(document.all(DfcProduct)),
        sum(currencies.values()),
        len(stocks) + len(stocked),
        ", ".join(units) or "-",
        ", ".join(f"{code} {count}" for code, count in sorted(counts.items())) or "-",
    )
    return " | ".join(map(str, cells))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
