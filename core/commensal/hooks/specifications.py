"""The specifications of all hooks, in the order of an instance's life. Each is used by at least one bundled plugin.

Implementations may take fewer arguments than the specification has; they are passed by name. Besides those listed,
every hook of an enterprise may take `settings`, the enterprise's settings for this plugin as the class that
`enterprise_settings` returns, and every hook may take `instance_settings`, the operator's settings from the table
``[plugins.<id>]`` of instance.toml. `tx` is the current transaction: read and write through it, and never commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.routing import BaseRoute

from .contract import hook

if TYPE_CHECKING:
    import typer

    from ..api.endpoint import Endpoint
    from ..base.errors import Problem
    from ..base.fields import CustomerField, OrderField
    from ..base.own_scopes import OwnRole, OwnScope
    from ..enterprises.customers import Customer
    from ..instance import Instance
    from ..orders.values import Order
    from ..parts.approvals.proposing import ActKind
    from ..parts.privacy.personal_rows import DataSubject, KeptRows
    from ..parts.reports.values import Report
    from ..parts.supply.demand import SaleDemand
    from ..payments.values import Payment
    from ..pricing.values import Address, Adjustment, OrderDraft, Phase, WeightRule
    from ..products.fields import ProductField
    from ..products.values import SuppliedProduct
    from ..sale_sessions.values import SaleSession
    from ..stock.lots import StockLot
    from ..storage.database import Transaction
    from ..storage.jobs.registry import Work
    from .values import (
        ChangedBy,
        ClosedDemand,
        ConsentRequest,
        CostRule,
        DemoNetwork,
        DemoPlace,
        DemoStory,
        Dialect,
        Event,
        FoundPlace,
        IdentityProvider,
        LogInAttempt,
        MenuItem,
        Notice,
        OfficePage,
        PagePart,
        PaymentHold,
        PaymentMethod,
        PaymentStart,
        PaymentUpdate,
        PlannedRound,
        ProvenIdentity,
        RoadPoint,
        RoadTable,
        RoundsTask,
        ShapedGoods,
        ShippingOption,
        ShopPage,
        Threshold,
        WebhookRequest,
    )

# ------------------------------------------------------------------------------------------------ startup


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def instance_settings() -> type | None:
    """The class of the operator's settings for this plugin, in the table ``[plugins.<id>]`` of instance.toml.

    Return a frozen dataclass whose fields all have defaults. Unknown keys and wrong types are refused; a ValueError
    from ``__post_init__`` stops the start with its text.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def enterprise_settings() -> type | None:
    """The class of an enterprise's settings for this plugin.

    Return a frozen dataclass whose fields all have defaults. Unknown keys and wrong types are refused; the text of a
    ValueError from ``__post_init__`` is shown to the person who changes the settings.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def migrations() -> Path | None:
    """The folder of Alembic revisions that create the plugin's tables.

    They form a line of their own, with their own table of versions. All tables are named ``<id>_…``; a revision that
    changes any other table is refused. Tables may refer to tables of the core; the core never refers to them. They stay
    when the plugin is disabled; ``commensal plugin drop <id>`` drops them.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def endpoints() -> Sequence[Endpoint] | None:
    """Endpoints of the JSON API under ``/api/-/<id>/``: what a `Routes` has collected. The OpenAPI document has them.

    A function below ``@routes.post("/enterprises/{enterprise}/returns", scope="orders:write")`` takes the `Call`, by
    name the parts of the path that stand in braces, and `body` and `query`, subclasses of `Body`, if it has them. What
    it returns is the JSON of the response, and its docstring is the description. An unsafe method runs in one
    transaction, `call.tx`; what it raises undoes all. Repeated with its `Idempotency-Key`, a request gets the stored
    response.

    Whoever calls must hold the scope at the enterprise, or without ``{enterprise}`` be anybody ("public"), logged in
    ("self") or an "operator". A scope is one of the plugin's `scopes` or of the core: "audit:read", "catalogs:read",
    "catalogs:write", "customers:read", "customers:write", "demand:read", "enterprise:read", "enterprise:write",
    "grants:read", "grants:write", "members:read", "members:write", "orders:pack", "orders:read", "orders:write",
    "payments:read", "payments:take", "payments:write", "plugins:write", "products:read", "products:write",
    "sales:read", "sales:write".
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def routes(instance: Instance) -> Sequence[BaseRoute] | None:
    """Pages of the plugin: Starlette routes, mounted at ``/-/<id>/``, or at ``/`` if the plugin is the `front`."""
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def fixed_routes(instance: Instance) -> Sequence[BaseRoute] | None:
    """Starlette routes at paths that are fixed, whatever plugin is the `front`.

    That is for paths that a standard defines, ``/.well-known/…`` (RFC 8615), ``/webid``, ``/api/dfc/…``, and for pages
    whose address people type, ``/office``. Everything else belongs under ``/-/<id>/``. A path that two plugins claim,
    or that the core has, stops the start.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def dialects() -> Sequence[Dialect] | None:
    """Formats of catalogues and orders for other platforms.

    A platform that asks for the media type of a dialect gets its answer in this dialect, and its own documents of this
    media type are read by it. The default is DFC 1.16.
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


@hook(scope="instance", returns="each", where="startup", on_error="raise", since="0.2")
def peer_documents() -> Mapping[str, Any] | None:
    """Documents that peers may fetch by a signed request, as they are at that moment.

    For what must be forgotten, such as telephone numbers: messages are kept as evidence, documents by nobody. Return
    each `PeerDocument` of `commensal_federation.messaging` by its name, which begins with ``<id>.``. A peer without the
    scope is refused, and so is everybody for whom the document's function raises `NotFound`.
    Asked only where the federation is enabled.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="skip", since="0.2")
