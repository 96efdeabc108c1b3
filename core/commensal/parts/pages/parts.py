"""Parts that plugins add to pages of other plugins."""

from __future__ import annotations

from collections.abc import Sequence

from ...base.errors import PluginError
from ...enterprises.plugins import enabled_plugins
from ...hooks import specifications
from ...hooks.values import PagePart
from ...pricing.values import OrderDraft
from ...storage.database import Transaction
from .plugin_thread import run_beside
from .visit import Visit


def page_parts(
    tx: Transaction,
    visit: Visit,
    page: str,
    enterprise_id: str,
    scopes: frozenset[str] = frozenset(),
    *,
    subject: str = "",
    subjects: Sequence[str] = (),
    order: OrderDraft | None = None,
) -> list[PagePart]:
    """The parts with something to say that the enterprise's plugins add to the page of this name, by their position.

    `subject` is the id of what the page is about, if the name leaves that open; `subjects` are those of the products on
    it, and `order` the basket as it is priced. `scopes` are the reader's at the enterprise.
    """
    answers = visit.instance.hooks.each(
        specifications.page_parts,
        enabled_plugins(tx, enterprise_id),
        tx=tx,
        page=page,
        enterprise_id=enterprise_id,
        scopes=scopes,
        language=visit.language,
        subject=subject,
        subjects=subjects,
        order=order,
        person_id=visit.actor.person_id,
    )
    parts = [part for answer in answers for part in answer.value or () if part.lines or part.head]
    return sorted(parts, key=lambda part: part.position)


def parts_beside(
    visit: Visit,
    page: str,
    enterprise_id: str,
    *,
    subject: str = "",
    subjects: Sequence[str] = (),
    order: OrderDraft | None = None,
) -> list[PagePart]:
    """As `page_parts`, for a page of customers, who must be able to buy whatever a plugin does.

    It is asked in a thread and a transaction of its own: a plugin that hangs or fails costs the page its parts, after
    two seconds at most. Call it when no transaction is open.
    """
    parts: list[PagePart] = []

    def ask() -> None:
        try:
            with visit.read() as tx:
                parts.extend(
                    page_parts(tx, visit, page, enterprise_id, subject=subject, subjects=subjects, order=order)
                )
        except PluginError:
            return  # the dispatcher of hooks has noted it

    run_beside(ask, specifications.page_parts.contract.timeout)
    return list(parts)
