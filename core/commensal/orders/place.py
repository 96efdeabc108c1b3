"""Places an order: takes the stock, numbers and writes the order in one transaction, before any payment.

The number of statements does not depend on the number of lines; `tests/plugins/test_statements.py` counts them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace

from sqlalchemy import insert

from ..base.errors import Conflict, Invalid, Problem
from ..base.failpoints import failpoint
from ..base.fields import OrderField
from ..base.money import Money
from ..base.plugin_fields import PluginFields, read_plugin_values
from ..base.texts import is_blank, read_phone, read_text, refuse_links
from ..enterprises.counters import next_number
from ..enterprises.customers import customer_by_id
from ..events.announce import event_jobs, sold_out_jobs
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..people.codes import fingerprint
from ..people.email import read_email
from ..stock.take import take_stock
from ..storage.database import Row, Transaction
from ..storage.jobs import NewJob, enqueue_all
from .cart import empty_cart
from .consents import keep_consents
from .emails import confirmation_mail
from .guests import Guest, ask_to_admit, note_guest
from .lines import grains_by_lot, lines_for
from .price import Choices, draft_of, price, read_codes, refuse_problems, settle_with_plugins
from .proof import OrderOwner, identify
from .sale_context import refuse_if_books_closed, sale_closed, sale_context, sale_context_for
from .shipping import book_place, label_in_shop, link_problems, shipping_columns
from .tables import customer_order
from .values import LONGEST_COLLECTOR, Identity, Order, Quote, SaleContext, Wish
from .write import totals_of, write_parts

_ORDER = insert(customer_order)
_EMPTY = Problem("empty", "Choose at least one product.", "/items")


def place_order(
    tx: Transaction,
    hooks: Hooks,
    session_id: str,
    wish: Wish,
    *,
    person_id: str | None = None,
    secret: str | None = None,
    cart_id: str | None = None,
    by_hub: bool = False,
    customer_id: str | None = None,
    by_platform: bool = False,
    client_address: str = "",
) -> Order:
    """Places an order at the sale session and returns it.

    `person_id` is the account that is logged in. `secret` opens the order for the guest who places it; their e-mail
    gets another secret (see `identity`). `cart_id` is the cart that becomes this order and gives it its id, so sending
    the same cart twice leads to one order. With `by_hub` the hub places the order for its customer, also after the
    close, and names the customer by `customer_id` or by address; the order appears in the history of the account that
    has confirmed the customer's address. Without an address, a name and a telephone number are enough: the order then
    belongs to no customer's record, and no e-mail is sent. `by_platform` means that a platform does so for the hub:
    then only `customer_id`, which the hub has chosen for it, decides the owner. `client_address` is the IP address from
    which a guest orders; the shop's `GuestPolicy` limits how much guests order, and how often from one address.

    An order without goods is possible if it pays something for later use, such as a gift card: it needs no place to be
    collected at, and nothing of it is to be handed over.

    A customer who orders accepts the shop's terms of sale, if it has published any, by naming the version they saw.

    Raises `Conflict` if the sale is closed, an item is not on sale, or the total or the terms are not those that were
    shown; `SoldOut` with what is left of each lot; `Invalid` with every mistake of the wish; `Refused` from a plugin.
    """
    shop = sale_context(tx, session_id, hold=True) if by_hub else sale_context_for(tx, session_id, person_id, hold=True)
    if not by_hub and not shop.is_open(tx.now):
        raise sale_closed(shop)  # before the books, which concern those who keep them
    refuse_if_books_closed(shop)
    if not wish.language:
        wish = replace(wish, language=shop.language)
    may_lack_email = by_hub and not by_platform and customer_id is None
    email, wish = _check_wish(tx, wish, shop, by_hub, customer_id, may_lack_email=may_lack_email)
    if not by_hub:
        _refuse_other_terms(wish, shop)
    owner = identify(
        tx,
        shop.enterprise_id,
        wish,
        email,
        person_id=person_id,
        by_hub=by_hub and (customer_id is not None or not by_platform),
        customer_id=customer_id,
    )
    order_id = cart_id if cart_id is not None and empty_cart(tx, cart_id) else tx.new_id()
    quote = _quote(tx, hooks, shop, wish, owner, order_id=order_id, email=owner.email, by_hub=by_hub)
    values = {
        **_order_values(tx, hooks, shop, wish, owner, quote),
        "plugin_fields": wish.plugin_fields,
        "secret_hash": fingerprint(secret) if secret else None,
        "terms_id": None if by_hub else shop.terms_id,
    }
    admit = None
    if owner.identity is Identity.TYPED and not by_hub:
        admit = ask_to_admit(tx, shop, email=owner.email, client_address=client_address, total=quote.totals.total)
    emptied_lots = take_stock(tx, grains_by_lot(quote.draft.lines), order_id=order_id, person_id=person_id)
    guest = admit() if admit is not None else None
    failpoint("order.taken")
    values["number"] = next_number(tx, shop.enterprise_id, "order")
    jobs = _write_order(tx, hooks, shop, wish, quote, values, guest)
    record = owner.record()
    if record.is_new and record.id is not None:
        jobs += event_jobs(tx, specifications.customer_created, shop.enterprise_id, record.id, shop.plugins)
    enqueue_all(tx, [*jobs, *sold_out_jobs(tx, emptied_lots)])
    return _placed_order(order_id, values, owner.customer.customer_id, quote)


def payment_state(paid: int, total: int) -> str:
    """Returns the DFC PaymentState of a placed order: Paid if `paid` covers `total` (minor units), which may be 0."""
    return "Paid" if paid >= total else "Unpaid"


def refuse_other_total(shown: int | None, quote: Quote) -> None:
    """Raises `Conflict` if the total differs from the one that was shown (minor units; None: not shown)."""
    if shown is not None and shown != quote.totals.total:
        raise Conflict(
            "total_changed",
            "The total has changed from {shown} to {total} while you were looking; please check your order again.",
            shown=Money(shown, quote.draft.currency),
            total=Money(quote.totals.total, quote.draft.currency),
        )


def _refuse_other_terms(wish: Wish, shop: SaleContext) -> None:
    """Raises `Invalid` if the customer has accepted no terms of sale of a shop with terms, `Conflict` if others."""
    if shop.terms_id is not None and not wish.terms_id:
        raise Invalid([Problem("terms_missing", "Accept the terms of sale.", "/terms_id")])
    if wish.terms_id != (shop.terms_id or ""):
        raise Conflict("terms_changed", "The terms of sale have changed meanwhile. Read them before you order.")


def _check_wish(
    tx: Transaction, wish: Wish, shop: SaleContext, by_hub: bool, customer_id: str | None, *, may_lack_email: bool
) -> tuple[str, Wish]:
    """Returns the e-mail address, and the wish with telephone and plugins' fields as they are stored. Raises `Invalid`
    with every mistake, `NotFound` for a customer of another enterprise."""
    problems: list[Problem] = []
    email = "" if may_lack_email and is_blank(wish.email) else read_email(wish.email)
    if not email and is_blank(wish.phone):
        problems.append(Problem("unreachable", "Give an e-mail address or a telephone number.", "/phone"))
    if isinstance(email, Problem):
        problems.append(replace(email, where="/email"))
    refuse_links(wish.name, "/name", problems)
    if wish.address is not None:
        problems += link_problems(wish.address)
    read_text(wish.name, "/name", problems)
    collector = read_text(wish.collector, "/collector", problems, most=LONGEST_COLLECTOR)
    stored = customer_by_id(tx, shop.enterprise_id, customer_id).phone if customer_id and wish.phone else ""
    phone = read_phone(wish.phone, "/phone", problems, stored=stored)
    if is_blank(wish.name):
        problems.append(Problem("name_missing", "Please give your name.", "/name"))
    if not wish.items and not wish.codes:
        problems.append(_EMPTY)
    if wish.payment_method and wish.payment_method.partition(":")[0] not in shop.plugins:
        problems.append(Problem("payment_unknown", "This way to pay is not offered here.", "/payment_method"))
    if wish.consents and by_hub:
        problems.append(Problem("consent_of_another", "Only customers themselves can agree to this.", "/consents"))
    plugin_values = _plugin_values(tx.plugin_fields.orders.of(shop.plugins), wish, problems, by_hub=by_hub)
    if problems or isinstance(email, Problem):
        raise Invalid(problems)
    if (phone, collector, plugin_values) != (wish.phone, wish.collector, wish.plugin_fields):
        wish = replace(wish, phone=phone, collector=collector, plugin_fields=plugin_values)
    return email, wish


def _quote(
    tx: Transaction,
    hooks: Hooks,
    shop: SaleContext,
    wish: Wish,
    owner: OrderOwner,
    *,
    order_id: str,
    email: str,
    by_hub: bool,
) -> Quote:
    """Prices the wish and books its place. Raises what `place_order` raises for goods, place, total and plugins."""
    lines = lines_for(tx, shop, wish.items, owner.customer.category_ids, after_cut_off=by_hub)
    choices = Choices(
        shipping=wish.shipping if lines else "",
        payment_method=wish.payment_method,
        codes=read_codes(wish.codes),
        address=wish.address,
        plugin_fields=wish.plugin_fields,
    )
    draft = draft_of(
        order_id, shop, lines, owner.customer, choices, person_id=owner.person_id, email=email, language=wish.language
    )
    option = book_place(tx, hooks, shop, draft, wish.language) if lines else None
    quote = price(tx, hooks, shop, draft, option)
    if not lines and not quote.draft.prepaid:
        raise Invalid([_EMPTY])
    # What cannot be ordered at any total comes first: who has confirmed a total believes to have ordered.
    refuse_problems(tx, hooks, shop, quote, None, "hub" if by_hub else "customer")
    refuse_other_total(wish.total, quote)
    return quote


def _order_values(
    tx: Transaction, hooks: Hooks, shop: SaleContext, wish: Wish, owner: OrderOwner, quote: Quote
) -> dict[str, object]:
    """The columns of the order's row that the sale, the wish and the price decide."""
    draft = quote.draft
    return {
        "session_id": shop.session_id,
        "enterprise_id": shop.enterprise_id,
        "customer_id": owner.record().id,
        "identity": owner.identity,
        "person_id": owner.person_id,
        "state": "Complete" if shop.completed else "Held",
        "payment_state": payment_state(0, quote.totals.total),
        "fulfilment_state": "Unfulfilled" if draft.lines else "Fulfilled",
        "currency": shop.currency,
        "prices_include_vat": shop.prices_include_vat,
        "name": wish.name.strip(),
        "email": draft.email,
        "phone": wish.phone,
        "language": wish.language,
        "note": wish.note,
        "collector": wish.collector,
        "shipping": draft.shipping,
        "address": asdict(draft.address) if draft.address else None,
        "payment_method": draft.payment_method,
        "codes": list(draft.codes),
        "paid_total": 0,
        "created_at": tx.now,
        "placed_at": tx.now,
        "changed_at": tx.now,
        "version": 1,
        **shipping_columns(draft.shipping_option, label_in_shop(tx, hooks, shop, draft, draft.shipping_option)),
        **totals_of(quote.totals),
    }


