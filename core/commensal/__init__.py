"""What plugins may use: ``from commensal import …``. Whatever is not named here may change with any version.

A name is imported when it is first asked for: a command of the shell or a small plugin does not load the whole house.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api.cookies import clear_session, set_session
    from .api.endpoint import Body, Call, Endpoint, File, Page, Paging, Routes, changes, page_of
    from .catalogs.visible import VisibleOffer, offers_for
    from .cli.named import named_enterprise
    from .decoding import decode_text
    from .enterprises.customer_categories import list_categories
    from .enterprises.customers import customer_by_email, customer_by_id, customers_by_id
    from .enterprises.enterprises import (
        Enterprise,
        enterprise_by_id,
        enterprises_by_id,
        find_enterprise,
        list_enterprises,
    )
    from .enterprises.plugins import change_plugin, enabled_plugins, plugin_settings
    from .errors import Busy, Conflict, Invalid, NotFound, PluginError, Problem, Refused, Stale, Unauthorised
    from .hooks.contract import hookimpl
    from .hooks.values import (
        DemoPlace,
        Event,
        MenuItem,
        PaymentMethod,
        PaymentStart,
        PaymentUpdate,
        ShippingOption,
        WebhookRequest,
    )
    from .html import clean_html
    from .instance import Instance, open_instance
    from .jobs import Job, Periodic, Work, promise
    from .languages.catalogs import LANGUAGES, plural, say, translate
    from .languages.formats import format_moment, format_money, format_percent, format_quantity, format_span
    from .mail.to_enterprise import mail_enterprise
    from .money import LARGEST, Money, digits, half_up, read_amount
    from .orders.cancel import cancel_order
    from .orders.cart import cart_items, cart_of, carts_by_secret, empty_cart, fill_cart, open_cart
    from .orders.change import change_order
    from .orders.links import order_links
    from .orders.lock import locked_guest_order, locked_order
    from .orders.place import place_order
    from .orders.price import Choices
    from .orders.questions import order_by_id, order_by_secret, orders_by_id, orders_of_person
    from .orders.quote import Offered, quote_order
    from .orders.selling import known_customer, refuse_foreign_session
    from .orders.settle import read_codes
    from .orders.values import Order, Wish
    from .outbound.client import http_client, url_problem
    from .pages.page import page
    from .pages.visit import Visit
    from .payments.begin import start_payment
    from .payments.due import dues_by_number, owed_by_customer
    from .payments.giving_back import refund_by_provider
    from .payments.methods import payment_methods
    from .payments.payments import cancel_open, payments_of, receive_payment
    from .payments.values import Due, Payment
    from .people.confirmations import (
        ask_confirmation,
        ask_reset,
        confirm_email,
        email_of_reset,
        reset_password,
        sign_up,
    )
    from .people.email import read_email
    from .people.fingerprint import fingerprint
    from .people.log_in import check_password, log_in, wrong_password
    from .people.passwords import hash_password
    from .people.people import new_person, person_by_id
    from .people.sessions import log_out
    from .pricing.told import as_told
    from .pricing.values import CUSTOMER, Address, Adjustment, OrderDraft, Phase, PricedLine, Totals
    from .product_lists.read import guard
    from .products.questions import kinds_of
    from .reports.labels import label_parameters
    from .reports.look import Filter, Operator, columns_of, look
    from .reports.parameters import a_period, one_sale, own_pages
    from .reports.segments import SEGMENTS, Segment, segment
    from .reports.values import Chart, Choice, Column, Line, Parameter, Quantity, Query, Report, Series
    from .reports.vat import net_and_vat
    from .sale_sessions.openness import is_coming, is_open
    from .sale_sessions.questions import sale_by_id, sale_for, sales
    from .sale_sessions.rhythm import shifted
    from .sale_sessions.values import Sale, SaleSession
    from .search import search_key
    from .secret import Secret
    from .stock.lots import StockLot
    from .store import (
        Exact,
        Flag,
        Json,
        Time,
        Transaction,
        Whole,
        append_only,
        checked_in,
        edit_row,
        insert_once,
        insert_or,
        insert_rows,
        metadata,
    )
    from .store.append_only import append_only_ddl
    from .texts import read_text
    from .units.facets import ALLERGENS, LABELS
    from .units.measures import MEASURES
    from .units.product_types import lineage

_MODULES = {
    "ALLERGENS": "units.facets",
    "CUSTOMER": "pricing.values",
    "LABELS": "units.facets",
    "LANGUAGES": "languages.catalogs",
    "LARGEST": "money",
    "MEASURES": "units.measures",
    "SEGMENTS": "reports.segments",
    "Address": "pricing.values",
    "Adjustment": "pricing.values",
    "Body": "api.endpoint",
    "Busy": "errors",
    "Call": "api.endpoint",
    "Chart": "reports.values",
    "Choice": "reports.values",
    "Choices": "orders.price",
    "Column": "reports.values",
    "Conflict": "errors",
    "DemoPlace": "hooks.values",
    "Due": "payments.values",
    "Endpoint": "api.endpoint",
    "Enterprise": "enterprises.enterprises",
    "Event": "hooks.values",
    "Exact": "store",
    "File": "api.endpoint",
    "Filter": "reports.look",
    "Flag": "store",
    "Instance": "instance",
    "Invalid": "errors",
    "Job": "jobs",
    "Json": "store",
    "Line": "reports.values",
    "MenuItem": "hooks.values",
    "Money": "money",
    "NotFound": "errors",
    "Offered": "orders.quote",
    "Operator": "reports.look",
    "Order": "orders.values",
    "OrderDraft": "pricing.values",
    "Page": "api.endpoint",
    "Paging": "api.endpoint",
    "Parameter": "reports.values",
    "Payment": "payments.values",
    "PaymentMethod": "hooks.values",
    "PaymentStart": "hooks.values",
    "PaymentUpdate": "hooks.values",
    "Periodic": "jobs",
    "Phase": "pricing.values",
    "PluginError": "errors",
    "PricedLine": "pricing.values",
    "Problem": "errors",
    "Quantity": "reports.values",
    "Query": "reports.values",
    "Refused": "errors",
    "Report": "reports.values",
    "Routes": "api.endpoint",
    "Sale": "sale_sessions.values",
    "SaleSession": "sale_sessions.values",
    "Secret": "secret",
    "Segment": "reports.segments",
    "Series": "reports.values",
    "ShippingOption": "hooks.values",
    "Stale": "errors",
    "StockLot": "stock.lots",
    "Time": "store",
    "Totals": "pricing.values",
    "Transaction": "store",
    "Unauthorised": "errors",
    "VisibleOffer": "catalogs.visible",
    "Visit": "pages.visit",
    "WebhookRequest": "hooks.values",
    "Whole": "store",
    "Wish": "orders.values",
    "Work": "jobs",
    "a_period": "reports.parameters",
    "append_only": "store",
    "append_only_ddl": "store.append_only",
    "as_told": "pricing.told",
    "ask_confirmation": "people.confirmations",
    "ask_reset": "people.confirmations",
    "cancel_open": "payments.payments",
    "cancel_order": "orders.cancel",
    "cart_items": "orders.cart",
    "cart_of": "orders.cart",
    "carts_by_secret": "orders.cart",
    "change_order": "orders.change",
    "change_plugin": "enterprises.plugins",
    "changes": "api.endpoint",
    "check_password": "people.log_in",
    "checked_in": "store",
    "clean_html": "html",
    "clear_session": "api.cookies",
    "columns_of": "reports.look",
    "confirm_email": "people.confirmations",
    "customer_by_email": "enterprises.customers",
    "customer_by_id": "enterprises.customers",
    "customers_by_id": "enterprises.customers",
    "decode_text": "decoding",
    "digits": "money",
    "dues_by_number": "payments.due",
    "edit_row": "store",
    "email_of_reset": "people.confirmations",
    "empty_cart": "orders.cart",
    "enabled_plugins": "enterprises.plugins",
    "enterprise_by_id": "enterprises.enterprises",
    "enterprises_by_id": "enterprises.enterprises",
    "fill_cart": "orders.cart",
    "find_enterprise": "enterprises.enterprises",
    "fingerprint": "people.fingerprint",
    "format_moment": "languages.formats",
    "format_money": "languages.formats",
    "format_percent": "languages.formats",
    "format_quantity": "languages.formats",
    "format_span": "languages.formats",
    "guard": "product_lists.read",
    "half_up": "money",
    "hash_password": "people.passwords",
    "hookimpl": "hooks.contract",
    "http_client": "outbound.client",
    "insert_once": "store",
    "insert_or": "store",
    "insert_rows": "store",
    "is_coming": "sale_sessions.openness",
    "is_open": "sale_sessions.openness",
    "kinds_of": "products.questions",
    "known_customer": "orders.selling",
    "label_parameters": "reports.labels",
    "lineage": "units.product_types",
    "list_categories": "enterprises.customer_categories",
    "list_enterprises": "enterprises.enterprises",
    "locked_guest_order": "orders.lock",
    "locked_order": "orders.lock",
    "log_in": "people.log_in",
    "log_out": "people.sessions",
    "look": "reports.look",
    "mail_enterprise": "mail.to_enterprise",
    "metadata": "store",
    "named_enterprise": "cli.named",
    "net_and_vat": "reports.vat",
    "new_person": "people.people",
    "offers_for": "catalogs.visible",
    "one_sale": "reports.parameters",
    "open_cart": "orders.cart",
    "open_instance": "instance",
    "order_by_id": "orders.questions",
    "order_by_secret": "orders.questions",
    "order_links": "orders.links",
    "orders_by_id": "orders.questions",
    "orders_of_person": "orders.questions",
    "owed_by_customer": "payments.due",
    "own_pages": "reports.parameters",
    "page": "pages.page",
    "page_of": "api.endpoint",
    "payment_methods": "payments.methods",
    "payments_of": "payments.payments",
    "person_by_id": "people.people",
    "place_order": "orders.place",
    "plugin_settings": "enterprises.plugins",
    "plural": "languages.catalogs",
    "promise": "jobs",
    "quote_order": "orders.quote",
    "read_amount": "money",
    "read_codes": "orders.settle",
    "read_email": "people.email",
    "read_text": "texts",
    "receive_payment": "payments.payments",
    "refund_by_provider": "payments.giving_back",
    "refuse_foreign_session": "orders.selling",
    "reset_password": "people.confirmations",
    "sale_by_id": "sale_sessions.questions",
    "sale_for": "sale_sessions.questions",
    "sales": "sale_sessions.questions",
    "say": "languages.catalogs",
    "search_key": "search",
    "segment": "reports.segments",
    "set_session": "api.cookies",
    "shifted": "sale_sessions.rhythm",
    "sign_up": "people.confirmations",
    "start_payment": "payments.begin",
    "translate": "languages.catalogs",
    "url_problem": "outbound.client",
    "wrong_password": "people.log_in",
}

__all__ = [
    "ALLERGENS",
    "CUSTOMER",
    "LABELS",
    "LANGUAGES",
    "LARGEST",
    "MEASURES",
    "SEGMENTS",
    "Address",
    "Adjustment",
    "Body",
    "Busy",
    "Call",
    "Chart",
    "Choice",
    "Choices",
    "Column",
    "Conflict",
    "DemoPlace",
    "Due",
    "Endpoint",
    "Enterprise",
    "Event",
    "Exact",
    "File",
    "Filter",
    "Flag",
    "Instance",
    "Invalid",
    "Job",
    "Json",
    "Line",
    "MenuItem",
    "Money",
    "NotFound",
    "Offered",
    "Operator",
    "Order",
    "OrderDraft",
    "Page",
    "Paging",
    "Parameter",
    "Payment",
    "PaymentMethod",
    "PaymentStart",
    "PaymentUpdate",
    "Periodic",
    "Phase",
    "PluginError",
    "PricedLine",
    "Problem",
    "Quantity",
    "Query",
    "Refused",
    "Report",
    "Routes",
    "Sale",
    "SaleSession",
    "Secret",
    "Segment",
    "Series",
    "ShippingOption",
    "Stale",
    "StockLot",
    "Time",
    "Totals",
    "Transaction",
    "Unauthorised",
    "VisibleOffer",
    "Visit",
    "WebhookRequest",
    "Whole",
    "Wish",
    "Work",
    "a_period",
    "append_only",
    "append_only_ddl",
    "as_told",
    "ask_confirmation",
    "ask_reset",
    "cancel_open",
    "cancel_order",
    "cart_items",
    "cart_of",
    "carts_by_secret",
    "change_order",
    "change_plugin",
    "changes",
    "check_password",
    "checked_in",
    "clean_html",
    "clear_session",
    "columns_of",
    "confirm_email",
    "customer_by_email",
    "customer_by_id",
    "customers_by_id",
    "decode_text",
    "digits",
    "dues_by_number",
    "edit_row",
    "email_of_reset",
    "empty_cart",
    "enabled_plugins",
    "enterprise_by_id",
    "enterprises_by_id",
    "fill_cart",
    "find_enterprise",
    "fingerprint",
    "format_moment",
    "format_money",
    "format_percent",
    "format_quantity",
    "format_span",
    "guard",
    "half_up",
    "hash_password",
    "hookimpl",
    "http_client",
    "insert_once",
    "insert_or",
    "insert_rows",
    "is_coming",
    "is_open",
    "kinds_of",
    "known_customer",
    "label_parameters",
    "lineage",
    "list_categories",
    "list_enterprises",
    "locked_guest_order",
    "locked_order",
    "log_in",
    "log_out",
    "look",
    "mail_enterprise",
    "metadata",
    "named_enterprise",
    "net_and_vat",
    "new_person",
    "offers_for",
    "one_sale",
    "open_cart",
    "open_instance",
    "order_by_id",
    "order_by_secret",
    "order_links",
    "orders_by_id",
    "orders_of_person",
    "owed_by_customer",
    "own_pages",
    "page",
    "page_of",
    "payment_methods",
    "payments_of",
    "person_by_id",
    "place_order",
    "plugin_settings",
    "plural",
    "promise",
    "quote_order",
    "read_amount",
    "read_codes",
    "read_email",
    "read_text",
    "receive_payment",
    "refund_by_provider",
    "refuse_foreign_session",
    "reset_password",
    "sale_by_id",
    "sale_for",
    "sales",
    "say",
    "search_key",
    "segment",
    "set_session",
    "shifted",
    "sign_up",
    "start_payment",
    "translate",
    "url_problem",
    "wrong_password",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value  # so that this function is asked once for each name
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