def product_fields() -> Sequence[ProductField] | None:
    """Fields that this plugin adds to every product.

    A field is typed by its `kind` and validated by its limits. Producers set it over the API, under ``plugin_fields``
    and the plugin's id, and in product lists, in a column headed by the field's label. With ``shown="line"``,
    "badge" or "detail" the shop shows it, and everybody may read it. Unless ``copied=False``, peers and platforms are
    told it, under ``own:<id>.<name>`` in DFC; peers keep it where they have the plugin too, and it moves with the
    enterprise. Values of a plugin that is switched off stay, and are not shown.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="skip", since="0.2")
def order_fields() -> Sequence[OrderField] | None:
    """Fields that this plugin adds to orders of the enterprises that use it.

    A field is typed and validated like one of a product. It is set and read over the API, under ``plugin_fields`` and
    the plugin's id. With ``asked`` the checkout asks the customer for it: with every order, or only with one that is
    delivered to an address; if it is ``required``, no customer's order is placed without it. Price rules read it in
    `order.plugin_fields`. The customer reads it on the order's page; the shop also in its lists and reports, in the
    field "further details". Values are personal: they are part of a person's data, and erased with it. They are not
    told to peers.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="skip", since="0.2")
def customer_fields() -> Sequence[CustomerField] | None:
    """Fields that this plugin adds to what enterprises that use it write of their customers.

    A field is typed and validated like one of a product, and set and read over the API, under ``plugin_fields`` and the
    plugin's id. Reports show it in the field "further details" of customers, and with the orders of these customers in
    the field "of the customer". Values are personal: part of a person's data, erased with it, not told to peers.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise", since="0.2")
def scopes() -> Sequence[OwnScope] | None:
    """Scopes of the plugin's own, where none of the core fits. Its endpoints, office pages and reports demand them.

    A name is the plugin's id and a word, like "transport:drive". Owners hold all, other members those that name their
    role, or that an owner gives them on the page "Team". Grants to other enterprises give none. Tokens hold those that
    they name. Without the plugin nobody holds them.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise", since="0.2")
def roles() -> Sequence[OwnRole] | None:
    """Roles of the plugin's own, where each of the core gives too much: a driver, who sees trips and no customers.

    A name is the plugin's id and a word, like "transport:driver". A role holds the scopes that it names, of the core
    and of this plugin, and what all members read; never those that only owners hold. Owners give it on the page "Team"
    of enterprises that have switched the plugin on, or over the API. Without the plugin it gives nothing at all.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise", since="0.2")
def mail_kinds() -> Mapping[str, str] | None:
    """What the office calls the e-mails that the plugin sends by `mail_customer`: texts, for `translate`, by kind.

    A kind begins with the plugin's id and an underscore: ``{"bank_transfer_arrived": "transfer has arrived"}``.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise", since="0.2")
def mail_placeholders() -> Mapping[str, str] | None:
    """Names for which a hub's own text in e-mails gets a value, each with what the office calls it, for `translate`.

    A name begins with the plugin's id and an underscore: ``{"account_balance": "what is on the customer's account"}``.
    The text is the note on a sale. A line with ``{account_balance}`` stands in e-mails alone, and there only if
    `placeholder_values` has a value. The office lists the names beside the field, and refuses those that nobody knows.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise")
def jobs() -> Work | None:
    """Handlers of the plugin's jobs, and its periodic work.

    Every kind and every name begins with ``<id>.``. A handler may get the same job twice.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="nothing", where="startup", on_error="raise")
def commands(app: typer.Typer) -> None:
    """Shell commands: add them to `app`; they are called ``commensal <id> …``."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="one", where="outside", on_error="raise", timeout=20.0)
def check_settings(instance: Instance, enterprise_id: str) -> Sequence[Problem] | None:
    """Tries new settings before they are stored, and again for ``commensal check``: does the provider accept the key?

    Ask addresses that people type through `http_client(instance)`, and others as the provider's library does.

    Not called for settings that the plugin's class refuses. A problem with the code `OFFERS_NOTHING`, of settings that
    are sound and offer nothing to anybody yet, refuses new settings alone; ``commensal check`` leaves it to the hub.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="transaction", on_error="raise", since="0.2")
def switched_on(tx: Transaction, enterprise_id: str) -> None:
    """An enterprise switches the plugin on: prepare what it needs to be useful at once.

    Runs in the transaction that does so, also when it was on before, so expect rows of that time. Raise `Refused` to
    keep it off, with the reason. Not called when settings change.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="transaction", on_error="undo", since="0.2")
def switched_off(tx: Transaction, enterprise_id: str) -> None:
    """An enterprise switches the plugin off: end what would go on without it, and keep what it may want again.

    Runs in the transaction that does so; afterwards its settings are deleted. Raise `Refused` to keep it on while
    people would lose something, with what to do first. A plugin that fails is switched off all the same. Not called
    when the operator takes the plugin out of the instance.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="transaction", on_error="raise", reads=True, since="0.2")
