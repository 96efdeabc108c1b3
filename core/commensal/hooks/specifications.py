"""Every hook, in the order of an instance's life. A hook exists only with a bundled plugin that uses it.

Implementations may take fewer arguments than the specification has; they are passed by name. Besides those listed,
every hook of an enterprise may take `settings`: what the enterprise has set for this plugin, read into the plugin's
`enterprise_settings`; and every hook may take `instance_settings`: the operator's, from the table ``[plugins.<id>]`` of
instance.toml. `tx` is the transaction under way: read and write through it, and never commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.routing import BaseRoute

from .contract import hook

if TYPE_CHECKING:
    import typer

    from ..base.errors import Problem
    from ..instance import Instance
    from ..interfaces.api.endpoint import Endpoint
    from ..interfaces.reports.values import Report
    from ..storage.database import Transaction
    from ..storage.jobs.registry import Work
    from ..trade.orders.values import Order
    from ..trade.payments.values import Payment
    from ..trade.pricing.values import Address, Adjustment, OrderDraft, Phase
    from ..trade.privacy.values import DataSubject, KeptRows
    from ..trade.sale_sessions.values import SaleSession
    from ..trade.stock.lots import StockLot
    from .values import (
        ConsentRequest,
        DemoNetwork,
        DemoPlace,
        DemoStory,
        Dialect,
        Event,
        MenuItem,
        PaymentMethod,
        PaymentStart,
        PaymentUpdate,
        ShippingOption,
        WebhookRequest,
    )

# ------------------------------------------------------------------------------------------------ startup


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def instance_settings() -> type | None:
    """The shape of what the operator may set for this plugin, in the table ``[plugins.<id>]`` of instance.toml.

    Return a frozen dataclass whose fields all have defaults. It is read strictly; a ValueError from ``__post_init__``
    refuses the start with its text.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def enterprise_settings() -> type | None:
    """The shape of what an enterprise may set for this plugin.

    Return a frozen dataclass whose fields all have defaults. What an enterprise sends is read into it, strictly; a
    ValueError from ``__post_init__`` is shown to whoever sent it.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def migrations() -> Path | None:
    """The folder of Alembic revisions that make the plugin's tables.

    They form a line of their own, with a table of versions of their own; all tables are named ``<id>_…``, and a
    revision that touches any other is refused. They may refer to tables of the core; the core never refers to them.
    They stay when the plugin is disabled; ``commensal plugin drop <id>`` drops them.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def endpoints() -> Sequence[Endpoint] | None:
    """Additions to the JSON API, under ``/api/-/<id>/``: each names its scope and stands in the OpenAPI document."""
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def routes(instance: Instance) -> Sequence[BaseRoute] | None:
    """Pages of the plugin: Starlette routes, mounted at ``/-/<id>/``, or at ``/`` for the plugin that is `front`."""
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def fixed_routes(instance: Instance) -> Sequence[BaseRoute] | None:
    """Starlette routes at addresses that a standard fixes: ``/.well-known/…`` (RFC 8615), ``/webid``, ``/api/dfc/…``.

    Everything else belongs under ``/-/<id>/``. Two plugins that claim one path, or a path of the core, stop the start.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def dialects() -> Sequence[Dialect] | None:
    """Ways of writing catalogues and orders for other platforms.

    Platforms that ask for the media type of one are answered in it, and what they answer in it is read by it. DFC 1.16
    is given to whoever asks for nothing else.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def message_types() -> Mapping[Any, Any] | None:
    """Types of message that this plugin exchanges with itself at other instances, each with what it does here.

    Return a `Handler` for each `MessageType`, both of `commensal_federation.messaging`. Names and scopes begin with
    ``<id>.``; the operator gives a scope to a peer. What a handler raises is noted with the plugin's name, and the
    message is parked and tried again.
    Asked only where the federation is enabled.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def jobs() -> Work | None:
    """Work of the plugin: handlers of jobs that it promises, and what happens periodically.

    Every kind and every name begins with ``<id>.``. A handler may get the same job twice.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="nothing", where="startup", on_error="raise")
