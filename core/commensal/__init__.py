"""What plugins may use: ``from commensal import …``. Whatever is not named here may change with any version.

A name is imported when it is first asked for: a command of the shell or a small plugin does not load the whole house.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api.cookies import clear_session as clear_session
    from .api.cookies import set_browser as set_browser
    from .api.cookies import set_session as set_session
    from .api.endpoint import Body as Body
    from .api.endpoint import Call as Call
    from .api.endpoint import Endpoint as Endpoint
    from .api.endpoint import File as File
    from .api.endpoint import Page as Page
    from .api.endpoint import Paging as Paging
    from .api.endpoint import Routes as Routes
    from .api.endpoint import changes as changes
    from .api.endpoint import page_of as page_of
    from .audit.acting import Acting as Acting
    from .audit.acting import acting as acting
    from .catalogs.bringing import BroughtItem as BroughtItem
    from .catalogs.bringing import bring_listing as bring_listing
    from .catalogs.catalogs import catalog_by_id as catalog_by_id
    from .catalogs.catalogs import catalogs_of as catalogs_of
    from .catalogs.catalogs import create_catalog as create_catalog
    from .catalogs.granted import sellable_products as sellable_products
    from .catalogs.granted import who_lists as who_lists
    from .catalogs.hiding import hide_producer as hide_producer
    from .catalogs.hiding import show_items as show_items
    from .catalogs.items import item_by_id as item_by_id
    from .catalogs.items import items_of as items_of
    from .catalogs.listed import Listed as Listed
    from .catalogs.listed import listed_for as listed_for
    from .catalogs.listed import listings_of as listings_of
    from .catalogs.listing import Listing as Listing
    from .catalogs.listing import list_products as list_products
    from .catalogs.offers import set_price as set_price
    from .catalogs.stamp import listing_stamp as listing_stamp
    from .catalogs.values import Catalog as Catalog
    from .catalogs.values import CatalogItem as CatalogItem
    from .catalogs.visible import VisibleOffer as VisibleOffer
    from .catalogs.visible import count_offers as count_offers
    from .catalogs.visible import offers_for as offers_for
    from .catalogs.whose import items_of_offers as items_of_offers
    from .catalogs.whose import whose as whose
    from .checks.invariants import broken_invariants as broken_invariants
    from .cli.folder import HERE as HERE
    from .cli.folder import Folder as Folder
    from .cli.named import moment as moment
    from .cli.named import named_enterprise as named_enterprise
    from .converting import convert as convert
    from .decoding import decode_text as decode_text
    from .enterprises.customer_categories import CustomerCategory as CustomerCategory
    from .enterprises.customer_categories import list_categories as list_categories
    from .enterprises.customers import Customer as Customer
    from .enterprises.customers import customer_by_email as customer_by_email
    from .enterprises.customers import customer_by_id as customer_by_id
    from .enterprises.customers import customers_by_id as customers_by_id
    from .enterprises.enterprises import Enterprise as Enterprise
    from .enterprises.enterprises import change_enterprise as change_enterprise
    from .enterprises.enterprises import copy_enterprise as copy_enterprise
    from .enterprises.enterprises import enterprise_by_id as enterprise_by_id
    from .enterprises.enterprises import enterprises_by_id as enterprises_by_id
    from .enterprises.enterprises import every_enterprise as every_enterprise
    from .enterprises.enterprises import find_enterprise as find_enterprise
    from .enterprises.enterprises import list_enterprises as list_enterprises
    from .enterprises.grants import grant as grant
    from .enterprises.grants import grants_given as grants_given
    from .enterprises.grants import grants_of as grants_of
    from .enterprises.grants import revoke as revoke
    from .enterprises.homes import come_home as come_home
    from .enterprises.homes import leave_home as leave_home
    from .enterprises.homes import stay_home as stay_home
    from .enterprises.invitations import accept_invitation as accept_invitation
    from .enterprises.invitations import decline_invitation as decline_invitation
    from .enterprises.invitations import invitations_to as invitations_to
    from .enterprises.members import memberships_of as memberships_of
    from .enterprises.plugins import change_plugin as change_plugin
    from .enterprises.plugins import enable_plugin as enable_plugin
    from .enterprises.plugins import enabled_plugins as enabled_plugins
    from .enterprises.plugins import plugin_settings as plugin_settings
    from .enterprises.references import Names as Names
    from .errors import Busy as Busy
    from .errors import Conflict as Conflict
    from .errors import Forbidden as Forbidden
    from .errors import Invalid as Invalid
    from .errors import NotFound as NotFound
    from .errors import PluginError as PluginError
    from .errors import Problem as Problem
    from .errors import Refused as Refused
    from .errors import SoldOut as SoldOut
    from .errors import Stale as Stale
    from .errors import Unauthorised as Unauthorised
    from .errors import Unfit as Unfit
    from .hooks.contract import hookimpl as hookimpl
    from .hooks.dialects import dialects_of as dialects_of
    from .hooks.dispatcher import Hooks as Hooks
    from .hooks.values import ConsentRequest as ConsentRequest
    from .hooks.values import DemoHub as DemoHub
    from .hooks.values import DemoNetwork as DemoNetwork
    from .hooks.values import DemoPlace as DemoPlace
    from .hooks.values import DemoRun as DemoRun
    from .hooks.values import DemoStory as DemoStory
    from .hooks.values import Dialect as Dialect
    from .hooks.values import Event as Event
    from .hooks.values import MenuItem as MenuItem
    from .hooks.values import PaymentMethod as PaymentMethod
    from .hooks.values import PaymentStart as PaymentStart
    from .hooks.values import PaymentUpdate as PaymentUpdate
    from .hooks.values import ShippingOption as ShippingOption
    from .hooks.values import WebhookRequest as WebhookRequest
    from .html import clean_html as clean_html
    from .instance import Instance as Instance
    from .instance import open_instance as open_instance
    from .jobs import Job as Job
    from .jobs import Periodic as Periodic
    from .jobs import Work as Work
    from .jobs import promise as promise
    from .languages.catalogs import LANGUAGES as LANGUAGES
    from .languages.catalogs import plural as plural
    from .languages.catalogs import say as say
    from .languages.catalogs import translate as translate
    from .languages.formats import format_moment as format_moment
    from .languages.formats import format_money as format_money
    from .languages.formats import format_percent as format_percent
    from .languages.formats import format_quantity as format_quantity
    from .languages.formats import format_span as format_span
    from .languages.shell import print_line as print_line
    from .languages.shell import spoken as spoken
    from .languages.shell import told as told
    from .mail.to_enterprise import mail_enterprise as mail_enterprise
    from .money import LARGEST as LARGEST
    from .money import Money as Money
    from .money import digits as digits
    from .money import half_up as half_up
    from .money import read_amount as read_amount
    from .networks import network as network
    from .orders.cancel import cancel_order as cancel_order
    from .orders.cart import Checkout as Checkout
    from .orders.cart import cart_items as cart_items
    from .orders.cart import cart_of as cart_of
    from .orders.cart import carts_by_secret as carts_by_secret
    from .orders.cart import empty_cart as empty_cart
    from .orders.cart import fill_cart as fill_cart
    from .orders.cart import note_checkout as note_checkout
    from .orders.cart import noted_checkout as noted_checkout
    from .orders.cart import open_cart as open_cart
    from .orders.change import change_order as change_order
    from .orders.consents import consents_of as consents_of
    from .orders.consents import set_consents as set_consents
    from .orders.distribution import AgreedPart as AgreedPart
    from .orders.distribution import CustomersLine as CustomersLine
    from .orders.distribution import agreed_parts as agreed_parts
    from .orders.distribution import lines_of_product as lines_of_product
    from .orders.distribution import ordered_of as ordered_of
    from .orders.guests import guest_terms as guest_terms
    from .orders.identity import Identity as Identity
    from .orders.links import order_links as order_links
    from .orders.lock import locked_guest_order as locked_guest_order
    from .orders.lock import locked_order as locked_order
    from .orders.place import place_order as place_order
    from .orders.price import Choices as Choices
    from .orders.proof import is_mailed as is_mailed
    from .orders.proof import prove_order as prove_order
    from .orders.questions import order_by_id as order_by_id
    from .orders.questions import order_by_secret as order_by_secret
    from .orders.questions import orders_by_id as orders_by_id
    from .orders.questions import orders_of_person as orders_of_person
    from .orders.quote import Offered as Offered
    from .orders.quote import quote_order as quote_order
    from .orders.selling import known_customer as known_customer
    from .orders.selling import refuse_foreign_session as refuse_foreign_session
    from .orders.settle import read_codes as read_codes
    from .orders.shipping import with_place_of_today as with_place_of_today
    from .orders.shorten import shorten_order as shorten_order
    from .orders.values import Order as Order
    from .orders.values import Wish as Wish
    from .outbound.client import http_client as http_client
    from .outbound.client import url_problem as url_problem
    from .pages.page import page as page
    from .pages.shown import shown_once as shown_once
    from .pages.visit import Visit as Visit
    from .payments.begin import start_payment as start_payment
    from .payments.due import dues_by_number as dues_by_number
    from .payments.due import owed_by_customer as owed_by_customer
    from .payments.giving_back import refund_by_provider as refund_by_provider
    from .payments.methods import payment_methods as payment_methods
    from .payments.methods import payment_methods_of_order as payment_methods_of_order
    from .payments.payments import cancel_open as cancel_open
    from .payments.payments import payments_of as payments_of
    from .payments.payments import receive_payment as receive_payment
    from .payments.values import Due as Due
    from .payments.values import Payment as Payment
    from .people.access import demand as demand
    from .people.access import held_at as held_at
    from .people.confirmations import ask_confirmation as ask_confirmation
    from .people.confirmations import ask_reset as ask_reset
    from .people.confirmations import confirm_email as confirm_email
    from .people.confirmations import email_of_reset as email_of_reset
    from .people.confirmations import reset_password as reset_password
    from .people.confirmations import sign_up as sign_up
    from .people.email import read_email as read_email
    from .people.fingerprint import fingerprint as fingerprint
    from .people.log_in import CodeWanted as CodeWanted
    from .people.log_in import await_code as await_code
    from .people.log_in import check_password as check_password
    from .people.log_in import finish_log_in as finish_log_in
    from .people.log_in import log_in as log_in
    from .people.log_in import wrong_password as wrong_password
    from .people.new_email import ask_new_email as ask_new_email
    from .people.new_email import confirm_new_email as confirm_new_email
    from .people.new_password import prove_password as prove_password
    from .people.passwords import hash_password as hash_password
    from .people.people import new_person as new_person
    from .people.people import person_by_email as person_by_email
    from .people.people import person_by_id as person_by_id
    from .people.scopes import SELF as SELF
    from .people.second_factor import Enrolment as Enrolment
    from .people.second_factor import begin_second_factor as begin_second_factor
    from .people.second_factor import confirm_second_factor as confirm_second_factor
    from .people.second_factor import second_factor_of as second_factor_of
    from .people.second_factor import turn_off_second_factor as turn_off_second_factor
    from .people.second_factor import unconfirmed_enrolment as unconfirmed_enrolment
    from .people.second_factor import wrong_code as wrong_code
    from .people.sessions import NewSession as NewSession
    from .people.sessions import log_out as log_out
    from .pricing.told import as_told as as_told
    from .pricing.values import CUSTOMER as CUSTOMER
    from .pricing.values import Address as Address
    from .pricing.values import Adjustment as Adjustment
    from .pricing.values import OrderDraft as OrderDraft
    from .pricing.values import Phase as Phase
    from .pricing.values import PricedLine as PricedLine
    from .pricing.values import Totals as Totals
    from .printing import console as console
    from .printing import print_counts as print_counts
    from .privacy.oneself import forget_me as forget_me
    from .privacy.oneself import my_archive as my_archive
    from .privacy.values import DataSubject as DataSubject
    from .privacy.values import KeptRows as KeptRows
    from .product_lists.lists import ListReport as ListReport
    from .product_lists.lists import import_list as import_list
    from .product_lists.read import list_from_cells as list_from_cells
    from .product_lists.said import Defaults as Defaults
    from .product_lists.said import read_defaults as read_defaults
    from .products.copies import LotCopy as LotCopy
    from .products.copies import ProductCopy as ProductCopy
    from .products.copies import forget_copies as forget_copies
    from .products.copies import keep_lots as keep_lots
    from .products.copies import keep_products as keep_products
    from .products.copies import show_image as show_image
    from .products.images import keep_picture as keep_picture
    from .products.images import re_encode as re_encode
    from .products.questions import kinds_of as kinds_of
    from .products.questions import products_by_id as products_by_id
    from .products.questions import products_of as products_of
    from .products.questions import stocked_by_id as stocked_by_id
    from .products.values import StockedProduct as StockedProduct
    from .reports.labels import label_parameters as label_parameters
    from .reports.look import Filter as Filter
    from .reports.look import Operator as Operator
    from .reports.look import columns_of as columns_of
    from .reports.look import look as look
    from .reports.parameters import a_period as a_period
    from .reports.parameters import one_sale as one_sale
    from .reports.parameters import own_pages as own_pages
    from .reports.segments import SEGMENTS as SEGMENTS
    from .reports.segments import Segment as Segment
    from .reports.segments import segment as segment
    from .reports.values import Chart as Chart
    from .reports.values import Choice as Choice
    from .reports.values import Column as Column
    from .reports.values import Line as Line
    from .reports.values import Parameter as Parameter
    from .reports.values import Quantity as Quantity
    from .reports.values import Query as Query
    from .reports.values import Report as Report
    from .reports.values import Series as Series
    from .reports.vat import net_and_vat as net_and_vat
    from .sale_sessions.coordinations import open_coordination as open_coordination
    from .sale_sessions.on_sale import put_on_sale as put_on_sale
    from .sale_sessions.openness import is_coming as is_coming
    from .sale_sessions.openness import is_open as is_open
    from .sale_sessions.questions import lots_on_sale as lots_on_sale
    from .sale_sessions.questions import sale_by_id as sale_by_id
    from .sale_sessions.questions import sale_for as sale_for
    from .sale_sessions.questions import sales as sales
    from .sale_sessions.questions import sessions_of_shop as sessions_of_shop
    from .sale_sessions.rhythm import shifted as shifted
    from .sale_sessions.sessions import add_session as add_session
    from .sale_sessions.slots import MOST_ORDERS as MOST_ORDERS
    from .sale_sessions.slots import capacity_problems as capacity_problems
    from .sale_sessions.slots import edit_slot as edit_slot
    from .sale_sessions.slots import give_slot_back as give_slot_back
    from .sale_sessions.slots import moved_span as moved_span
    from .sale_sessions.slots import refuse_too_many_slots as refuse_too_many_slots
    from .sale_sessions.slots import remove_free_slot as remove_free_slot
    from .sale_sessions.slots import slot_problems as slot_problems
    from .sale_sessions.values import Sale as Sale
    from .sale_sessions.values import SaleSession as SaleSession
    from .sale_sessions.values import Supplier as Supplier
    from .search import contains_text as contains_text
    from .search import finds as finds
    from .search import search_key as search_key
    from .secret import Secret as Secret
    from .spreadsheets import csv_bytes as csv_bytes
    from .stock.lots import StockLot as StockLot
    from .stock.lots import lot_by_id as lot_by_id
    from .stock.lots import lots_by_id as lots_by_id
    from .stock.lots import lots_of as lots_of
    from .stock.movements import taken_since as taken_since
    from .stock.travelling import carry_stock as carry_stock
    from .stock.travelling import count_copies as count_copies
    from .stock.travelling import lease_in as lease_in
    from .stock.travelling import lend_stock as lend_stock
    from .stock.travelling import sell_until as sell_until
    from .stock.travelling import settle_here as settle_here
    from .stock.travelling import settle_lent as settle_lent
    from .stock.travelling import tell_beyond as tell_beyond
    from .stock.travelling import tell_beyonds as tell_beyonds
    from .stock.travelling import write_off as write_off
    from .store import DERIVED as DERIVED
    from .store import ON_BEHALF as ON_BEHALF
    from .store import PERSONAL as PERSONAL
    from .store import SECRET as SECRET
    from .store import Exact as Exact
    from .store import Flag as Flag
    from .store import Json as Json
    from .store import Row as Row
    from .store import Time as Time
    from .store import Transaction as Transaction
    from .store import Whole as Whole
    from .store import append_only as append_only
    from .store import checked_in as checked_in
    from .store import edit_row as edit_row
    from .store import insert_once as insert_once
    from .store import insert_or as insert_or
    from .store import insert_rows as insert_rows
    from .store import metadata as metadata
    from .store import untraced as untraced
    from .store.append_only import append_only_ddl as append_only_ddl
    from .store.append_only import drop_append_only_ddl as drop_append_only_ddl
    from .texts import read_text as read_text
    from .units.concept import Concept as Concept
    from .units.facets import ALLERGENS as ALLERGENS
    from .units.facets import LABELS as LABELS
    from .units.measures import MEASURES as MEASURES
    from .units.product_types import PRODUCT_TYPES as PRODUCT_TYPES
    from .units.product_types import lineage as lineage
    from .work import do_one_job as do_one_job

_MODULES = {
    "ALLERGENS": "units.facets",
    "CUSTOMER": "pricing.values",
    "DERIVED": "store",
    "HERE": "cli.folder",
    "LABELS": "units.facets",
    "LANGUAGES": "languages.catalogs",
    "LARGEST": "money",
    "MEASURES": "units.measures",
    "MOST_ORDERS": "sale_sessions.slots",
    "ON_BEHALF": "store",
    "PERSONAL": "store",
    "PRODUCT_TYPES": "units.product_types",
    "SECRET": "store",
    "SEGMENTS": "reports.segments",
    "SELF": "people.scopes",
    "Acting": "audit.acting",
    "Address": "pricing.values",
    "Adjustment": "pricing.values",
    "AgreedPart": "orders.distribution",
    "Body": "api.endpoint",
    "BroughtItem": "catalogs.bringing",
    "Busy": "errors",
    "Call": "api.endpoint",
    "Catalog": "catalogs.values",
    "CatalogItem": "catalogs.values",
    "Chart": "reports.values",
    "Checkout": "orders.cart",
    "Choice": "reports.values",
    "Choices": "orders.price",
    "CodeWanted": "people.log_in",
    "Column": "reports.values",
    "Concept": "units.concept",
    "Conflict": "errors",
    "ConsentRequest": "hooks.values",
    "Customer": "enterprises.customers",
    "CustomerCategory": "enterprises.customer_categories",
    "CustomersLine": "orders.distribution",
    "DataSubject": "privacy.values",
    "Defaults": "product_lists.said",
    "DemoHub": "hooks.values",
    "DemoNetwork": "hooks.values",
    "DemoPlace": "hooks.values",
    "DemoRun": "hooks.values",
    "DemoStory": "hooks.values",
    "Dialect": "hooks.values",
    "Due": "payments.values",
    "Endpoint": "api.endpoint",
    "Enrolment": "people.second_factor",
    "Enterprise": "enterprises.enterprises",
    "Event": "hooks.values",
    "Exact": "store",
    "File": "api.endpoint",
    "Filter": "reports.look",
    "Flag": "store",
    "Folder": "cli.folder",
    "Forbidden": "errors",
    "Hooks": "hooks.dispatcher",
    "Identity": "orders.identity",
    "Instance": "instance",
    "Invalid": "errors",
    "Job": "jobs",
    "Json": "store",
    "KeptRows": "privacy.values",
    "Line": "reports.values",
    "ListReport": "product_lists.lists",
    "Listed": "catalogs.listed",
    "Listing": "catalogs.listing",
    "LotCopy": "products.copies",
    "MenuItem": "hooks.values",
    "Money": "money",
    "Names": "enterprises.references",
    "NewSession": "people.sessions",
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
    "ProductCopy": "products.copies",
    "Quantity": "reports.values",
    "Query": "reports.values",
    "Refused": "errors",
    "Report": "reports.values",
    "Routes": "api.endpoint",
    "Row": "store",
    "Sale": "sale_sessions.values",
    "SaleSession": "sale_sessions.values",
    "Secret": "secret",
    "Segment": "reports.segments",
    "Series": "reports.values",
    "ShippingOption": "hooks.values",
    "SoldOut": "errors",
    "Stale": "errors",
    "StockLot": "stock.lots",
    "StockedProduct": "products.values",
    "Supplier": "sale_sessions.values",
    "Time": "store",
    "Totals": "pricing.values",
    "Transaction": "store",
    "Unauthorised": "errors",
    "Unfit": "errors",
    "VisibleOffer": "catalogs.visible",
    "Visit": "pages.visit",
    "WebhookRequest": "hooks.values",
    "Whole": "store",
    "Wish": "orders.values",
    "Work": "jobs",
    "a_period": "reports.parameters",
    "accept_invitation": "enterprises.invitations",
    "acting": "audit.acting",
    "add_session": "sale_sessions.sessions",
    "agreed_parts": "orders.distribution",
    "append_only": "store",
    "append_only_ddl": "store.append_only",
    "as_told": "pricing.told",
    "ask_confirmation": "people.confirmations",
    "ask_new_email": "people.new_email",
    "ask_reset": "people.confirmations",
    "await_code": "people.log_in",
    "begin_second_factor": "people.second_factor",
    "bring_listing": "catalogs.bringing",
    "broken_invariants": "checks.invariants",
    "cancel_open": "payments.payments",
    "cancel_order": "orders.cancel",
    "capacity_problems": "sale_sessions.slots",
    "carry_stock": "stock.travelling",
    "cart_items": "orders.cart",
    "cart_of": "orders.cart",
    "carts_by_secret": "orders.cart",
    "catalog_by_id": "catalogs.catalogs",
    "catalogs_of": "catalogs.catalogs",
    "change_enterprise": "enterprises.enterprises",
    "change_order": "orders.change",
    "change_plugin": "enterprises.plugins",
    "changes": "api.endpoint",
    "check_password": "people.log_in",
    "checked_in": "store",
    "clean_html": "html",
    "clear_session": "api.cookies",
    "columns_of": "reports.look",
    "come_home": "enterprises.homes",
    "confirm_email": "people.confirmations",
    "confirm_new_email": "people.new_email",
    "confirm_second_factor": "people.second_factor",
    "consents_of": "orders.consents",
    "console": "printing",
    "contains_text": "search",
    "convert": "converting",
    "copy_enterprise": "enterprises.enterprises",
    "count_copies": "stock.travelling",
    "count_offers": "catalogs.visible",
    "create_catalog": "catalogs.catalogs",
    "csv_bytes": "spreadsheets",
    "customer_by_email": "enterprises.customers",
    "customer_by_id": "enterprises.customers",
    "customers_by_id": "enterprises.customers",
    "decline_invitation": "enterprises.invitations",
    "decode_text": "decoding",
    "demand": "people.access",
    "dialects_of": "hooks.dialects",
    "digits": "money",
    "do_one_job": "work",
    "drop_append_only_ddl": "store.append_only",
    "dues_by_number": "payments.due",
    "edit_row": "store",
    "edit_slot": "sale_sessions.slots",
    "email_of_reset": "people.confirmations",
    "empty_cart": "orders.cart",
    "enable_plugin": "enterprises.plugins",
    "enabled_plugins": "enterprises.plugins",
    "enterprise_by_id": "enterprises.enterprises",
    "enterprises_by_id": "enterprises.enterprises",
    "every_enterprise": "enterprises.enterprises",
    "fill_cart": "orders.cart",
    "find_enterprise": "enterprises.enterprises",
    "finds": "search",
    "fingerprint": "people.fingerprint",
    "finish_log_in": "people.log_in",
    "forget_copies": "products.copies",
    "forget_me": "privacy.oneself",
    "format_moment": "languages.formats",
    "format_money": "languages.formats",
    "format_percent": "languages.formats",
    "format_quantity": "languages.formats",
    "format_span": "languages.formats",
    "give_slot_back": "sale_sessions.slots",
    "grant": "enterprises.grants",
    "grants_given": "enterprises.grants",
    "grants_of": "enterprises.grants",
    "guest_terms": "orders.guests",
    "half_up": "money",
    "hash_password": "people.passwords",
    "held_at": "people.access",
    "hide_producer": "catalogs.hiding",
    "hookimpl": "hooks.contract",
    "http_client": "outbound.client",
    "import_list": "product_lists.lists",
    "insert_once": "store",
    "insert_or": "store",
    "insert_rows": "store",
    "invitations_to": "enterprises.invitations",
    "is_coming": "sale_sessions.openness",
    "is_mailed": "orders.proof",
    "is_open": "sale_sessions.openness",
    "item_by_id": "catalogs.items",
    "items_of": "catalogs.items",
    "items_of_offers": "catalogs.whose",
    "keep_lots": "products.copies",
    "keep_picture": "products.images",
    "keep_products": "products.copies",
    "kinds_of": "products.questions",
    "known_customer": "orders.selling",
    "label_parameters": "reports.labels",
    "lease_in": "stock.travelling",
    "leave_home": "enterprises.homes",
    "lend_stock": "stock.travelling",
    "lineage": "units.product_types",
    "lines_of_product": "orders.distribution",
    "list_categories": "enterprises.customer_categories",
    "list_enterprises": "enterprises.enterprises",
    "list_from_cells": "product_lists.read",
    "list_products": "catalogs.listing",
    "listed_for": "catalogs.listed",
    "listing_stamp": "catalogs.stamp",
    "listings_of": "catalogs.listed",
    "locked_guest_order": "orders.lock",
    "locked_order": "orders.lock",
    "log_in": "people.log_in",
    "log_out": "people.sessions",
    "look": "reports.look",
    "lot_by_id": "stock.lots",
    "lots_by_id": "stock.lots",
    "lots_of": "stock.lots",
    "lots_on_sale": "sale_sessions.questions",
    "mail_enterprise": "mail.to_enterprise",
    "memberships_of": "enterprises.members",
    "metadata": "store",
    "moment": "cli.named",
    "moved_span": "sale_sessions.slots",
    "my_archive": "privacy.oneself",
    "named_enterprise": "cli.named",
    "net_and_vat": "reports.vat",
    "network": "networks",
    "new_person": "people.people",
    "note_checkout": "orders.cart",
    "noted_checkout": "orders.cart",
    "offers_for": "catalogs.visible",
    "one_sale": "reports.parameters",
    "open_cart": "orders.cart",
    "open_coordination": "sale_sessions.coordinations",
    "open_instance": "instance",
    "order_by_id": "orders.questions",
    "order_by_secret": "orders.questions",
    "order_links": "orders.links",
    "ordered_of": "orders.distribution",
    "orders_by_id": "orders.questions",
    "orders_of_person": "orders.questions",
    "owed_by_customer": "payments.due",
    "own_pages": "reports.parameters",
    "page": "pages.page",
    "page_of": "api.endpoint",
    "payment_methods": "payments.methods",
    "payment_methods_of_order": "payments.methods",
    "payments_of": "payments.payments",
    "person_by_email": "people.people",
    "person_by_id": "people.people",
    "place_order": "orders.place",
    "plugin_settings": "enterprises.plugins",
    "plural": "languages.catalogs",
    "print_counts": "printing",
    "print_line": "languages.shell",
    "products_by_id": "products.questions",
    "products_of": "products.questions",
    "promise": "jobs",
    "prove_order": "orders.proof",
    "prove_password": "people.new_password",
    "put_on_sale": "sale_sessions.on_sale",
    "quote_order": "orders.quote",
    "re_encode": "products.images",
    "read_amount": "money",
    "read_codes": "orders.settle",
    "read_defaults": "product_lists.said",
    "read_email": "people.email",
    "read_text": "texts",
    "receive_payment": "payments.payments",
    "refund_by_provider": "payments.giving_back",
    "refuse_foreign_session": "orders.selling",
    "refuse_too_many_slots": "sale_sessions.slots",
    "remove_free_slot": "sale_sessions.slots",
    "reset_password": "people.confirmations",
    "revoke": "enterprises.grants",
    "sale_by_id": "sale_sessions.questions",
    "sale_for": "sale_sessions.questions",
    "sales": "sale_sessions.questions",
    "say": "languages.catalogs",
    "search_key": "search",
    "second_factor_of": "people.second_factor",
    "segment": "reports.segments",
    "sell_until": "stock.travelling",
    "sellable_products": "catalogs.granted",
    "sessions_of_shop": "sale_sessions.questions",
    "set_browser": "api.cookies",
    "set_consents": "orders.consents",
    "set_price": "catalogs.offers",
    "set_session": "api.cookies",
    "settle_here": "stock.travelling",
    "settle_lent": "stock.travelling",
    "shifted": "sale_sessions.rhythm",
    "shorten_order": "orders.shorten",
    "show_image": "products.copies",
    "show_items": "catalogs.hiding",
    "shown_once": "pages.shown",
    "sign_up": "people.confirmations",
    "slot_problems": "sale_sessions.slots",
    "spoken": "languages.shell",
    "start_payment": "payments.begin",
    "stay_home": "enterprises.homes",
    "stocked_by_id": "products.questions",
    "taken_since": "stock.movements",
    "tell_beyond": "stock.travelling",
    "tell_beyonds": "stock.travelling",
    "told": "languages.shell",
    "translate": "languages.catalogs",
    "turn_off_second_factor": "people.second_factor",
    "unconfirmed_enrolment": "people.second_factor",
    "untraced": "store",
    "url_problem": "outbound.client",
    "who_lists": "catalogs.granted",
    "whose": "catalogs.whose",
    "with_place_of_today": "orders.shipping",
    "write_off": "stock.travelling",
    "wrong_code": "people.second_factor",
    "wrong_password": "people.log_in",
}

__all__ = [*_MODULES]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value  # so that this function is asked once for each name
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
