"""Arguments and answers of hooks: frozen values for plugins and pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ..base.errors import Problem

if TYPE_CHECKING:
    from ..instance import Instance


OFFERS_NOTHING = "offers_nothing"  # the code of a problem of settings by which nobody is offered anything
ChangedBy = Literal["customer", "hub", "scales"]  # who changes an order
_RELATIONS = frozenset({"alternate", "author", "help", "license", "me", "search", "webmention"})
_META_NAME = re.compile(r"[a-z][a-z0-9:._-]{0,60}", re.ASCII)
_OF_BROWSERS = frozenset({"color-scheme", "referrer", "theme-color", "viewport"})  # metas that change what people see


@dataclass(frozen=True, kw_only=True)
class MenuItem:
    """A link for the menu, or for the page of an order. `label` is in the reader's language; of several links, that of
    the lowest `position` stands first. `code`: the address is that of a picture, which is scanned when goods are
    collected: the page of an order shows it."""

    label: str
    url: str
    position: int = 100
    code: bool = False


@dataclass(frozen=True, kw_only=True)
class PageLine:
    """A line of a page part, in the reader's language.

    detail: what belongs to `text`: a figure, a date; on the row of a product, `text` is then its heading
    url:    a path of this instance, or an address that begins with "https://"; `action` is the label of the link
    urgent: it is marked as what must be done now
    """

    text: str
    detail: str = ""
    url: str = ""
    action: str = ""
    urgent: bool = False


@dataclass(frozen=True, kw_only=True)
class HeadMeta:
    """What a page of the shop tells search engines and other programs, in its ``<head>``: a ``meta`` element.

    name: such as "geo.placename"; with a colon ("og:locale") it becomes the element's ``property`` (Open Graph). Raises
          ValueError for a name that would change how browsers show the page: "viewport", "referrer" and their like
    """

    name: str
    content: str

    def __post_init__(self) -> None:
        if not _META_NAME.fullmatch(self.name) or self.name in _OF_BROWSERS:
            raise ValueError(f"{self.name!r:.80} is not a name of a fact about a page")


@dataclass(frozen=True, kw_only=True)
class HeadLink:
    """Where programs find more about a page of the shop, from its ``<head>``: a ``link`` element that loads nothing.

    rel:   "alternate", "author", "help", "license", "me", "search" or "webmention"; ValueError for another
    url:   a path of this instance, or an address that begins with "https://"; ValueError for another
    type:  its media type, such as "text/calendar"; "": not said
    title: what people read of it, in the reader's language
    """

    rel: str
    url: str
    type: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        if self.rel not in _RELATIONS:
            raise ValueError(f"{self.rel!r:.40} is not a relation of a link that loads nothing")
        if not self.url.startswith("https://") and not re.match(r"/(?!/)", self.url):
            raise ValueError(f"{self.url!r:.80} is neither a path of this instance nor an address with https://")


@dataclass(frozen=True, kw_only=True)
class PagePart:
    """A part that a plugin adds to a page of another one. Without lines it is not shown.

    position: of parts on one page, that of the lowest stands first
    subject:  id of a product on whose row it stands; "": it stands on the page itself, under its title
    head:     what stands in the ``<head>`` of a page of the shop (not of "shop/account"), with lines or without any
    """

    title: str
    lines: Sequence[PageLine]
    position: int = 100
    subject: str = ""
    head: Sequence[HeadMeta | HeadLink] = ()


@dataclass(frozen=True, kw_only=True)
class PaymentHold:
    """Why a supplier is not to be paid for a sale by a file for the bank: `reason` says it, with what to do."""

    supplier_id: str
    reason: Problem


@dataclass(frozen=True, kw_only=True)
class Screen:
    """What a page of a plugin shows: a template of the plugin that extends ``office/base.html``, or ``shop/base.html``
    for a page of the shop. The template gets the `context`; `status` and `headers` are those of HTTP."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class OfficePage:
    """A page that a plugin adds to the office of an enterprise.

    path:         below the enterprise's address in the office, such as "money/statement"; no page of the office itself
    place:        the entry of the navigation to which it belongs, such as "money"
    scope:        what a member must hold to open it; "operator": the page is for those who run the instance, stands
                  below /office/instance, and its functions take None for the enterprise
    show:         answers a GET: takes the `Visit` of `commensal.pages` and the enterprise, and returns a `Screen`, or a
                  response, such as a redirect
    send:         answers a POST in the same way; None: the page has no form
    sends:        the scope that its form needs; "": the one of the page
    largest_file: bytes of the one file that its form may carry, which is the visit's `body`; 0: none
    link:         the text, for `translate`, of a link to it on the page of its `place`; places with such links are
                  "instance" (for operators), "hubs" and "producers"
    menu:         the text, for `translate`, of an entry of its own in the navigation, for members who hold the scope,
                  where the plugin is switched on; pages whose `place` is the path of this one belong to it
    where_off:    it also answers for enterprises that have not switched the plugin on
    """

    path: str
    place: str
    scope: str
    show: Callable[[Any, Any], Any]
    send: Callable[[Any, Any], Any] | None = None
    sends: str = ""
    largest_file: int = 0
    link: str = ""
    menu: str = ""
    where_off: bool = False