def commands(app: typer.Typer) -> None:
    """Commands of the shell: add them to `app`, and they are called ``commensal <id> …``."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="one", where="outside", on_error="raise", timeout=20.0)
def check_settings(enterprise_id: str) -> Sequence[Problem] | None:
    """Tries out new settings before they are kept, and again for ``commensal check``: does the provider know the key?

    Not called for settings that the plugin's class refuses.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="outside", on_error="skip", timeout=20.0)
def warnings(instance: Instance) -> Sequence[Problem] | None:
    """What does not stand well, for who runs the instance: ``commensal check`` prints it, in their language. Each
    text says what to do.

    A plugin that fails or takes too long is left out.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ pages, reports


@hook(scope="instance", returns="each", where="transaction", on_error="skip", reads=True, timeout=2.0)
def menu_items(tx: Transaction, person_id: str | None, language: str) -> Sequence[MenuItem] | None:
    """Links for the menu of every page, for this reader (None: not logged in). `tx` only reads.

    A plugin that fails is left out of the menu. Pages wait two seconds for all plugins together, and do without what is
    late.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True)
def order_links(tx: Transaction, order: Order, page: str, language: str) -> Sequence[MenuItem] | None:
    """Links for the page of an order, for the customer whose it is: a calendar, a document. `tx` only reads.

    `page` is the path of that page, "/orders/<id>" or "/orders/guest/<secret>": an address that a plugin makes from it
    opens to the same reader by the same key. A plugin that fails is left out.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True)
def reports(tx: Transaction, enterprise_id: str, language: str) -> Sequence[Report] | None:
    """Reports that an enterprise may run: each with its columns, its parameters, and a function that gives the lines.

    `tx` only reads, and is over when the report runs: its lines are asked of the snapshot that it is handed then. A
    plugin that fails is left out of the list.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ people


@hook(scope="instance", returns="each", where="transaction", on_error="raise", reads=True, timeout=20.0)
def person_data(tx: Transaction, person: DataSubject) -> Sequence[KeptRows] | None:
    """What you keep about a person and the core cannot find, for the archive that they are handed.

    Rows whose foreign keys lead to a person, a customer, an order or a payment are in it anyway. Leave secrets out.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="nothing", where="transaction", on_error="raise", timeout=20.0)
def erase_person(tx: Transaction, person: DataSubject) -> None:
    """A person is forgotten: let go what you keep about them and the core cannot find, in the same transaction.

    Columns that are marked `PERSONAL`, in rows whose foreign keys lead to the person, are blanked by the core. Raise
    `Refused` where something must be settled first, and say what.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ a sale


@hook(scope="enterprise", returns="nothing", where="transaction", on_error="raise")
def sale_copied(tx: Transaction, source: SaleSession, copy: SaleSession, timezone: str) -> None:
    """A sale session was made after the model of another one, by hand or by its rhythm: copy what you keep for it.

    Runs in the transaction that makes the copy. `timezone` is the shop's: move times by the distance to `begins_at`
    on its clocks.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ an order


@hook(scope="enterprise", returns="each", where="transaction", on_error="raise", reads=True)
def price_adjustments(tx: Transaction, order: OrderDraft, phase: Phase) -> Sequence[Adjustment] | None:
    """What this order costs more or less in this phase. `tx` is for reading only.

    Called once for each phase, for a quote and again inside the transaction that places or changes the order.
    Everything must follow from the arguments and the database: the total is compared with the one the customer saw.
    Not called for drafts nobody has asked the price of. What an adjustment uses up is taken in `settle_adjustments`.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="transaction", on_error="raise")