def move_obstacles(tx: Transaction, enterprise_id: str) -> Problem | None:
    """Why this enterprise cannot move to another instance now: what is under way here and would have no end.

    Called when the move is offered, and again before the enterprise is handed over; its people read the text. What
    ends by itself, or moves along, is not an obstacle. Also called for enterprises that do not use the plugin any more.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="outside", on_error="skip", timeout=20.0)
def warnings(instance: Instance) -> Sequence[Problem] | None:
    """Problems that the operator should know, each with what to do; ``commensal check`` prints them.

    A plugin that fails or takes too long is skipped.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="transaction", on_error="skip", reads=True, timeout=60.0, since="0.2")
def invariants(tx: Transaction) -> Sequence[Problem] | None:
    """What does not add up in the plugin's own tables: a balance that is not the sum of its ledger.

    For ``commensal check``, after an upgrade, and after each test with a `Shop`. Return a problem for each mismatch, by
    a constant number of statements; nothing that people cause by using the plugin may be one. `tx` only reads. A plugin
    that fails is skipped.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="transaction", on_error="skip", reads=True, timeout=2.0, since="0.2")
def health_reasons(tx: Transaction, instance: Instance) -> Sequence[Problem] | None:
    """Reasons why the instance is degraded now, each with what to do, for ``/-/health`` and ``commensal check``.

    Monitors ask every few seconds, so return only conditions that an operator should look at today, by a few cheap
    queries or small files of the instance's folder, and nothing else: other problems are for `warnings`. `tx` only
    reads. A plugin that fails is skipped.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ pages, reports


@hook(scope="instance", returns="each", where="transaction", on_error="skip", reads=True, timeout=2.0)
def menu_items(tx: Transaction, person_id: str | None, language: str) -> Sequence[MenuItem] | None:
    """Links in the menu of every page, for this reader (None: not logged in). `tx` only reads.

    A plugin that fails is skipped. Pages wait two seconds for all plugins together, and omit links that are late.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True, timeout=2.0, since="0.2")
def page_parts(
    tx: Transaction,
    page: str,
    enterprise_id: str,
    scopes: frozenset[str],
    language: str,
    subject: str,
    subjects: Sequence[str],
    order: OrderDraft | None,
    person_id: str | None,
) -> Sequence[PagePart] | None:
    """Parts of a page of the office or the shop, in lines of text, each perhaps with a link.

    `page` is its name in the office: "week" is the first page, "begin" the first steps of a new hub, "settings" its
    settings, "money" the page of the treasurer, "close" what is missing before the books of a sale are closed, "open"
    what was not settled at the end of the day `subject` (ISO 8601), of which urgent lines stand on the first page too,
    "bring" what a producer brings to hubs, "sale", "order", "customer" and "product" one of each, whose id is
    `subject`, "suppliers" who is to be paid for the sale `subject`, "receive" what comes for it; elsewhere it is "".
    "products" is the list of goods with their prices and stock.
    `scopes` are what the reader may do at the enterprise: return nothing that they may not read.

    Pages of the shop are "shop/hub", "shop/sale", "shop/product" (one product of a sale), "shop/cart", "shop/checkout",
    "shop/order" and "shop/account"; their `subject` is the enterprise, the sale session (of "shop/product" the
    product), the order, or the reader as the enterprise's customer. Customers read them, so `scopes` is empty;
    `person_id` is who is logged in. `order` is the basket as it is priced now, in the cart and at the checkout.
    `subjects` are the products that "shop/sale", "shop/product" or the office's "products" show: a part whose `subject`
    is one of them stands on its row, each line as a label, or as a fact if it has a `detail`. The hook is called once
    for a page, however many products it shows. What a part has in `head` stands in the page's head, for search engines
    and other programs.

    `tx` only reads. A plugin that fails is skipped. Pages of the shop wait two seconds for all plugins together, and
    omit parts that are late.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise", since="0.2")
def office_pages() -> Sequence[OfficePage] | None:
    """Pages that the plugin adds to the office of each enterprise that has switched it on, or for operators.

    They have the office's frame, navigation and address; the office asks for the scope before it calls the plugin.
    Lead people there by a line of `page_parts`, or by the `link` of a page.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise", since="0.3")
def act_kinds() -> Sequence[ActKind] | None:
    """Kinds of acts by which money leaves an enterprise, or could, that ask for a second person where it has two.

    Whoever has the act calls `propose` instead of doing it where `needs_second_person`; the office shows what waits,
    and `perform` of the kind does it in the transaction in which another person agrees.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise", since="0.2")
def shop_pages() -> Sequence[ShopPage] | None:
    """Pages that the plugin adds to the shop of each enterprise that has switched it on.

    They have the shop's frame, and stand below ``/hubs/<name>/``. Everybody may open them, so show nothing personal but
    what belongs to the visitor, and let forms prove what they claim. Lead people there by a line of `page_parts`.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True)
def order_links(tx: Transaction, order: Order, page: str, language: str) -> Sequence[MenuItem] | None:
    """Links on the page of an order, for its customer: a calendar, a document. `tx` only reads.

    `page` is the path of that page, "/orders/<id>" or "/orders/guest/<secret>": a plugin can build an address from it
    that opens for the same reader with the same key. A plugin that fails is skipped.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True, timeout=2.0, since="0.2")
