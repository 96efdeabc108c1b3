"""Parts that plugins add to e-mails about orders."""

from __future__ import annotations

from dataclasses import replace

from ...base.errors import PluginError
from ...enterprises.plugins import enabled_plugins
from ...hooks import specifications
from ...hooks.values import PageLine, PagePart
from ...instance import Instance
from ...orders.values import Order


def mail_parts(instance: Instance, order: Order, kind: str, language: str) -> list[PagePart]:
    """The parts with lines that the shop's plugins add to this e-mail, by their position, with complete links.

    A plugin that hangs costs the e-mail all parts: it takes their transaction with it.
    """
    if not instance.hooks.implementing(specifications.mail_parts):
        return []
    try:
        with instance.store.read() as tx:
            answers = instance.hooks.each(
                specifications.mail_parts,
                enabled_plugins(tx, order.enterprise_id),
                tx=tx,
                order=order,
                kind=kind,
                language=language,
            )
    except PluginError:
        return []  # the dispatcher of hooks has noted it
    parts = [_with_links(instance, part) for answer in answers for part in answer.value or () if part.lines]
    return sorted(parts, key=lambda part: part.position)


def _with_links(instance: Instance, part: PagePart) -> PagePart:
    return replace(part, lines=[replace(line, url=_complete(instance, line)) for line in part.lines])


def _complete(instance: Instance, line: PageLine) -> str:
    """The address of the line's link: a path of this instance, or an address elsewhere; "" for anything else."""
    if line.url.startswith("/") and not line.url.startswith("//"):
        return instance.settings.base_url.rstrip("/") + line.url
    return line.url if line.url.startswith(("https://", "http://")) else ""
