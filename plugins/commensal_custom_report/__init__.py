"""Custom reports: columns, filters and sums of one's own choice, kept under a name and run in every format.

A preset asks one segment (order lines, orders, payments, customers, products, stock …) for some of its columns; it is
listed among the reports of the enterprise that made it.
"""

from __future__ import annotations

from pathlib import Path

from commensal import hookimpl

from .endpoints import endpoints
from .presets import reports

BEGINS_HUBS = True

__all__ = ["endpoints", "migrations", "reports"]


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"