def mail_parts(tx: Transaction, order: Order, kind: str, language: str) -> Sequence[PagePart] | None:
    """Parts of an e-mail about an order, below what was ordered: lines of text under a title, each perhaps with a link.

    `kind` is "order_placed", "order_changed", "order_cancelled", "order_final", "order_reminder", "order_ready",
    "order_to_pay", "order_refunded", "order_not_collected", "order_moved", "order_unconfirmed" or "order_unpaid", or
    that of a `mail_customer`. A link is a path of this instance, or an address that begins with "https://". A guest may
    have typed the address of somebody else: if `order.customer_id` is None, write nothing about the customer. `tx` only
    reads. A plugin that fails is skipped.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True, timeout=2.0, since="0.2")
def placeholder_values(
    tx: Transaction, order: Order, names: frozenset[str], kind: str, language: str
) -> Mapping[str, str] | None:
    """The values of this plugin's `mail_placeholders` in an e-mail about an order, in `language`: text on one line.

    `names` are those that the hub's text has, of all plugins. Leave out what has no value for this order: so is its
    line. `kind` is as in `mail_parts`. A guest may have typed the address of somebody else: if `order.customer_id` is
    None, tell nothing about the customer. `tx` only reads. A plugin that fails is skipped.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True)
def reports(tx: Transaction, enterprise_id: str, language: str) -> Sequence[Report] | None:
    """Reports that an enterprise may run, each with its columns, its parameters, and a function that yields its lines.

    `tx` only reads, and has ended when the report runs: the function gets a snapshot of its own then, and no settings,
    which `functools.partial` can bind. The office lists reports under "Lists and reports", the API gives them at
    `/api/enterprises/<id>/reports/<plugin>/<report>?format=csv` (or xlsx, html, pdf, jsonl), `commensal report` in the
    shell. A plugin that fails is skipped.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ people


@hook(scope="instance", returns="each", where="transaction", on_error="raise", reads=True, timeout=20.0)
def person_data(tx: Transaction, person: DataSubject) -> Sequence[KeptRows] | None:
    """Data about a person that the core cannot find, for the archive of their data that they may download.

    Rows whose foreign keys lead to a person, a customer, an order or a payment are in it anyway. Leave secrets out.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="nothing", where="transaction", on_error="raise", timeout=20.0)
def erase_person(tx: Transaction, person: DataSubject) -> None:
    """Erases the data about a person that the core cannot find, in the transaction that forgets the person.

    The core blanks columns that are marked `PERSONAL` in rows whose foreign keys lead to the person. Raise `Refused` if
    something must be settled first, and say what.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise", since="0.2")
def identity_providers() -> Sequence[IdentityProvider] | None:
    """Places elsewhere with whose accounts people log in here: the co-operative's own log-in (OpenID Connect, SAML).

    Each has a button on the page to log in, and on the page of one's account, where its owner connects and disconnects
    it. The plugin also implements `start_log_in` and `prove_identity`. Whose account here an identity belongs to is
    decided by the core: see `core/commensal/parts/accounts/log_in_elsewhere.py`.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="one", where="outside", on_error="raise", timeout=30.0, since="0.2")
def start_log_in(instance: Instance, attempt: LogInAttempt) -> str:
    """The URL of the provider to which the browser is sent. It begins with ``https://``, or ``http://`` where the
    operator allows it. Raise `Refused` if the provider does not answer: the visitor may log in otherwise.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="one", where="outside", on_error="raise", timeout=30.0, since="0.2")
def prove_identity(instance: Instance, attempt: LogInAttempt, answer: Mapping[str, str]) -> ProvenIdentity:
    """Who the visitor is, proved by the parameters with which the provider has sent the browser back (`answer`).

    Anybody can send any parameters: believe only what the provider has signed, for this client and with the attempt's
    `nonce`, or what it answers when the plugin itself asks, through `http_client(instance)`. Raise `Refused` for
    everything else, with a text for the visitor that gives nothing away.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="outside", on_error="skip", timeout=10.0, since="0.2")
def log_out_elsewhere(instance: Instance, provider: str, back: str, language: str) -> str | None:
    """Where somebody who has logged out here logs out at the provider, too; None if it offers that nowhere.

    `provider` is its id as in `identity_providers`, `back` the full URL of this site to which it may send the browser
    afterwards. The page that follows a log-out offers the URL as a link: nobody is sent there. It begins with
    ``https://``, or ``http://`` where the operator allows it.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ a sale


@hook(scope="enterprise", returns="nothing", where="transaction", on_error="raise")
def sale_copied(tx: Transaction, source: SaleSession, copy: SaleSession, timezone: str) -> None:
    """A sale session was copied, by hand or by its rhythm: copy the plugin's data for it as well.

    Runs in the transaction that creates the copy. `timezone` is the shop's IANA time zone: move times by the difference
    of the two `begins_at` in local time.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="transaction", on_error="raise", since="0.2")
