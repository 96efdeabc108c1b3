"""Parts that plugins add to pages of other plugins."""

from __future__ import annotations

from ...hooks import specifications
from ...hooks.values import PagePart
from ...storage.database import Transaction
from ...trade.enterprises.plugins import enabled_plugins
from .visit import Visit


def page_parts(
    tx: Transaction, visit: Visit, page: str, enterprise_id: str, scopes: frozenset[str], *, subject: str = ""
) -> list[PagePart]:
    """The parts with lines that the enterprise's plugins add to the page of this name, by their position. `subject` is
    the id of what the page is about, if the name leaves that open."""
    answers = visit.instance.hooks.each(
        specifications.page_parts, enabled_plugins(tx, enterprise_id), tx=tx, page=page, enterprise_id=enterprise_id,
        scopes=scopes, language=visit.language, subject=subject,
    )  # fmt: skip
    parts = [part for answer in answers for part in answer.value or () if part.lines]
    return sorted(parts, key=lambda part: part.position)