def _write_order(
    tx: Transaction,
    hooks: Hooks,
    shop: SaleContext,
    wish: Wish,
    quote: Quote,
    values: Mapping[str, object],
    guest: Guest | None,
) -> list[NewJob]:
    """Writes the order with its parts and settles it with the plugins. Returns the jobs that follow from it."""
    order_id = quote.draft.id
    tx.later(_ORDER, {"id": order_id, **values})
    expiry_jobs = note_guest(tx, order_id, guest) if guest is not None else ()
    write_parts(tx, quote)
    keep_consents(tx, hooks, shop, quote.draft, wish.consents, wish.language)
    settle_with_plugins(tx, hooks, shop, quote, (), quote.draft.adjustments)
    events = event_jobs(tx, specifications.order_placed, shop.enterprise_id, order_id, shop.plugins)
    mails = confirmation_mail(tx, order_id, values, to_pay=quote.totals.total)
    return [*mails, *events, *expiry_jobs]


def _placed_order(order_id: str, values: Row, customer_id: str | None, quote: Quote) -> Order:
    """Returns the order as it was just written, without reading it from the database again."""
    _plugin_values = {name: value for name, value in values.items() if name != "secret_hash"}
    _plugin_values |= {"customer_id": customer_id, "codes": quote.draft.codes, "address": quote.draft.address}
    return Order(
        id=order_id,
        **_plugin_values,
        cancelled_at=None,
        fulfilled_at=None,
        lines=quote.draft.lines,
        adjustments=quote.draft.adjustments,
        vat=quote.totals.shares,
    )


def _asked_fields(declared: PluginFields, *, delivered: bool) -> Iterator[tuple[str, OrderField]]:
    """Yields pairs of a plugin's id and a field that the checkout asks for; `delivered`: to an address."""
    for plugin, entry in declared:
        if entry.asked == "always" or (entry.asked == "delivery" and delivered):
            yield plugin, entry


def _plugin_values(
    declared: PluginFields, wish: Wish, problems: list[Problem], *, by_hub: bool
) -> dict[str, dict[str, object]]:
    """Returns the values of plugins' fields in the wish, by plugin and name. Adds mistakes to `problems`.

    The shop may leave out what its customers must say.
    """
    values = read_plugin_values(declared, wish.plugin_fields, {}, problems)
    if not by_hub:
        for plugin, entry in _asked_fields(declared, delivered=wish.address is not None):
            if entry.required and entry.name not in values.get(plugin, {}):
                where, label = f"/plugin_fields/{plugin}/{entry.name}", entry.label(wish.language)
                problems.append(Problem("field_missing", "Please fill in: {field}.", where, {"field": label}))
    return values