def sale_moved(tx: Transaction, before: SaleSession, session: SaleSession, timezone: str, orders_follow: bool) -> None:
    """The distribution of a sale session has other times now: `before` are the old ones, `session` the new ones.

    Move the plugin's own times along: `moved_along` tells how slots move. With `orders_follow` those that orders hold
    move as well, and the core tells their customers; raise `Conflict` if one of them cannot move. Otherwise leave them
    where they are. Runs in the transaction that moves the sale. `timezone` is the shop's IANA time zone.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="transaction", on_error="raise", reads=True, since="0.3")
def payment_holds(tx: Transaction, enterprise_id: str, session_id: str) -> Sequence[PaymentHold] | None:
    """Suppliers that are not to be paid for this sale by a file for the bank, for a reason that the plugin knows: the
    order between two instances comes to another sum than the books of the one that pays.

    A plugin that fails fails the question: nobody is paid by sums that nobody has compared.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="transaction", on_error="raise", reads=True, since="0.2")
def demand_elsewhere(tx: Transaction, enterprise_id: str, since: datetime) -> Sequence[SaleDemand] | None:
    """What this enterprise is to bring as a supplier to sales of other instances that the plugin knows of.

    Return sums without customers, of distributions that begin after `since` or at an unknown time, each with the
    plugin's id as its `origin`, in a constant number of statements. A plugin that fails fails the question: a producer
    who trusts incomplete sums brings too little.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="transaction", on_error="raise", reads=True, since="0.2")
def ordered_by_plugin(tx: Transaction, enterprise_id: str, supplier_ids: Sequence[str]) -> Sequence[str] | None:
    """Those of these suppliers to whom the plugin itself sends the orders of the shop `enterprise_id`.

    The core sends them no purchase order: they are producers of another instance or platform, and what is here is a
    copy. A plugin that fails is asked again by a later try of the job that tells the supplier.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True, since="0.2")
def demand_shaping(tx: Transaction, demand: ClosedDemand, language: str) -> Sequence[ShapedGoods] | None:
    """What is to be ordered of a supplier instead of what customers have ordered: whole crates, or nothing below its
    minimum.

    Called when the supplier's part in a sale has closed, before its order is fixed and mailed, and for the page on
    which the shop looks at it before; the same demand must get the same answer. Return only what changes; of several
    plugins, the first one decides about a product. Less than customers have ordered is taken off their orders by the
    shop's policy, as a shortage is; where it decides by hand, nothing changes. More than they have ordered cannot be
    ordered. A plugin that fails is skipped: the sale closes, and what customers have ordered is ordered.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="outside", on_error="skip", timeout=30.0, since="0.2")
def plan_rounds(instance: Instance, task: RoundsTask) -> Sequence[PlannedRound] | None:
    """Which vehicle carries which loads, so that all together drive least: the answer of a solver or of a service.

    Return None if the plugin cannot plan here, such as where a library is missing; the next plugin is asked then. What
    is returned is a proposal: whether loads fit, come in time and save anything is worked out again. A load that no
    round has travels otherwise. The task names nobody.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="outside", on_error="skip", timeout=5.0, since="0.2")
def geocode(instance: Instance, address: Address) -> FoundPlace | None:
    """Where the address of a hub, a producer or a place to collect is: the answer of a map, a list or a service.

    Called when somebody has saved it without coordinates, who then sees what was found and decides; nothing is stored
    before. Return None for an address that is not found for certain, and where nothing is configured; the next plugin
    is asked then. `address.country` is always there. Never called with the addresses of customers. Ask services through
    `http_client(instance)`, which limits time and size: somebody waits for the page.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="outside", on_error="skip", timeout=30.0, since="0.2")
def distances(instance: Instance, points: Sequence[RoadPoint]) -> RoadTable | None:
    """How far it is by road between each two of these places, at most 50: the answer of a map or of a service.

    Return None if the plugin cannot measure here, such as where nothing is configured; the next plugin is asked then.
    Asked by a job, and kept: pages never wait for it. What is not measured counts as the great circle times 1.3. Ask
    services through `http_client(instance)`, which limits time and size.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="transaction", on_error="skip", reads=True, since="0.2")
def share_costs(tx: Transaction, language: str) -> Sequence[CostRule] | None:
    """Rules by which carriers may share the cost of a round, beside those of transport.

    They share costs; carriage for hire has a posted price. A statement names the rule as `plugin:id`, and nobody books
    a trip whose rule is not known to their instance. What `share` returns must name each participant, in cents that
    add up to the cost; else, and if it raises, the plugin has failed, and no guest is taken aboard. What was confirmed
    stands above it: nobody pays more than their price at the booking, and the driver bears what is left.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ an order


@hook(scope="enterprise", returns="each", where="transaction", on_error="raise", reads=True)
def price_adjustments(tx: Transaction, order: OrderDraft, phase: Phase) -> Sequence[Adjustment] | None:
    """Additions to, or deductions from, the price of this order in this phase. `tx` only reads.

    Called once for each phase, for a quote and again inside the transaction that places or changes the order. The
    answer must depend only on the arguments and the database, because the total is compared with the one the customer
    saw. Not called for drafts whose price is not needed. `settle_adjustments` takes what an adjustment uses up.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True, timeout=2.0, since="0.2")
