"""Shipping: plugins offer the options, and an order books one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from ..base.errors import Invalid, Problem
from ..base.languages.catalogs import translate
from ..base.texts import refuse_links
from ..enterprises.installed import plugin_name
from ..enterprises.plugins import enabled_plugins
from ..enterprises.references import Nameable, NamedKind, Names, suggestions
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..hooks.values import ShippingOption
from ..pricing.values import Address, OrderDraft
from ..sale_sessions.questions import sessions_of_shop
from ..sale_sessions.tables import sale_session
from ..sale_sessions.values import SaleSession
from ..storage.database import Transaction
from ..storage.jobs import Job
from ..storage.jobs.enqueue import enqueue
from .tables import customer_order
from .values import Order, SaleContext

if TYPE_CHECKING:
    from ..instance import Instance


RELEASE = "release_shipping"  # a job: {"order": id, "shipping": "plugin:option"}
AGAIN = timedelta(hours=1)


def link_problems(address: Address) -> list[Problem]:
    """Returns a problem for each field of the address that contains a link.

    The address appears in e-mails about the order, which go to whatever e-mail address the shopper typed.
    """
    problems: list[Problem] = []
    for name in ("street", "postcode", "city", "note"):
        refuse_links(getattr(address, name), f"/address/{name}", problems)
    return problems


def plugins_that_ship(hooks: Hooks) -> frozenset[str]:
    """Ids of the plugins that can offer ways to receive the goods."""
    return frozenset(hooks.implementing(specifications.shipping_options))


def shipping_options(
    tx: Transaction, hooks: Hooks, shop: SaleContext, language: str, draft: OrderDraft | None = None
) -> dict[str, ShippingOption]:
    """Returns the options that the shop's plugins offer for the draft and its address, by "plugin:id".

    Without a draft these are the options for any order and any address.
    """
    return _options_by_id(tx, hooks, shop.plugins, shop, language, draft)


def offered_shipping(
    tx: Transaction, hooks: Hooks, enterprise_id: str, session_id: str, language: str
) -> dict[str, ShippingOption]:
    """Returns the options that a shop offers at its session to any address, by "plugin:id", full ones too."""
    enabled = enabled_plugins(tx, enterprise_id)
    return _ask(hooks, tx, enabled, enterprise_id, session_id, language)


def _options_by_id(
    tx: Transaction,
    hooks: Hooks,
    plugins: Mapping[str, Mapping[str, object]],
    order: SaleContext | Order,
    language: str,
    draft: OrderDraft | None = None,
) -> dict[str, ShippingOption]:
    return _ask(hooks, tx, plugins, order.enterprise_id, order.session_id, language, draft)


def _ask(
    hooks: Hooks,
    tx: Transaction,
    plugins: Mapping[str, Mapping[str, object]],
    enterprise_id: str,
    session_id: str,
    language: str,
    draft: OrderDraft | None = None,
) -> dict[str, ShippingOption]:
    answers = hooks.each(
        specifications.shipping_options,
        plugins,
        tx=tx,
        enterprise_id=enterprise_id,
        session_id=session_id,
        language=language,
        address=draft.address if draft else None,
        order=draft,
    )
    return {f"{answer.plugin}:{option.id}": option for answer in answers for option in answer.value or ()}


def book_place(
    tx: Transaction, hooks: Hooks, shop: SaleContext, draft: OrderDraft, language: str
) -> ShippingOption | None:
    """Takes a place in `draft.shipping`. Raises `Refused` if it is full, `Invalid` if the shop does not offer it.

    An empty choice is valid only if the shop offers no options to any address.
    """
    if not draft.shipping:
        if shipping_options(tx, hooks, shop, language):
            raise Invalid([Problem("shipping_missing", "Choose how you will receive your order.", "/shipping")])
        return None
    plugin, _, option = draft.shipping.partition(":")
    if plugin not in shop.plugins:
        raise unknown_shipping()
    booked = hooks.ask(
        specifications.book_shipping, plugin, shop.plugins, tx=tx, order=draft, option=option, language=language
    )
    if booked.needs_address and not (draft.address and draft.address.street and draft.address.city):
        raise Invalid([Problem("address_missing", "Say where your order shall be brought.", "/address")])
    return booked


def booked_option(tx: Transaction, hooks: Hooks, shop: SaleContext, draft: OrderDraft) -> ShippingOption | None:
    """Returns the option that the order has booked, as its plugin describes it now. Raises `Invalid` if it is gone.

    The order's address does not matter: a booked option stays booked, and `order_problems` judges a new address.
    Returns None if nothing was chosen, and if the plugin is gone: then its price falls away and the label stays.
    """
    plugin = draft.shipping.partition(":")[0]
    if plugin not in hooks.plugins() or plugin not in shop.plugins:
        return None
    option = shipping_options(tx, hooks, shop, draft.language).get(draft.shipping)
    if option is None:
        raise unknown_shipping()
    return option


def label_in_shop(
    tx: Transaction, hooks: Hooks, shop: SaleContext, draft: OrderDraft, option: ShippingOption | None
) -> str:
    """Returns the label of a booked option in the language of the shop, whose lists group orders by it."""
    if option is None or draft.language in ("", shop.language):
        return option.label if option else ""
    return shipping_options(tx, hooks, shop, shop.language, draft).get(draft.shipping, option).label


def shipping_columns(option: ShippingOption | None, label: str) -> dict[str, str]:
    """Returns the columns of an order that tell when and where to collect it; a delivery has its address instead."""
    if option is None:
        return dict.fromkeys(("shipping_label", "shipping_address", "shipping_note"), "")
    collected = not option.needs_address
    return {
        "shipping_label": label,
        "shipping_address": option.address if collected else "",
        "shipping_note": option.note if collected else "",
    }


def with_place_of_today(tx: Transaction, hooks: Hooks, order: Order) -> Order:
    """Returns the order with its slot in its customer's language, and its pickup place as the plugin describes it now,
    since a place may have moved.

    If the plugin is gone or fails, they stay as they were stored: the slot in the language of the shop.
    """
    return in_place(order, option_of_today(tx, hooks, order))


def in_place(order: Order, option: ShippingOption | None) -> Order:
    """Returns the order with what customers read of this option; as it is without one."""
    if option is None:
        return order
    if order.address is not None:
        return replace(order, shipping_label=option.label)
    return replace(order, shipping_label=option.label, shipping_address=option.address, shipping_note=option.note)


def option_of_today(tx: Transaction, hooks: Hooks, order: Order) -> ShippingOption | None:
    """Returns the option that the order has booked, as its plugin describes it now; None if it is gone or fails."""
    plugin = order.shipping.partition(":")[0]
    enabled = enabled_plugins(tx, order.enterprise_id) if plugin in hooks.plugins() else {}
    if plugin not in enabled:
        return None
    offered = _options_by_id(tx, hooks, {plugin: enabled[plugin]}, order, order.language)
    return offered.get(order.shipping)


def release_place(tx: Transaction, hooks: Hooks, order_id: str, shipping: str) -> None:
    """Gives the booked place back. If the plugin is gone, the order can still be changed or cancelled: a job gives the
    place back when the plugin returns."""
    plugin, _, option = shipping.partition(":")
    if plugin in hooks.plugins():
        hooks.ask(specifications.release_shipping, plugin, tx=tx, order_id=order_id, option=option)
    elif plugin:
        enqueue(tx, RELEASE, {"order": order_id, "shipping": shipping}, due_at=tx.now + AGAIN)


def retry_release(instance: Instance, job: Job) -> None:
    """Does the job `RELEASE`. It repeats every hour until the plugin is back or the distribution is over."""
    order_id, shipping = job.payload["order"], job.payload["shipping"]
    ends = select(sale_session.c.ends_at).join_from(customer_order, sale_session).where(customer_order.c.id == order_id)

    def act(tx: Transaction) -> None:
        ends_at = tx.value(ends)
        if ends_at is not None and ends_at > tx.now:
            release_place(tx, instance.hooks, order_id, shipping)

    instance.store.transact(act)


def unknown_shipping() -> Invalid:
    return Invalid([Problem("shipping_unknown", "This way to receive the order is not offered here.", "/shipping")])


# Settings of plugins that name a way to receive the goods.

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