def settle_adjustments(
    tx: Transaction, order: OrderDraft, before: Sequence[Adjustment], after: Sequence[Adjustment]
) -> None:
    """Takes what this plugin's adjustments use up (a budget, a gift card, one of so many uses), or gives it back.

    Runs in the transaction that places, changes or cancels the order, once its price stands. `before` is what the order
    had of this plugin (nothing when it is placed), `after` what it will have (nothing when it is cancelled). Take by
    one guarded UPDATE; raise `Conflict` where there is no more. Not called for a plugin with neither.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="raise")
def order_problems(tx: Transaction, order: OrderDraft, total: int, before: int) -> Sequence[Problem] | None:
    """What stands against this order: each problem names its field, and the order is refused with all of them.

    Runs in the transaction that places or changes the order, when its price stands: `total` is what the customer will
    pay, in minor units, `before` what it was until now (0 for a new order). Lock what you decide by. Not called for
    quotes, for cancellations, nor for what the hub writes down on a customer's behalf.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True)
def consent_requests(tx: Transaction, order: OrderDraft, language: str) -> Sequence[ConsentRequest] | None:
    """What you would do with this order's data if its customer agrees: a box for each at the checkout, never ticked.

    Who does not agree gets the same goods at the same price. Asked for quotes and for the page of an order that can be
    changed, and again in the transaction that keeps a yes with the text; `order.id` is "" in a quote. A yes can be
    taken back at any time, which is told by `order_changed`: look at `agreed_parts` whenever you go by it. A plugin
    that fails asks nothing.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True)
def shipping_options(
    tx: Transaction, enterprise_id: str, session_id: str, language: str, address: Address | None
) -> Sequence[ShippingOption] | None:
    """Ways for the goods of this sale session to reach the customer, with what is left of each. `tx` only reads.

    `address` is where the customer wants them, as far as it is known: list what serves it. Without one list all, also
    what an order has booked already, and mark what `needs_address`. A plugin that fails is left out of the list.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="one", where="transaction", on_error="raise")
def book_shipping(tx: Transaction, order: OrderDraft, option: str, language: str) -> ShippingOption:
    """Takes a place for this order, or raises `Refused` (the slot is full, the option is not of this session).

    Runs in the transaction that places the order, or that changes its shipping; take by one guarded UPDATE.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="one", where="transaction", on_error="raise")
def release_shipping(tx: Transaction, order_id: str, option: str) -> bool:
    """Gives back what `book_shipping` took. The core calls it once for each booking, under the order's version.

    Runs when an order is cancelled or its shipping changes. Returns whether something was given back.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="outside", on_error="skip", timeout=3.0)
def bring_stock(instance: Instance, missing: Mapping[str, int]) -> bool | None:
    """An order found lots short: bring what is `missing`, in grains by lot id, from where there is more.

    Asked between transactions while the customer waits, so be quick; whatever came, the order is tried once more.
    Return whether anything came. Raise `Refused` where the customer should read why it did not: that a producer cannot
    be reached, for example. Not called while every lot holds enough.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ payments


@hook(scope="enterprise", returns="each", where="outside", on_error="skip")
def payment_methods(
    instance: Instance, enterprise_id: str, person_id: str | None, customer_id: str | None, language: str
) -> Sequence[PaymentMethod] | None:
    """Ways to pay at this shop, for somebody who looks around there, or for an order.

    `person_id` is their account (None: not logged in). `customer_id` is the shop's customer who they have proved to be,
    or for whom the shop has ordered; None for everybody else, whatever address they have typed. What belongs to a
    customer is offered by `customer_id` alone. Asked once more when a payment begins: what is not offered then is
    refused. A plugin that fails or takes too long is left out of the list.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="one", where="outside", on_error="raise", timeout=20.0)