def order_thresholds(tx: Transaction, order: OrderDraft, language: str) -> Sequence[Threshold] | None:
    """Sums of goods from which this order would cost less, for the customer to see while shopping. `tx` only reads.

    Return those that the order has not reached yet. `order` has its prices; its shipping is not chosen yet, or is "".
    A plugin that fails is skipped.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True, timeout=2.0, since="0.3")
def weight_rules(tx: Transaction, order: OrderDraft) -> Sequence[WeightRule] | None:
    """How all adjustments of this plugin on a placed order follow from what its goods weigh. `tx` only reads.

    By these rules the telephone of the hand-out says what is due without a network, exactly as `price_adjustments` will
    when the weights arrive. `order` has the adjustments that it bears now, and no address, person or e-mail. Return a
    rule for each of yours, `WeightRule.fixed` for one that no weight changes; None if you cannot say: then the
    telephone shows that the amount is about right. Called for each order of a list, so use no statement if you can.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True, timeout=2.0, since="0.2")
def takes_codes(tx: Transaction, enterprise_id: str) -> bool | None:
    """Tells whether a customer of this shop may have a code of this plugin, such as that of a voucher. `tx` only reads.

    The checkout has a field for codes if one plugin says True. Codes are taken all the same, by links and over the API.
    A plugin that fails is skipped.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True, timeout=2.0, since="0.2")
def adjustment_names(tx: Transaction, enterprise_id: str, language: str) -> Mapping[str, str] | None:
    """What adjustments of this plugin are called in `language`, by the labels that orders have. `tx` only reads.

    An order keeps the label that its customer reads. Reports of the shop put orders of all languages together, so that
    a fee is one line. A plugin that fails is skipped.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="transaction", on_error="raise")
def settle_adjustments(
    tx: Transaction, order: OrderDraft, before: Sequence[Adjustment], after: Sequence[Adjustment]
) -> None:
    """Takes what this plugin's adjustments use up (a budget, a gift card, a limited number of uses), or returns it.

    Runs in the transaction that places, changes or cancels the order, when its price is final. `before` are the order's
    adjustments by this plugin until now (none when it is placed), `after` the new ones (none when it is cancelled).
    Take by one guarded UPDATE; raise `Conflict` if there is not enough. Not called if both are empty.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="raise")
def order_problems(tx: Transaction, order: OrderDraft, total: int, before: int) -> Sequence[Problem] | None:
    """Reasons to refuse this order: each problem names its field, and the order is refused with all of them.

    Runs in the transaction that places or changes the order, when its price is final: `total` is what the customer will
    pay, in minor units, `before` the total until now (0 for a new order). Lock the rows on which the decision depends.
    Not called for quotes, for cancellations, or for orders that the hub enters on a customer's behalf.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="raise", since="0.2")
def order_changing(tx: Transaction, order: OrderDraft, before: Order | None, by: ChangedBy) -> Sequence[Problem] | None:
    """Reasons to refuse a change of an order, whoever makes it: what a van can carry, where it can go.

    Runs in the transaction that places the order (`before` is None) or changes its goods, weights, shipping, address,
    codes or way to pay. `by` says who does: "customer", "hub", or "scales" for weights that were measured: refuse
    those only if they cannot be true. Each problem names its field, and nothing is changed. Lock the rows on which the
    decision depends. Compare with `before`: an order that was accepted under other rules should stay as it is until
    what the rule is about changes. Rules that the hub may break are for `order_problems`. Not called for quotes and
    cancellations.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True)
def consent_requests(tx: Transaction, order: OrderDraft, language: str) -> Sequence[ConsentRequest] | None:
    """Uses of this order's data that need its customer's consent: a checkbox for each at the checkout, never ticked.

    Customers who do not consent get the same goods at the same price. Called for quotes and for the page of an order
    that can be changed, and again in the transaction that stores the consent with its text; `order.id` is "" in a
    quote. A consent can be withdrawn at any time, which calls `order_changed`: read `agreed_parts` before each use. A
    plugin that fails is skipped.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True)
def shipping_options(
    tx: Transaction,
    enterprise_id: str,
    session_id: str,
    language: str,
    address: Address | None,
    order: OrderDraft | None,
) -> Sequence[ShippingOption] | None:
    """Ways for the goods of this sale session to reach the customer, with the places left of each. `tx` only reads.

    `address` is the customer's, if it is known: list the options that serve it. Without one list all options, also
    those that an order has booked already, and mark those that need one (`needs_address`).

    `order` is the basket of a quote: its lines, codes and address, without adjustments. List the options that may
    carry it, each with its price for it; what weighs too much or costs too little is refused again by `book_shipping`
    and `order_changing`. None where nothing is quoted, as for an order that is placed already, or a setting that names
    an option: list all options then. A plugin that fails is skipped.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="one", where="transaction", on_error="raise")
def book_shipping(tx: Transaction, order: OrderDraft, option: str, language: str) -> ShippingOption:
    """Books a place for this order, or raises `Refused` (the slot is full, the option belongs to another session).

    Runs in the transaction that places the order or changes its shipping; book by one guarded UPDATE. Not called if
    nothing but the address changes: `order_changing` is.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="one", where="transaction", on_error="raise")