@dataclass(frozen=True, kw_only=True)
class ShopPage:
    """A page that a plugin adds to the shop of an enterprise, for everybody who may see the enterprise.

    path: below the enterprise's address in the shop, ``/hubs/<name>/``, such as "gift-card"; no page of the shop itself
    show: answers a GET: takes the `Visit` of `commensal.pages` and the enterprise, and returns a `Screen`, or a
          response, such as a redirect
    send: answers a POST in the same way; None: the page has no form
    """

    path: str
    show: Callable[[Any, Any], Any]
    send: Callable[[Any, Any], Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A sum of goods from which an order costs less. Amounts are minor units of the order's currency.

    label:   of the fee that becomes cheaper, or falls away
    amount:  the sum
    reached: how much of it the order has
    saving:  what the customer saves from there on
    """

    label: str
    amount: int
    reached: int
    saving: int

    @property
    def missing(self) -> int:
        return max(0, self.amount - self.reached)


@dataclass(frozen=True, kw_only=True)
class PaymentMethod:
    """A way to pay. `id` is unique within its plugin; the core calls it "plugin:id".

    by_hand: members of the shop may record such money as received or given back: cash, a transfer that they saw on the
             bank statement. False: only the plugin may, because it learns from the provider what was paid
    in_till: it fills a till, whose content is counted after the hand-out
    """

    id: str
    label: str
    description: str = ""
    by_hand: bool = False
    in_till: bool = False


@dataclass(frozen=True, kw_only=True)
class PaymentStart:
    """How a payment begins.

    text:      for the payer, in their language
    picture:   a data: URI of an image like a QR code; a PNG also stands in e-mails
    redirect:  the URL to which the payer is sent; "": nowhere
    reference: the provider's id of the payment
    state:     Pending: whether money comes is still to be seen; Done: it has been received
    """

    text: str = ""
    picture: str = ""
    redirect: str = ""
    reference: str = ""
    state: Literal["Pending", "Done"] = "Pending"


@dataclass(frozen=True, kw_only=True)
class PaymentUpdate:
    """The state of a payment or a refund, as reported by its provider.

    amount, currency: minor units and ISO 4217; an update for another amount or currency than the payment's is not
                      applied but shown to the operator
    state:            Pending: the payer has done their part, and the result is not known yet
    reference:        the provider's id of the payment
    text:             for the customer, if the payment failed
    """

    payment_id: str
    state: Literal["Pending", "Done", "Failed", "Cancelled"]
    amount: int
    currency: str
    reference: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class WebhookRequest:
    """A provider's message as it was received: its body byte for byte, its headers by their lower-case names."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened. It may be delivered more than once with the same `id`: act once. `at` is UTC."""

    id: str
    kind: str
    at: datetime
    enterprise_id: str


@dataclass(frozen=True, kw_only=True)
class ShippingOption:
    """A way for the goods to reach the customer (DFC PickupOption, DeliveryOption).

    `begins_at` and `ends_at` are UTC. `address` is where customers collect, on one line, and `note` how to find the
    door there; both are shown with the order. `place` is the name of what stands there, without the time: suppliers
    read it with the address. For deliveries, `address` says what customers should know beforehand.

    label:         in the reader's language, and another one for each option: of slots it names the time or the place
    price:         minor units of the shop's currency, with or without VAT as the shop's prices
    vat_rate:      percent of the price; None: outside VAT
    left:          how many more orders it takes; None: any number
    needs_address: it is a delivery, which cannot be chosen without an address
    """

    id: str
    label: str
    begins_at: datetime
    ends_at: datetime
    address: str = ""
    note: str = ""
    price: int = 0
    vat_rate: Decimal | None = None
    left: int | None = None
    needs_address: bool = False
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class ConsentRequest:
    """A use of an order's data that needs its customer's consent.

    `id` is unique within its plugin; the core calls it "plugin:id". `text` is what they consent to, in their language:
    who gets which data, and what for. It is stored as it was shown, so it must be complete.
    """

    id: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A short message about an order to its customer, for a channel that is not an e-mail.

    id:   the same at each try: an idempotency key
    kind: that of the e-mail that says the same at length: "order_ready", "order_reminder" …
          "phone_code": a code that proves the telephone number of the order
    text: one line in the customer's language: the shop and the subject of that e-mail. It holds no secret but that code
    link: the page of the order; its customer has to log in there
    """

    id: str
    kind: str
    text: str
    link: str


@dataclass(frozen=True, kw_only=True)
class RoundVehicle:
    """A vehicle that could drive a round. It starts and ends at the place `base`, between two moments in seconds.

    base: a row of the matrices of the task; room: how much it carries of each measure, as `RoundLoad.room` counts
    """

    id: str
    base: int
    room: tuple[int, ...]
    cents_per_km: int
    begins: int
    ends: int


@dataclass(frozen=True, kw_only=True)
class RoundLoad:
    """Goods to be brought from one place to another, to be there between `opens` and `closes`, in seconds.

    vehicles: ids of those that may carry them
    """

    id: str
    origin: int
    destination: int
    room: tuple[int, ...]
    opens: int
    closes: int
    vehicles: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class RoundsTask:
    """What is to be driven. Names nobody: ids are made for the task alone.

    metres, seconds: from each place to each other by road
    service:         seconds that a stop takes, once for all that is loaded and unloaded there
    """

    metres: tuple[tuple[int, ...], ...]
    seconds: tuple[tuple[int, ...], ...]
    service: int
    vehicles: tuple[RoundVehicle, ...]
    loads: tuple[RoundLoad, ...]


@dataclass(frozen=True, kw_only=True)
class PlannedRound:
    """Which vehicle carries which loads, in the order in which they are picked up."""

    vehicle: str
    loads: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OrderedGoods:
    """Pieces of one product that customers have ordered. `unit_quantity` is the net content of one piece in `unit`, a
    DFC measure; `amount` what the shop pays for all of them, in minor units, with VAT or without as its prices are.
    """

    product_id: str
    name: str
    unit_quantity: Decimal
    unit: str
    pieces: int
    amount: int


@dataclass(frozen=True, kw_only=True)
class ClosedDemand:
    """What customers of one sale have ordered of one supplier, in sums, once its part has closed. Names no customer.

    begins_at: of the distribution (UTC); currency: of the shop, ISO 4217
    """

    enterprise_id: str
    session_id: str
    supplier_id: str
    supplier: str
    currency: str
    begins_at: datetime
    goods: tuple[OrderedGoods, ...]


@dataclass(frozen=True, kw_only=True)
class ShapedGoods:
    """What is to be ordered of a product instead: fewer `pieces` than customers did, or none.

    reason: in the language that the plugin was asked in. The shop reads it before; where nothing is left, customers
            read it in their e-mail
    """

    product_id: str
    pieces: int
    reason: str


@dataclass(frozen=True)
class RoadPoint:
    """A place on earth, in degrees (WGS 84)."""

    latitude: Decimal
    longitude: Decimal


@dataclass(frozen=True, kw_only=True)
class FoundPlace:
    """Where an address is, in degrees (WGS 84).

    label:  what was found, as people there write it: "1 rue Nationale, 37000 Tours", or only "Tours" for its middle
    source: who says so, such as "Base Adresse Nationale"; both are shown to whoever decides
    """

    latitude: Decimal
    longitude: Decimal
    label: str
    source: str


@dataclass(frozen=True, kw_only=True)
class RoadTable:
    """How far it is by road, and how long it takes to drive, from each place to each other.

    source:          what measured it, with the date of its map if that is known, such as "osrm 2026-05"
    metres, seconds: a row for each place where a drive begins; None: there is no road, or it is not known
    """

    source: str
    metres: tuple[tuple[int | None, ...], ...]
    seconds: tuple[tuple[int | None, ...], ...]


@dataclass(frozen=True, kw_only=True)
class RoundParticipant:
    """Somebody with goods in a round whose cost is shared, as the round's statement has them. Amounts are cents.

    name:   a number; the driver is "1"
    alone:  what they would spend without the round
    detour: by how much the round is cheaper without the stops that only they need; 0 for the driver
    """

    name: str
    alone: int
    detour: int
    is_driver: bool


@dataclass(frozen=True, kw_only=True)
class CostRule:
    """A rule that shares the cost of a round.

    id:          a name and a version, such as "by_heads/1"; a rule that shares otherwise gets another version
    label:       what a carrier chooses, such as "Everybody pays the same"
    description: what else they should know, in one line
    share:       from the cost in cents and the participants, in the order in which they booked, the cents of each by
                 their names, or None if the rule has no answer for them, such as where driving together saves nothing.
                 It must depend on its arguments alone, since every reader of a statement works it out.
    """

    id: str
    label: str
    description: str
    share: Callable[[int, Sequence[RoundParticipant]], Mapping[str, int] | None]


@dataclass(frozen=True, kw_only=True)
class IdentityProvider:
    """A place elsewhere where people have accounts, with which they log in here.

    id:    unique within its plugin, in small letters, digits and dashes; it is part of the address to which the
           provider sends browsers back: ``/login/with/<plugin>/<id>/back``
    label: its name, such as "Coop de la Loire"; it stands on the button
    founds_accounts: somebody whom it proves, with a verified address that nobody here has, gets a new account
    """

    id: str
    label: str
    founds_accounts: bool = False


@dataclass(frozen=True, kw_only=True)
class LogInAttempt:
    """One try to log in at a provider. It counts once, for ten minutes, in the browser that began it.

    provider: the `IdentityProvider.id`
    back:     the full URL to which the provider sends the browser back, without a query
    language: of the visitor, "fr"

    Three random texts of 43 letters, digits, ``-`` and ``_``, the same at both hooks. None can be told from another:

    state:    must come back as the parameter `state`; the core has checked it
    nonce:    must come back within what the provider has signed; the plugin checks it
    verifier: stays here until the plugin itself asks the provider (PKCE, RFC 7636)
    """

    provider: str
    back: str
    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    language: str = "en"


@dataclass(frozen=True, kw_only=True)
class ProvenIdentity:
    """Who somebody is, as a provider has proved.

    issuer, subject: together they name the account for ever; addresses and names may change, and prove nothing
    label:           what its owner calls it: an address or a name; only shown to them
    verified_email:  an address that the provider has verified; "": none, or only a claim
    name:            for a new account; "": not known
    session:         what the provider calls its own session, by which it says later that it has ended; "": not known
    """

    issuer: str
    subject: str
    label: str = ""
    verified_email: str = ""
    name: str = ""
    session: str = ""


@dataclass(frozen=True, kw_only=True)
class DemoPlace:
    """The hub for which a plugin fills its part of the demo region."""

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
    """A format in which platforms exchange data about food.

    id:         such as "dfc-2.0"
    media_type: in requests and answers, with its parameters, if any
    asks:       the header `Accept` that asks for it; "": the media type
    write:      encodes things, and lists of their names by the names of the lists. A thing is a value with an `iri`,
                and with fields that are named after DFC's terms
    read:       decodes bytes into a DFC document (JSON-LD, as plain objects); None: the bytes are such a document
                already. Raises `ValueError` for bytes that it does not understand
    """

    id: str
    media_type: str
    write: Callable[[Sequence[Any], Mapping[str, Sequence[str]]], bytes]
    read: Callable[[bytes], Any] | None = None
    asks: str = ""


@dataclass(frozen=True, kw_only=True)
class DemoStory:
    """tries: what a visitor may try, one sentence each
    tell:  acts the story out over HTTP and returns what went wrong; empty if all is well
    """

    tries: Sequence[str]
    tell: Callable[[DemoRun], Sequence[str]]
