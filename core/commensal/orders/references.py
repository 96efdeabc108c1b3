"""Settings of plugins that name a way to receive the goods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..base.errors import Problem
from ..base.languages.catalogs import translate
from ..enterprises.installed import plugin_name
from ..enterprises.plugins import enabled_plugins
from ..enterprises.references import Nameable, NamedKind, Names, suggestions
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..sale_sessions.questions import sessions_of_shop
from ..sale_sessions.values import SaleSession
from ..storage.database import Transaction

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
        return names | {way: label for _, way, label in self._options(tx, hooks, enterprise_id, "en")}

    def nameable(self, tx: Transaction, hooks: Hooks, enterprise_id: str, language: str) -> Sequence[Nameable]:
        """Returns the plugins by their names, then the options of coming sales; those of sales that are over are past,
        like the other way to write a plugin."""
        offered: dict[str, Nameable] = {}
        for plugin in hooks.implementing(specifications.shipping_options):
            label = translate(language, "{way}: always").format(way=plugin_name(plugin, language))
            offered[plugin] = Nameable(id=plugin, label=label)
            offered[f"{plugin}:"] = Nameable(id=f"{plugin}:", label=label, past=True)
        for sale, way, label in self._options(tx, hooks, enterprise_id, language):  # newest first
            offered.setdefault(way, Nameable(id=way, label=label, past=sale.ends_at < tx.now))
        return list(offered.values())

    def _options(
        self, tx: Transaction, hooks: Hooks, enterprise_id: str, language: str
    ) -> Iterator[tuple[SaleSession, str, str]]:
        """The options of the enterprise's newest sales: the sale, what is stored, and the label."""
        enabled = enabled_plugins(tx, enterprise_id)
        if enabled.keys().isdisjoint(hooks.implementing(specifications.shipping_options)):
            return
        for sale in sessions_of_shop(tx, enterprise_id, limit=_SALES):
            answers = hooks.each(
                specifications.shipping_options,
                enabled,
                tx=tx,
                enterprise_id=enterprise_id,
                session_id=sale.id,
                language=language,
                address=None,
                order=None,
            )
            for answer in answers:
                yield from ((sale, f"{answer.plugin}:{option.id}", option.label) for option in answer.value or ())

    def unknown(self, text: str, names_by_id: Mapping[str, str], where: str) -> Problem:
        ways = [way for way in names_by_id if not way.endswith(":")]
        message = "There is no way to receive goods named {name} here. There are: {right}."
        return Problem("no_shipping", message, where, {"name": text[:100], "right": suggestions(text, ways)})