def release_shipping(tx: Transaction, order_id: str, option: str) -> bool:
    """Releases what `book_shipping` booked. Called once for each booking, under the order's version.

    Runs when an order is cancelled or its shipping changes. Return whether something was released.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="outside", on_error="skip", timeout=3.0)
def bring_stock(instance: Instance, missing: Mapping[str, int]) -> bool | None:
    """An order found too little stock: bring what is `missing`, in grains by lot id, from elsewhere.

    Called between transactions while the customer waits, so be quick; afterwards the order is tried again, twice at
    most, since another lot may be short by then. Return whether anything came. Raise `Refused` to tell the customer
    why not: for example that a producer cannot be reached. Not called while every lot has enough.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ payments


@hook(scope="enterprise", returns="each", where="outside", on_error="skip")
def payment_methods(
    instance: Instance, enterprise_id: str, person_id: str | None, customer_id: str | None, language: str
) -> Sequence[PaymentMethod] | None:
    """Ways to pay at this shop, for a visitor or for an order.

    `person_id` is the visitor's account (None: not logged in). `customer_id` is the shop's customer, if their identity
    is proved or the shop orders for them; None for everybody else, whatever e-mail address they have typed. Offer
    methods that belong to a customer by `customer_id` only. Called again when a payment begins: a method that is not
    offered then is refused. A plugin that fails or takes too long is skipped.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="one", where="outside", on_error="raise", timeout=20.0)
def start_payment(
    instance: Instance, payment: Payment, method: str, order_number: int, email: str, return_url: str, language: str
) -> PaymentStart:
    """Begins a payment after the order is committed. `payment.id` is the idempotency key: if called twice, charge once.

    Only the plugin that offered the method is called; `method` is its id there. `return_url` is where the provider
    sends the customer back to. Raise `Refused` with a text for the customer if the provider refuses. That and any other
    error marks the payment Failed; the order stays, and the customer may choose again.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="undo", since="0.2")
def pay_from_credit(tx: Transaction, order: Order) -> bool | None:
    """Pays what is due for a changed order from what this plugin holds for its customer; True if it has.

    Runs in the transaction that changes the order, so that nobody asks the customer for money that the plugin takes
    anyway: in e-mails, at the hand-out. Pay only an order to be paid by a method of this plugin, or paid by it last,
    and of which no payment is under way: take `order.total - order.paid_total`, and record it by `receive_payment`.
    `order.customer_id` is None for customers who are not proven. Not called if nothing is due. If the plugin fails,
    what it wrote is undone, and the amount stays due.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="one", where="outside", on_error="raise", timeout=20.0)
def payment_webhook(instance: Instance, enterprise_id: str, request: WebhookRequest) -> Sequence[PaymentUpdate]:
    """The payments in a provider's message, which was received at ``/-/<id>/webhook/<enterprise>``.

    Verify the provider's signature, or raise `Refused`. The core applies each update once, if amount and currency are
    those of the payment. Any other error is answered with 500, so that the provider sends the message again.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="one", where="job", on_error="retry", timeout=20.0)
def payment_status(instance: Instance, payment: Payment) -> PaymentUpdate | None:
    """The present state of an open payment; called repeatedly while it is Started or Pending. None: no change.

    This makes up for lost messages and lost answers of the provider.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=20.0)
def cancel_payment(instance: Instance, payment: Payment) -> None:
    """Cancels an open payment at the provider, because the customer chose another way or the order was cancelled.

    Money that arrives all the same is recorded, and shown as owed to the customer.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="one", where="job", on_error="retry", timeout=20.0)
def refund_payment(instance: Instance, refund: Payment, payment: Payment) -> PaymentUpdate:
    """Refunds `refund.amount` minor units of a received payment through the provider.

    `refund.id` is the idempotency key. Return the state of the refund and the provider's reference for it.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="each", where="transaction", on_error="skip", reads=True, since="0.2")
def credit_target(tx: Transaction, enterprise_id: str, customer_id: str, language: str) -> str | None:
    """Where this plugin keeps money for the customer, in a few words, such as an account with its balance.

    None: nowhere. Shown where money was received that is for no order; then `credit_customer` may follow.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="transaction", on_error="raise", since="0.2")
def credit_customer(
    tx: Transaction, enterprise_id: str, customer_id: str, amount: int, note: str, person_id: str | None
) -> None:
    """Keeps `amount` minor units of the enterprise's currency for the customer, whose money was received.

    A negative amount takes back what was credited by mistake: raise `Conflict` if it is spent. Runs in the transaction
    that records the money, once for each movement. `note` says where it came from, `person_id` who recorded it. Raise
    `Refused` if nothing is kept for this customer.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ channels


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=20.0, since="0.2")
def send_notice(instance: Instance, order: Order, notice: Notice) -> None:
    """Sends a notice about an order to its customer by a channel of the plugin's own: SMS, Matrix, an app.

    Called after the e-mail of the same kind has left, at least once, only for customers with an account who have agreed
    with this order to the plugin's `ConsentRequest` "notices" and have not withdrawn it. What customers cause by
    placing, changing and cancelling is told once an hour, other kinds once an hour for each order; the e-mail has left
    all the same. Secrets and log-ins are never sent this way.

    `order.phone` is a mobile number of the enterprise's country in E.164 that the customer has proven, or empty. The
    proof is a notice of the kind "phone_code": send its text to `order.phone`, and nowhere else, or ignore it if the
    channel uses no telephone numbers. A person and a number get one code a day, a hub sends 50 at most.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ what happened