def start_payment(
    instance: Instance,
    payment: Payment,
    method: str,
    order_number: int,
    email: str,
    return_url: str,
    language: str,
) -> PaymentStart:
    """Begins a payment after the order is committed. `payment.id` is the idempotency key: asked twice, charge once.

    Only the plugin that offered the method is asked; `method` is the id that it gave it. `return_url` is where a
    provider sends the customer back to. Raise `Refused` with a text for the customer where the provider says no. That
    and any other error marks the payment Failed; the order stays, and the customer may choose again.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="one", where="outside", on_error="raise", timeout=20.0)
def payment_webhook(instance: Instance, enterprise_id: str, request: WebhookRequest) -> Sequence[PaymentUpdate]:
    """What a provider's message says of payments: it came to ``/-/<id>/webhook/<enterprise>``.

    Prove by its signature that it is the provider's, or raise `Refused`; then the core applies the updates, each once,
    if amount and currency are those of the payment. Any other error answers 500, and the provider sends it again.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="one", where="job", on_error="retry", timeout=20.0)
def payment_status(instance: Instance, payment: Payment) -> PaymentUpdate | None:
    """What became of a payment that is still open: asked again and again while it is Started or Pending.

    So a message that never came, and an answer that was lost, are made good. None: nothing new.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=20.0)
def cancel_payment(instance: Instance, payment: Payment) -> None:
    """The customer has chosen another way, or the order was cancelled: a payment that is still open shall not be paid.

    Money that comes all the same is written down, and shown as owed to the customer.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="one", where="job", on_error="retry", timeout=20.0)
def refund_payment(instance: Instance, refund: Payment, payment: Payment) -> PaymentUpdate:
    """Gives `refund.amount` minor units of a received payment back through the provider.

    `refund.id` is the idempotency key. Answer with the state of the refund and the provider's reference for it.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ what happened
# Told after the commit, one job for each plugin and event, at least once. `event.id` is the same each time, and what is
# told of is as it is when the job runs. A plugin that the enterprise has switched off meanwhile is not told.


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def order_placed(instance: Instance, event: Event, order: Order) -> None:
    """An order was placed, by a customer or by the hub. Not called for carts."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def order_changed(instance: Instance, event: Event, order: Order) -> None:
    """An order has other lines, another shipping or another total: changed, weighed, or with a substitute.

    Not called for payments, nor when the sale is over and its orders become Complete.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def order_cancelled(instance: Instance, event: Event, order: Order) -> None:
    """An order was cancelled, by the customer or by the hub."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def order_fulfilled(instance: Instance, event: Event, order: Order) -> None:
    """The goods of an order were handed over."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def payment_received(instance: Instance, event: Event, payment: Payment) -> None:
    """Money came in and stands in the journal."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def payment_refunded(instance: Instance, event: Event, payment: Payment) -> None:
    """Money was given back and stands in the journal; `payment` is the refund."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def sale_opened(instance: Instance, event: Event, sale: SaleSession) -> None:
    """A shop's sale has opened. Told within a minute or two; that a sale is open is a matter of time alone."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def sale_completed(instance: Instance, event: Event, sale: SaleSession) -> None:
    """A shop's sale has closed and its orders are Complete."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def stock_changed(instance: Instance, event: Event, lot: StockLot) -> None:
    """Somebody counted, harvested or wrote off: more or less is there.

    Not called for what orders take and give back.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def listing_changed(instance: Instance, event: Event, item_ids: Sequence[str]) -> None:
    """What the enterprise lists is not what it was: items, their products, prices, and who sees them.

    `item_ids` are catalog items of `event.enterprise_id`, at most 200; some may be gone. Not called for levels of
    stock, only for a lot that became unlimited or counted.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ the demo region


@hook(scope="instance", returns="each", where="startup", on_error="raise", timeout=120.0)
def demo_network(network: DemoNetwork) -> DemoStory | None:
    """Lets the instances of the demo trade with each other: agree, grant, open sales. None of them serves yet.

    Return what a visitor may try, and a story that is told when all of them run.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise", timeout=60.0)
def demo_data(tx: Transaction, place: DemoPlace) -> bool | None:
    """Fills the plugin's part of the demo region for one hub: places, slots, prices, drawn from `place.seed`."""
    raise AssertionError("a specification is not called")
