"""A report, as a plugin describes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Report:
    """`id` is unique within its plugin; the core calls it "plugin:id"."""

    id: str
    label: str
