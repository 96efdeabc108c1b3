"""JSON Lines for programs: an object for each row. Money is in minor units, times are in UTC, decimals are texts."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ..values import BATCH, Cell, Printout, Quantity
from . import Format


def _write(printout: Printout) -> Iterator[bytes]:
    names = [column.name for column in printout.report.columns]
    encoder = msgspec.json.Encoder()
    batch: list[dict[str, object]] = []
    for row in printout.rows:
        if row.kind == "group":
            continue
        cells = {name: _plain(cell) for name, cell in zip(names, row.cells, strict=True)}
        batch.append(cells if row.kind == "line" else {"sum": row.kind, **cells})
        if len(batch) == BATCH:
            yield encoder.encode_lines(batch)
            batch.clear()
    yield encoder.encode_lines(batch)


def _plain(cell: Cell) -> object:
    return {"value": cell.value, "unit": cell.unit} if isinstance(cell, Quantity) else cell


FORMAT = Format(media_type="application/jsonl", write=_write)