# Called after the commit, by one job for each plugin and event, at least once. `event.id` is the same each time, and
# the other arguments are as they are when the job runs. Not called if the enterprise has switched the plugin off.


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def order_placed(instance: Instance, event: Event, order: Order) -> None:
    """An order was placed, by a customer or by the hub. Not called for carts."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def order_changed(instance: Instance, event: Event, order: Order) -> None:
    """An order's lines, shipping or total have changed: by an edit, by weighing, or by a substitute.

    Not called for payments, or when the sale is over and its orders become Complete.
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
def order_paid(instance: Instance, event: Event, order: Order) -> None:
    """A payment has covered what an order costs. Called again when its price has risen and the rest is paid.

    Not called for an order that costs nothing, or whose price falls to what was paid before.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0, since="0.2")
def customer_created(instance: Instance, event: Event, customer: Customer) -> None:
    """The enterprise has a new customer: by a first order, or because a member or a list added them.

    A guest may have typed the address of somebody else: without a `person_id` nobody has proved that it is theirs.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def payment_received(instance: Instance, event: Event, payment: Payment) -> None:
    """Money was received, and is in the journal."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def payment_refunded(instance: Instance, event: Event, payment: Payment) -> None:
    """Money was refunded, and is in the journal; `payment` is the refund."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def payment_failed(instance: Instance, event: Event, payment: Payment) -> None:
    """A payment has failed: its provider refused it, or the payer gave up. `payment` may be a refund (`kind`)."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def sale_planned(instance: Instance, event: Event, sale: SaleSession) -> None:
    """A shop takes part in a new sale, made by a person or by the rhythm of the one before. Its goods may follow."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def sale_cancelled(instance: Instance, event: Event, sale: SaleSession) -> None:
    """A sale in which a shop takes part was cancelled, before anybody had ordered there."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def sale_opened(instance: Instance, event: Event, sale: SaleSession) -> None:
    """A shop's sale has opened. Called a minute or two later at most; whether a sale is open depends on time alone."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def sale_completed(instance: Instance, event: Event, sale: SaleSession) -> None:
    """A shop's sale has closed and its orders are Complete."""
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def stock_changed(instance: Instance, event: Event, lot: StockLot) -> None:
    """The stock of a lot has changed, because somebody counted, harvested or wrote off.

    Not called for stock that orders take or give back.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0, since="0.2")
def stock_low(instance: Instance, event: Event, lot: StockLot) -> None:
    """A lot of this enterprise has run low: at most its `low_level` is free. Orders, lending or people took the rest.

    Called once until the lot is refilled: at once when people add goods, after a day when orders give some back. An
    enterprise is told at most once an hour, so it may be called up to an hour late. `lot` is as it is now. Not called
    for lots that are unlimited, have no `low_level`, or of which no product is offered any more.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0, since="0.2")
def sold_out(instance: Instance, event: Event, lot: StockLot) -> None:
    """An order has taken the last of a lot of this enterprise, at its own sale or at another one's.

    `lot` is as it is now. Called again when it has run out again. Not called for lots that are unlimited, that somebody
    has counted down to nothing (`stock_changed`), or of which more can be lent from elsewhere.
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0, since="0.2")
def product_changed(instance: Instance, event: Event, product: SuppliedProduct) -> None:
    """A product of this producer was created, changed, archived or restored, or its rate of VAT was set.

    Called whether or not somebody lists the product, and once for each product of an imported list. Not called for
    stock (`stock_changed`) or prices (`listing_changed`).
    """
    raise AssertionError("a specification is not called")


@hook(scope="enterprise", returns="nothing", where="job", on_error="retry", timeout=60.0)
def listing_changed(instance: Instance, event: Event, item_ids: Sequence[str]) -> None:
    """The enterprise's listing has changed: catalog items, their products, their prices, or who sees them.

    `item_ids` are catalog items of `event.enterprise_id`, at most 200; some may be deleted. Not called for levels of
    stock, but for a lot that became unlimited or counted.
    """
    raise AssertionError("a specification is not called")


# ------------------------------------------------------------------------------------------------ the demo region


@hook(scope="instance", returns="each", where="startup", on_error="raise", timeout=120.0)
def demo_network(network: DemoNetwork) -> DemoStory | None:
    """Prepares the instances of the demo for trade with each other: agreements, grants, sales. None of them serves yet.

    Plugins are called in the order of the settings, so those after the federation find peers. Return what a visitor may
    try, and a story that is acted out when all instances run.
    """
    raise AssertionError("a specification is not called")


@hook(scope="instance", returns="each", where="startup", on_error="raise", timeout=60.0)
def demo_data(tx: Transaction, place: DemoPlace) -> bool | None:
    """Fills the plugin's part of the demo region for one hub, with random data from `place.seed`."""
    raise AssertionError("a specification is not called")
