"""Every hook, in the order of an instance's life. A hook exists only with a bundled plugin that uses it.

Implementations may take fewer arguments than the specification has; they are passed by name. `tx` is the transaction
under way: read and write through it, and never commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .contract import hook

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from ..api.endpoint import Endpoint
    from ..instance import Instance
    from ..pricing.values import Adjustment, OrderDraft, Phase
    from ..store import Transaction
    from .values import DemoPlace, MenuItem, PaymentMethod, PaymentStart, ShippingOption

# ------------------------------------------------------------------------------------------------ startup


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

    The first revision has ``branch_labels = ("<id>",)``; tables are named ``<id>_…``. They may refer to tables of the
    core; the core never refers to them. They stay when the plugin is disabled.
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


# ------------------------------------------------------------------------------------------------ pages


@hook(scope="instance", returns="each", where="transaction", on_error="skip")
def menu_items(tx: Transaction, person_id: str | None, language: str) -> Sequence[MenuItem] | None:
    """Links for the menu of every page, for this reader (None: not logged in). `tx` only reads.

    A plugin that fails is left out of the menu.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ an order


@hook(scope="enterprise", returns="each", where="transaction", on_error="raise")
def price_adjustments(tx: Transaction, order: OrderDraft, phase: Phase) -> Sequence[Adjustment] | None:
    """What this order costs more or less in this phase.

    Called once for each phase, for a quote (then `tx` only reads) and again inside the transaction that places or
    changes the order. Everything must follow from the arguments and the database: the total is compared with the one
    the customer saw. Not called for drafts nobody has asked the price of.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip")
def shipping_options(
    tx: Transaction, enterprise_id: str, session_id: str, language: str
) -> Sequence[ShippingOption] | None:
    """Ways for the goods of this sale session to reach the customer, with what is left of each. `tx` only reads.

    A plugin that fails is left out of the list.
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


@hook(scope="enterprise", returns="each", where="outside", on_error="skip")
def payment_methods(enterprise_id: str, settings: object, language: str) -> Sequence[PaymentMethod] | None:
    """Ways to pay at this shop. `settings` is the enterprise's, read into your `enterprise_settings`.

    A plugin that fails or takes too long is left out of the list.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="one", where="outside", on_error="raise", timeout=20.0)
def start_payment(
    payment_id: str, method: str, order_number: int, amount: int, currency: str, settings: object, language: str
) -> PaymentStart:
    """Begins a payment of `amount` minor units after the order is committed. `payment_id` is the idempotency key.

    Only the plugin that offered the method is asked; `method` is the id that it gave it. Raise `Refused` with a text
    for the customer where the provider says no. That and any other error marks the payment Failed; the order stays,
    and the customer may choose again.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ the demo region


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def demo_data(tx: Transaction, place: DemoPlace) -> bool | None:
    """Fills the plugin's part of the demo region for one hub: places, slots, prices, drawn from `place.seed`."""
    raise AssertionError("a specification is not called")
