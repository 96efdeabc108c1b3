"""What goes into hooks and comes out of them: frozen values that plugins and pages see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from ..instance import Instance


@dataclass(frozen=True, kw_only=True)
class MenuItem:
    """A link for the menu, or for the page of an order: its text in the reader's language."""

    label: str
    url: str
    position: int = 100


@dataclass(frozen=True, kw_only=True)
class PaymentMethod:
    """A way to pay. `id` is unique within its plugin; the core calls it "plugin:id".

    by_hand: a member of the shop may record such money as received or given back: cash, a transfer that they saw on
             the account. False: only the plugin knows, because the money moves where it looks
    """

    id: str
    label: str
    description: str = ""
    by_hand: bool = False


@dataclass(frozen=True, kw_only=True)
class PaymentStart:
    """How a payment begins: what the payer reads and sees, and where they are sent, if anywhere.

    picture: a data: URI of an image for the page, like a QR code
    """

    text: str = ""
    picture: str = ""
    redirect: str = ""
    reference: str = ""
    state: Literal["Pending", "Done"] = "Pending"


@dataclass(frozen=True, kw_only=True)
class PaymentUpdate:
    """What a provider says became of a payment, or of a refund.

    amount, currency: minor units of what moved, ISO 4217; an update for another amount or currency than the payment's
                      is not applied but shown to the operator
    state:            Pending: the payer has done their part, and how it ends takes time
    text:             for the customer, where it failed
    """

    payment_id: str
    state: Literal["Pending", "Done", "Failed", "Cancelled"]
    amount: int
    currency: str
    reference: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class WebhookRequest:
    """A message of a provider as it came: its body byte for byte, its headers by their lower-case names."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened. `id` is the same however often it is told: act once by it. `at` is UTC."""

    id: str
    kind: str
    at: datetime
    enterprise_id: str


@dataclass(frozen=True, kw_only=True)
class ShippingOption:
    """A way for the goods to reach the customer (DFC PickupOption, DeliveryOption).

    `address` is where they collect, on one line, and `note` how to find the door there; both are told with the order.
    For goods that are brought, `address` says what customers should know before they choose.
    """

    id: str
    label: str
    begins_at: datetime
    ends_at: datetime
    address: str = ""
    note: str = ""
    price: int = 0  # minor units of the shop's currency, VAT as the shop's prices
    vat_rate: Decimal | None = None  # percent of the price; None: outside VAT
    left: int | None = None  # how many more orders it takes; None: any number
    needs_address: bool = False  # goods are brought: without an address it cannot be chosen


@dataclass(frozen=True, kw_only=True)
class ConsentRequest:
    """Something that is done with an order's data only if its customer agrees.

    `id` is unique within its plugin; the core calls it "plugin:id". `text` is what they agree to, in their language:
    who gets which data, and what for. It is kept as it was shown, so it must stand for itself.
    """

    id: str
    text: str


@dataclass(frozen=True, kw_only=True)
class DemoPlace:
    """What a plugin is told so that it can fill its part of the demo region."""

    instance: Instance
    enterprise_id: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class DemoHub:
    """A small instance beside the demo region's, with one hub, its catalog, and nothing on sale yet."""

    instance: Instance
    hub_id: str
    catalog_id: str


@dataclass(frozen=True, kw_only=True)
class DemoNetwork:
    """The demo region's instance, whose producers are named, and its neighbours. None of them serves yet."""

    home: Instance
    hub_id: str
    producer_ids: Sequence[str]
    neighbours: Sequence[DemoHub]


class DemoRun(Protocol):
    """The instances of a demo network, each a process of its own: 0 is the region's, then come its neighbours."""

    def url(self, place: int) -> str: ...

    def start(self, place: int) -> None: ...

    def stop(self, place: int) -> None: ...

    def say(self, text: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """A way of writing down what platforms tell each other about food.

    id:         such as "dfc-2.0"
    media_type: by which it is asked for and answered, with its parameters, if any
    asks:       the header `Accept` by which it is asked for; "": the media type
    write:      the bytes of some things, and of the lists of their names that the answer gives, by the lists' own
                names. A thing is a value with an `iri`, and fields that are named after DFC's words
    read:       a document of DFC (JSON-LD, as plain objects) from bytes; None: they are such a document already.
                Raises `ValueError` for what it does not understand
    """

    id: str
    media_type: str
    write: Callable[[Sequence[Any], Mapping[str, Sequence[str]]], bytes]
    read: Callable[[bytes], Any] | None = None
    asks: str = ""


@dataclass(frozen=True, kw_only=True)
class DemoStory:
    """tries: what a visitor may try, a sentence each
    tell:  tells the story over HTTP and returns what went wrong; nothing, if all is well
    """

    tries: Sequence[str]
    tell: Callable[[DemoRun], Sequence[str]]
