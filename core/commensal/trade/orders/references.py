"""Settings of plugins that name a way to receive the goods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...base.errors import Problem
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction
from ..enterprises.plugins import enabled_plugins
from ..enterprises.references import NamedKind, Names, suggestions
from ..sale_sessions.questions import sessions_of_shop

_SALES = 50  # the newest of the shop, whose options can be named


@dataclass(frozen=True)
class NamesShipping(Names):
    """Marks a plugin's setting that names a way to receive the goods: ``way: Annotated[str, NamesShipping()]``.

    It is a plugin that offers shipping (``delivery``; the enterprise may switch it on later), or one option of it in
    one of the newest 50 sales (``pickup:<id>``).
    """

    kind: NamedKind = "shipping"

    def names_by_id(self, tx: Transaction, hooks: Hooks, enterprise_id: str) -> Mapping[str, str]:
        """Returns the plugins, and the options of those that the enterprise uses, with their labels."""
        plugins = hooks.implementing(specifications.shipping_options)
        names = {way: plugin for plugin in plugins for way in (plugin, f"{plugin}:")}
        enabled = enabled_plugins(tx, enterprise_id)
        for sale in sessions_of_shop(tx, enterprise_id, limit=_SALES) if enabled.keys() & names.keys() else ():
            answers = hooks.each(
                specifications.shipping_options, enabled, tx=tx, enterprise_id=enterprise_id, session_id=sale.id,
                language="en", address=None, order=None,
            )  # fmt: skip
            names |= {
                f"{answer.plugin}:{option.id}": option.label for answer in answers for option in answer.value or ()
            }
        return names

    def unknown(self, text: str, names_by_id: Mapping[str, str], where: str) -> Problem:
        ways = [way for way in names_by_id if not way.endswith(":")]
        message = "There is no way to receive goods named {name} here. There are: {right}."
        return Problem("no_shipping", message, where, {"name": text[:100], "right": suggestions(text, ways)})
