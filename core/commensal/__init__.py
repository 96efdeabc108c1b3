"""What plugins may use: ``from commensal import …``. Whatever is not named here may change with any version.

A name is imported when it is first asked for: a command of the shell or a small plugin does not load the whole house.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base.converting import convert as convert
    from .base.decoding import decode_text as decode_text
    from .base.errors import Busy as Busy
    from .base.errors import Conflict as Conflict
    from .base.errors import Forbidden as Forbidden
    from .base.errors import Invalid as Invalid
    from .base.errors import NotFound as NotFound
    from .base.errors import PluginError as PluginError
    from .base.errors import Problem as Problem
    from .base.errors import Refused as Refused
    from .base.errors import SoldOut as SoldOut
    from .base.errors import Stale as Stale
    from .base.errors import Unauthorised as Unauthorised
    from .base.errors import Unfit as Unfit
    from .base.html import clean_html as clean_html
    from .base.languages.catalogs import LANGUAGES as LANGUAGES
    from .base.languages.catalogs import plural as plural
    from .base.languages.catalogs import say as say
    from .base.languages.catalogs import translate as translate
    from .base.languages.formats import format_moment as format_moment
    from .base.languages.formats import format_money as format_money
    from .base.languages.formats import format_percent as format_percent
    from .base.languages.formats import format_quantity as format_quantity
    from .base.languages.formats import format_span as format_span
    from .base.languages.shell import print_line as print_line
    from .base.languages.shell import spoken as spoken
    from .base.languages.shell import told as told
    from .base.money import LARGEST as LARGEST
    from .base.money import Money as Money
    from .base.money import digits as digits
    from .base.money import half_up as half_up
    from .base.money import read_amount as read_amount
    from .base.networks import network as network
    from .base.search import contains_text as contains_text
    from .base.search import finds as finds
    from .base.search import search_key as search_key
    from .base.secret import Secret as Secret
    from .base.spreadsheets import csv_bytes as csv_bytes
    from .base.texts import read_text as read_text
    from .base.units.concept import Concept as Concept
    from .base.units.facets import ALLERGENS as ALLERGENS
    from .base.units.facets import LABELS as LABELS
    from .base.units.measures import MEASURES as MEASURES
    from .base.units.product_types import PRODUCT_TYPES as PRODUCT_TYPES
    from .base.units.product_types import lineage as lineage
    from .cli.folder import HERE as HERE
    from .cli.folder import Folder as Folder
    from .cli.named import moment as moment
    from .cli.named import named_enterprise as named_enterprise
    from .cli.printing import console as console
    from .cli.printing import print_counts as print_counts
    from .hooks.contract import hookimpl as hookimpl
    from .hooks.dialects import dialects_of as dialects_of
    from .hooks.dispatcher import Hooks as Hooks
    from .hooks.messages import message_types_of as message_types_of
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
    from .instance import Instance as Instance
    from .instance import open_instance as open_instance
    from .interfaces.api.cookies import clear_session as clear_session
    from .interfaces.api.cookies import set_browser as set_browser
    from .interfaces.api.cookies import set_session as set_session
    from .interfaces.api.endpoint import Body as Body
    from .interfaces.api.endpoint import Call as Call
    from .interfaces.api.endpoint import Endpoint as Endpoint
    from .interfaces.api.endpoint import File as File
    from .interfaces.api.endpoint import Page as Page
    from .interfaces.api.endpoint import Paging as Paging
    from .interfaces.api.endpoint import Routes as Routes
    from .interfaces.api.endpoint import changes as changes
    from .interfaces.api.endpoint import page_of as page_of
    from .interfaces.mail.to_enterprise import mail_enterprise as mail_enterprise
    from .interfaces.outbound.client import http_client as http_client
    from .interfaces.outbound.client import url_problem as url_problem
    from .interfaces.pages.page import page as page
    from .interfaces.pages.shown import shown_once as shown_once
    from .interfaces.pages.visit import Visit as Visit
    from .interfaces.reports.labels import label_parameters as label_parameters
    from .interfaces.reports.look import Filter as Filter
    from .interfaces.reports.look import Operator as Operator
    from .interfaces.reports.look import columns_of as columns_of
    from .interfaces.reports.look import look as look
    from .interfaces.reports.parameters import a_period as a_period
    from .interfaces.reports.parameters import one_sale as one_sale
    from .interfaces.reports.parameters import own_pages as own_pages
    from .interfaces.reports.segments import SEGMENTS as SEGMENTS
    from .interfaces.reports.segments import Segment as Segment
    from .interfaces.reports.segments import segment as segment
    from .interfaces.reports.values import Chart as Chart
    from .interfaces.reports.values import Choice as Choice
    from .interfaces.reports.values import Column as Column
    from .interfaces.reports.values import Line as Line
    from .interfaces.reports.values import Parameter as Parameter
    from .interfaces.reports.values import Quantity as Quantity
    from .interfaces.reports.values import Query as Query
    from .interfaces.reports.values import Report as Report
    from .interfaces.reports.values import Series as Series
    from .interfaces.reports.vat import net_and_vat as net_and_vat
    from .operations.checks.invariants import broken_invariants as broken_invariants
    from .operations.work import do_one_job as do_one_job
    from .storage.database import DERIVED as DERIVED
    from .storage.database import ON_BEHALF as ON_BEHALF
    from .storage.database import PERSONAL as PERSONAL
    from .storage.database import SECRET as SECRET
    from .storage.database import Exact as Exact
    from .storage.database import Flag as Flag
    from .storage.database import Json as Json
    from .storage.database import Row as Row
    from .storage.database import Time as Time
    from .storage.database import Transaction as Transaction
    from .storage.database import Whole as Whole
    from .storage.database import append_only as append_only
    from .storage.database import checked_in as checked_in
    from .storage.database import edit_row as edit_row
    from .storage.database import insert_once as insert_once
    from .storage.database import insert_or as insert_or
    from .storage.database import insert_rows as insert_rows
    from .storage.database import metadata as metadata
    from .storage.database import untraced as untraced
    from .storage.database.append_only import append_only_ddl as append_only_ddl
    from .storage.database.append_only import drop_append_only_ddl as drop_append_only_ddl
    from .storage.jobs import Job as Job
    from .storage.jobs import Periodic as Periodic
    from .storage.jobs import Work as Work
    from .storage.jobs import promise as promise
    from .trade.audit.acting import Acting as Acting
    from .trade.audit.acting import acting as acting
    from .trade.catalogs.bringing import BroughtItem as BroughtItem
    from .trade.catalogs.bringing import bring_listing as bring_listing
    from .trade.catalogs.catalogs import catalog_by_id as catalog_by_id
    from .trade.catalogs.catalogs import catalogs_of as catalogs_of
    from .trade.catalogs.catalogs import create_catalog as create_catalog
    from .trade.catalogs.hiding import hide_producer as hide_producer
    from .trade.catalogs.hiding import show_items as show_items
    from .trade.catalogs.items import item_by_id as item_by_id
    from .trade.catalogs.items import items_of as items_of
    from .trade.catalogs.listed import Listed as Listed
    from .trade.catalogs.listed import listed_for as listed_for
    from .trade.catalogs.listed import listings_of as listings_of
    from .trade.catalogs.listing import Listing as Listing
    from .trade.catalogs.listing import list_products as list_products
    from .trade.catalogs.offers import set_price as set_price
    from .trade.catalogs.ownership import items_of_offers as items_of_offers
    from .trade.catalogs.ownership import whose as whose
    from .trade.catalogs.sellable import sellable_products as sellable_products
    from .trade.catalogs.sellable import who_lists as who_lists
    from .trade.catalogs.stamp import listing_stamp as listing_stamp
    from .trade.catalogs.values import Catalog as Catalog
    from .trade.catalogs.values import CatalogItem as CatalogItem
    from .trade.catalogs.visible import VisibleOffer as VisibleOffer
    from .trade.catalogs.visible import count_offers as count_offers
    from .trade.catalogs.visible import offers_for as offers_for
    from .trade.enterprises.customer_categories import CustomerCategory as CustomerCategory
    from .trade.enterprises.customer_categories import list_categories as list_categories
    from .trade.enterprises.customers import Customer as Customer
    from .trade.enterprises.customers import customer_by_email as customer_by_email
    from .trade.enterprises.customers import customer_by_id as customer_by_id
    from .trade.enterprises.customers import customers_by_id as customers_by_id
    from .trade.enterprises.enterprises import Enterprise as Enterprise
    from .trade.enterprises.enterprises import change_enterprise as change_enterprise
    from .trade.enterprises.enterprises import copy_enterprise as copy_enterprise
    from .trade.enterprises.enterprises import enterprise_by_id as enterprise_by_id
    from .trade.enterprises.enterprises import enterprises_by_id as enterprises_by_id
    from .trade.enterprises.enterprises import every_enterprise as every_enterprise
    from .trade.enterprises.enterprises import find_enterprise as find_enterprise
    from .trade.enterprises.enterprises import list_enterprises as list_enterprises
    from .trade.enterprises.grants import grant as grant
    from .trade.enterprises.grants import grants_given as grants_given
    from .trade.enterprises.grants import grants_of as grants_of
    from .trade.enterprises.grants import revoke as revoke
    from .trade.enterprises.homes import come_home as come_home
    from .trade.enterprises.homes import leave_home as leave_home
    from .trade.enterprises.homes import stay_home as stay_home
    from .trade.enterprises.invitations import accept_invitation as accept_invitation
    from .trade.enterprises.invitations import decline_invitation as decline_invitation
    from .trade.enterprises.invitations import invitations_to as invitations_to
    from .trade.enterprises.members import memberships_of as memberships_of
    from .trade.enterprises.plugins import change_plugin as change_plugin
    from .trade.enterprises.plugins import enable_plugin as enable_plugin
    from .trade.enterprises.plugins import enabled_plugins as enabled_plugins
    from .trade.enterprises.plugins import plugin_settings as plugin_settings
    from .trade.enterprises.references import Names as Names
    from .trade.orders.cancel import cancel_order as cancel_order
    from .trade.orders.cart import Checkout as Checkout
    from .trade.orders.cart import cart_items as cart_items
    from .trade.orders.cart import cart_of as cart_of
    from .trade.orders.cart import carts_by_secret as carts_by_secret
    from .trade.orders.cart import empty_cart as empty_cart
    from .trade.orders.cart import fill_cart as fill_cart
    from .trade.orders.cart import note_checkout as note_checkout
    from .trade.orders.cart import noted_checkout as noted_checkout
    from .trade.orders.cart import open_cart as open_cart
    from .trade.orders.change import change_order as change_order
    from .trade.orders.consents import consents_of as consents_of
    from .trade.orders.consents import set_consents as set_consents
    from .trade.orders.distribution import AgreedPart as AgreedPart
    from .trade.orders.distribution import CustomersLine as CustomersLine
    from .trade.orders.distribution import agreed_parts as agreed_parts
    from .trade.orders.distribution import lines_of_product as lines_of_product
    from .trade.orders.distribution import ordered_of as ordered_of
    from .trade.orders.guests import guest_terms as guest_terms
    from .trade.orders.identity import Identity as Identity
    from .trade.orders.links import order_links as order_links
    from .trade.orders.lock import locked_guest_order as locked_guest_order
    from .trade.orders.lock import locked_order as locked_order
    from .trade.orders.place import place_order as place_order
    from .trade.orders.price import Choices as Choices
    from .trade.orders.proof import is_mailed as is_mailed
    from .trade.orders.proof import prove_order as prove_order
    from .trade.orders.questions import order_by_id as order_by_id
    from .trade.orders.questions import order_by_secret as order_by_secret
    from .trade.orders.questions import orders_by_id as orders_by_id
    from .trade.orders.questions import orders_of_person as orders_of_person
    from .trade.orders.quote import Offered as Offered
    from .trade.orders.quote import quote_order as quote_order
    from .trade.orders.sale_context import known_customer as known_customer
    from .trade.orders.sale_context import refuse_foreign_session as refuse_foreign_session
    from .trade.orders.settle import read_codes as read_codes
    from .trade.orders.shipping import with_place_of_today as with_place_of_today
    from .trade.orders.shorten import shorten_order as shorten_order
    from .trade.orders.values import Order as Order
    from .trade.orders.values import Wish as Wish
    from .trade.payments.begin import start_payment as start_payment
    from .trade.payments.due import dues_by_number as dues_by_number
    from .trade.payments.due import owed_by_customer as owed_by_customer
    from .trade.payments.methods import payment_methods as payment_methods
    from .trade.payments.methods import payment_methods_of_order as payment_methods_of_order
    from .trade.payments.payments import cancel_open as cancel_open
    from .trade.payments.payments import payments_of as payments_of
    from .trade.payments.payments import receive_payment as receive_payment
    from .trade.payments.provider_refunds import refund_by_provider as refund_by_provider
    from .trade.payments.values import Due as Due
    from .trade.payments.values import Payment as Payment
    from .trade.people.access import demand as demand
    from .trade.people.access import held_at as held_at
    from .trade.people.confirmations import ask_confirmation as ask_confirmation
    from .trade.people.confirmations import ask_reset as ask_reset
    from .trade.people.confirmations import confirm_email as confirm_email
    from .trade.people.confirmations import email_of_reset as email_of_reset
    from .trade.people.confirmations import reset_password as reset_password
    from .trade.people.confirmations import sign_up as sign_up
    from .trade.people.email import read_email as read_email
    from .trade.people.fingerprint import fingerprint as fingerprint
    from .trade.people.log_in import CodeWanted as CodeWanted
    from .trade.people.log_in import await_code as await_code
    from .trade.people.log_in import check_password as check_password
    from .trade.people.log_in import finish_log_in as finish_log_in
    from .trade.people.log_in import log_in as log_in
    from .trade.people.log_in import wrong_password as wrong_password
    from .trade.people.new_email import ask_new_email as ask_new_email
    from .trade.people.new_email import confirm_new_email as confirm_new_email
    from .trade.people.new_password import prove_password as prove_password
    from .trade.people.passwords import hash_password as hash_password
    from .trade.people.people import new_person as new_person
    from .trade.people.people import person_by_email as person_by_email
    from .trade.people.people import person_by_id as person_by_id
    from .trade.people.scopes import SELF as SELF
    from .trade.people.second_factor import Enrolment as Enrolment
    from .trade.people.second_factor import begin_second_factor as begin_second_factor
    from .trade.people.second_factor import confirm_second_factor as confirm_second_factor
    from .trade.people.second_factor import second_factor_of as second_factor_of
    from .trade.people.second_factor import turn_off_second_factor as turn_off_second_factor
    from .trade.people.second_factor import unconfirmed_enrolment as unconfirmed_enrolment
    from .trade.people.second_factor import wrong_code as wrong_code
    from .trade.people.sessions import NewSession as NewSession
    from .trade.people.sessions import log_out as log_out
    from .trade.pricing.grouped import as_told as as_told
    from .trade.pricing.values import CUSTOMER as CUSTOMER
    from .trade.pricing.values import Address as Address
    from .trade.pricing.values import Adjustment as Adjustment
    from .trade.pricing.values import OrderDraft as OrderDraft
    from .trade.pricing.values import Phase as Phase
    from .trade.pricing.values import PricedLine as PricedLine
    from .trade.pricing.values import Totals as Totals
    from .trade.privacy.oneself import forget_me as forget_me
    from .trade.privacy.oneself import my_archive as my_archive
    from .trade.privacy.values import DataSubject as DataSubject
    from .trade.privacy.values import KeptRows as KeptRows
    from .trade.product_lists.lists import ListReport as ListReport
    from .trade.product_lists.lists import import_list as import_list
    from .trade.product_lists.read import list_from_cells as list_from_cells
    from .trade.product_lists.row_values import Defaults as Defaults
    from .trade.product_lists.row_values import read_defaults as read_defaults
    from .trade.products.copies import LotCopy as LotCopy
    from .trade.products.copies import ProductCopy as ProductCopy
    from .trade.products.copies import forget_copies as forget_copies
    from .trade.products.copies import keep_lots as keep_lots
    from .trade.products.copies import keep_products as keep_products
    from .trade.products.copies import show_image as show_image
    from .trade.products.images import keep_picture as keep_picture
    from .trade.products.images import re_encode as re_encode
    from .trade.products.questions import kinds_of as kinds_of
    from .trade.products.questions import products_by_id as products_by_id
    from .trade.products.questions import products_of as products_of
    from .trade.products.questions import stocked_by_id as stocked_by_id
    from .trade.products.values import StockedProduct as StockedProduct
    from .trade.sale_sessions.coordinations import open_coordination as open_coordination
    from .trade.sale_sessions.on_sale import put_on_sale as put_on_sale
    from .trade.sale_sessions.openness import is_coming as is_coming
    from .trade.sale_sessions.openness import is_open as is_open
    from .trade.sale_sessions.questions import lots_on_sale as lots_on_sale
    from .trade.sale_sessions.questions import sale_by_id as sale_by_id
    from .trade.sale_sessions.questions import sale_for as sale_for
    from .trade.sale_sessions.questions import sales as sales
    from .trade.sale_sessions.questions import sessions_of_shop as sessions_of_shop
    from .trade.sale_sessions.rhythm import shifted as shifted
    from .trade.sale_sessions.sessions import add_session as add_session
    from .trade.sale_sessions.slots import MOST_ORDERS as MOST_ORDERS
    from .trade.sale_sessions.slots import capacity_problems as capacity_problems
    from .trade.sale_sessions.slots import edit_slot as edit_slot
    from .trade.sale_sessions.slots import give_slot_back as give_slot_back
    from .trade.sale_sessions.slots import moved_span as moved_span
    from .trade.sale_sessions.slots import refuse_too_many_slots as refuse_too_many_slots
    from .trade.sale_sessions.slots import remove_free_slot as remove_free_slot
    from .trade.sale_sessions.slots import slot_problems as slot_problems
    from .trade.sale_sessions.values import Sale as Sale
    from .trade.sale_sessions.values import SaleSession as SaleSession
    from .trade.sale_sessions.values import Supplier as Supplier
    from .trade.stock.lending import carry_stock as carry_stock
    from .trade.stock.lending import count_copies as count_copies
    from .trade.stock.lending import lease_in as lease_in
    from .trade.stock.lending import lend_stock as lend_stock
    from .trade.stock.lending import sell_until as sell_until
    from .trade.stock.lending import settle_here as settle_here
    from .trade.stock.lending import settle_lent as settle_lent
    from .trade.stock.lending import tell_beyond as tell_beyond
    from .trade.stock.lending import tell_beyonds as tell_beyonds
    from .trade.stock.lending import write_off as write_off
    from .trade.stock.lots import StockLot as StockLot
    from .trade.stock.lots import lot_by_id as lot_by_id
    from .trade.stock.lots import lots_by_id as lots_by_id
    from .trade.stock.lots import lots_of as lots_of
    from .trade.stock.movements import taken_since as taken_since

_MODULES = {
    "ALLERGENS": "base.units.facets",
    "CUSTOMER": "trade.pricing.values",
    "DERIVED": "storage.database",
    "HERE": "cli.folder",
    "LABELS": "base.units.facets",
    "LANGUAGES": "base.languages.catalogs",
    "LARGEST": "base.money",
    "MEASURES": "base.units.measures",
    "MOST_ORDERS": "trade.sale_sessions.slots",
    "ON_BEHALF": "storage.database",
    "PERSONAL": "storage.database",
    "PRODUCT_TYPES": "base.units.product_types",
    "SECRET": "storage.database",
    "SEGMENTS": "interfaces.reports.segments",
    "SELF": "trade.people.scopes",
    "Acting": "trade.audit.acting",
    "Address": "trade.pricing.values",
    "Adjustment": "trade.pricing.values",
    "AgreedPart": "trade.orders.distribution",
    "Body": "interfaces.api.endpoint",
    "BroughtItem": "trade.catalogs.bringing",
    "Busy": "base.errors",
    "Call": "interfaces.api.endpoint",
    "Catalog": "trade.catalogs.values",
    "CatalogItem": "trade.catalogs.values",
    "Chart": "interfaces.reports.values",
    "Checkout": "trade.orders.cart",
    "Choice": "interfaces.reports.values",
    "Choices": "trade.orders.price",
    "CodeWanted": "trade.people.log_in",
    "Column": "interfaces.reports.values",
    "Concept": "base.units.concept",
    "Conflict": "base.errors",
    "ConsentRequest": "hooks.values",
    "Customer": "trade.enterprises.customers",
    "CustomerCategory": "trade.enterprises.customer_categories",
    "CustomersLine": "trade.orders.distribution",
    "DataSubject": "trade.privacy.values",
    "Defaults": "trade.product_lists.row_values",
    "DemoHub": "hooks.values",
    "DemoNetwork": "hooks.values",
    "DemoPlace": "hooks.values",
    "DemoRun": "hooks.values",
    "DemoStory": "hooks.values",
    "Dialect": "hooks.values",
    "Due": "trade.payments.values",
    "Endpoint": "interfaces.api.endpoint",
    "Enrolment": "trade.people.second_factor",
    "Enterprise": "trade.enterprises.enterprises",
    "Event": "hooks.values",
    "Exact": "storage.database",
    "File": "interfaces.api.endpoint",
    "Filter": "interfaces.reports.look",
    "Flag": "storage.database",
    "Folder": "cli.folder",
    "Forbidden": "base.errors",
    "Hooks": "hooks.dispatcher",
    "Identity": "trade.orders.identity",
    "Instance": "instance",
    "Invalid": "base.errors",
    "Job": "storage.jobs",
    "Json": "storage.database",
    "KeptRows": "trade.privacy.values",
    "Line": "interfaces.reports.values",
    "ListReport": "trade.product_lists.lists",
    "Listed": "trade.catalogs.listed",
    "Listing": "trade.catalogs.listing",
    "LotCopy": "trade.products.copies",
    "MenuItem": "hooks.values",
    "Money": "base.money",
    "Names": "trade.enterprises.references",
    "NewSession": "trade.people.sessions",
    "NotFound": "base.errors",
    "Offered": "trade.orders.quote",
    "Operator": "interfaces.reports.look",
    "Order": "trade.orders.values",
    "OrderDraft": "trade.pricing.values",
    "Page": "interfaces.api.endpoint",
    "Paging": "interfaces.api.endpoint",
    "Parameter": "interfaces.reports.values",
    "Payment": "trade.payments.values",
    "PaymentMethod": "hooks.values",
    "PaymentStart": "hooks.values",
    "PaymentUpdate": "hooks.values",
    "Periodic": "storage.jobs",
    "Phase": "trade.pricing.values",
    "PluginError": "base.errors",
    "PricedLine": "trade.pricing.values",
    "Problem": "base.errors",
    "ProductCopy": "trade.products.copies",
    "Quantity": "interfaces.reports.values",
    "Query": "interfaces.reports.values",
    "Refused": "base.errors",
    "Report": "interfaces.reports.values",
    "Routes": "interfaces.api.endpoint",
    "Row": "storage.database",
    "Sale": "trade.sale_sessions.values",
    "SaleSession": "trade.sale_sessions.values",
    "Secret": "base.secret",
    "Segment": "interfaces.reports.segments",
    "Series": "interfaces.reports.values",
    "ShippingOption": "hooks.values",
    "SoldOut": "base.errors",
    "Stale": "base.errors",
    "StockLot": "trade.stock.lots",
    "StockedProduct": "trade.products.values",
    "Supplier": "trade.sale_sessions.values",
    "Time": "storage.database",
    "Totals": "trade.pricing.values",
    "Transaction": "storage.database",
    "Unauthorised": "base.errors",
    "Unfit": "base.errors",
    "VisibleOffer": "trade.catalogs.visible",
    "Visit": "interfaces.pages.visit",
    "WebhookRequest": "hooks.values",
    "Whole": "storage.database",
    "Wish": "trade.orders.values",
    "Work": "storage.jobs",
    "a_period": "interfaces.reports.parameters",
    "accept_invitation": "trade.enterprises.invitations",
    "acting": "trade.audit.acting",
    "add_session": "trade.sale_sessions.sessions",
    "agreed_parts": "trade.orders.distribution",
    "append_only": "storage.database",
    "append_only_ddl": "storage.database.append_only",
    "as_told": "trade.pricing.grouped",
    "ask_confirmation": "trade.people.confirmations",
    "ask_new_email": "trade.people.new_email",
    "ask_reset": "trade.people.confirmations",
    "await_code": "trade.people.log_in",
    "begin_second_factor": "trade.people.second_factor",
    "bring_listing": "trade.catalogs.bringing",
    "broken_invariants": "operations.checks.invariants",
    "cancel_open": "trade.payments.payments",
    "cancel_order": "trade.orders.cancel",
    "capacity_problems": "trade.sale_sessions.slots",
    "carry_stock": "trade.stock.lending",
    "cart_items": "trade.orders.cart",
    "cart_of": "trade.orders.cart",
    "carts_by_secret": "trade.orders.cart",
    "catalog_by_id": "trade.catalogs.catalogs",
    "catalogs_of": "trade.catalogs.catalogs",
    "change_enterprise": "trade.enterprises.enterprises",
    "change_order": "trade.orders.change",
    "change_plugin": "trade.enterprises.plugins",
    "changes": "interfaces.api.endpoint",
    "check_password": "trade.people.log_in",
    "checked_in": "storage.database",
    "clean_html": "base.html",
    "clear_session": "interfaces.api.cookies",
    "columns_of": "interfaces.reports.look",
    "come_home": "trade.enterprises.homes",
    "confirm_email": "trade.people.confirmations",
    "confirm_new_email": "trade.people.new_email",
    "confirm_second_factor": "trade.people.second_factor",
    "consents_of": "trade.orders.consents",
    "console": "cli.printing",
    "contains_text": "base.search",
    "convert": "base.converting",
    "copy_enterprise": "trade.enterprises.enterprises",
    "count_copies": "trade.stock.lending",
    "count_offers": "trade.catalogs.visible",
    "create_catalog": "trade.catalogs.catalogs",
    "csv_bytes": "base.spreadsheets",
    "customer_by_email": "trade.enterprises.customers",
    "customer_by_id": "trade.enterprises.customers",
    "customers_by_id": "trade.enterprises.customers",
    "decline_invitation": "trade.enterprises.invitations",
    "decode_text": "base.decoding",
    "demand": "trade.people.access",
    "dialects_of": "hooks.dialects",
    "digits": "base.money",
    "do_one_job": "operations.work",
    "drop_append_only_ddl": "storage.database.append_only",
    "dues_by_number": "trade.payments.due",
    "edit_row": "storage.database",
    "edit_slot": "trade.sale_sessions.slots",
    "email_of_reset": "trade.people.confirmations",
    "empty_cart": "trade.orders.cart",
    "enable_plugin": "trade.enterprises.plugins",
    "enabled_plugins": "trade.enterprises.plugins",
    "enterprise_by_id": "trade.enterprises.enterprises",
    "enterprises_by_id": "trade.enterprises.enterprises",
    "every_enterprise": "trade.enterprises.enterprises",
    "fill_cart": "trade.orders.cart",
    "find_enterprise": "trade.enterprises.enterprises",
    "finds": "base.search",
    "fingerprint": "trade.people.fingerprint",
    "finish_log_in": "trade.people.log_in",
    "forget_copies": "trade.products.copies",
    "forget_me": "trade.privacy.oneself",
    "format_moment": "base.languages.formats",
    "format_money": "base.languages.formats",
    "format_percent": "base.languages.formats",
    "format_quantity": "base.languages.formats",
    "format_span": "base.languages.formats",
    "give_slot_back": "trade.sale_sessions.slots",
    "grant": "trade.enterprises.grants",
    "grants_given": "trade.enterprises.grants",
    "grants_of": "trade.enterprises.grants",
    "guest_terms": "trade.orders.guests",
    "half_up": "base.money",
    "hash_password": "trade.people.passwords",
    "held_at": "trade.people.access",
    "hide_producer": "trade.catalogs.hiding",
    "hookimpl": "hooks.contract",
    "http_client": "interfaces.outbound.client",
    "import_list": "trade.product_lists.lists",
    "insert_once": "storage.database",
    "insert_or": "storage.database",
    "insert_rows": "storage.database",
    "invitations_to": "trade.enterprises.invitations",
    "is_coming": "trade.sale_sessions.openness",
    "is_mailed": "trade.orders.proof",
    "is_open": "trade.sale_sessions.openness",
    "item_by_id": "trade.catalogs.items",
    "items_of": "trade.catalogs.items",
    "items_of_offers": "trade.catalogs.ownership",
    "keep_lots": "trade.products.copies",
    "keep_picture": "trade.products.images",
    "keep_products": "trade.products.copies",
    "kinds_of": "trade.products.questions",
    "known_customer": "trade.orders.sale_context",
    "label_parameters": "interfaces.reports.labels",
    "lease_in": "trade.stock.lending",
    "leave_home": "trade.enterprises.homes",
    "lend_stock": "trade.stock.lending",
    "lineage": "base.units.product_types",
    "lines_of_product": "trade.orders.distribution",
    "list_categories": "trade.enterprises.customer_categories",
    "list_enterprises": "trade.enterprises.enterprises",
    "list_from_cells": "trade.product_lists.read",
    "list_products": "trade.catalogs.listing",
    "listed_for": "trade.catalogs.listed",
    "listing_stamp": "trade.catalogs.stamp",
    "listings_of": "trade.catalogs.listed",
    "locked_guest_order": "trade.orders.lock",
    "locked_order": "trade.orders.lock",
    "log_in": "trade.people.log_in",
    "log_out": "trade.people.sessions",
    "look": "interfaces.reports.look",
    "lot_by_id": "trade.stock.lots",
    "lots_by_id": "trade.stock.lots",
    "lots_of": "trade.stock.lots",
    "lots_on_sale": "trade.sale_sessions.questions",
    "mail_enterprise": "interfaces.mail.to_enterprise",
    "memberships_of": "trade.enterprises.members",
    "message_types_of": "hooks.messages",
    "metadata": "storage.database",
    "moment": "cli.named",
    "moved_span": "trade.sale_sessions.slots",
    "my_archive": "trade.privacy.oneself",
    "named_enterprise": "cli.named",
    "net_and_vat": "interfaces.reports.vat",
    "network": "base.networks",
    "new_person": "trade.people.people",
    "note_checkout": "trade.orders.cart",
    "noted_checkout": "trade.orders.cart",
    "offers_for": "trade.catalogs.visible",
    "one_sale": "interfaces.reports.parameters",
    "open_cart": "trade.orders.cart",
    "open_coordination": "trade.sale_sessions.coordinations",
    "open_instance": "instance",
    "order_by_id": "trade.orders.questions",
    "order_by_secret": "trade.orders.questions",
    "order_links": "trade.orders.links",
    "ordered_of": "trade.orders.distribution",
    "orders_by_id": "trade.orders.questions",
    "orders_of_person": "trade.orders.questions",
    "owed_by_customer": "trade.payments.due",
    "own_pages": "interfaces.reports.parameters",
    "page": "interfaces.pages.page",
    "page_of": "interfaces.api.endpoint",
    "payment_methods": "trade.payments.methods",
    "payment_methods_of_order": "trade.payments.methods",
    "payments_of": "trade.payments.payments",
    "person_by_email": "trade.people.people",
    "person_by_id": "trade.people.people",
    "place_order": "trade.orders.place",
    "plugin_settings": "trade.enterprises.plugins",
    "plural": "base.languages.catalogs",
    "print_counts": "cli.printing",
    "print_line": "base.languages.shell",
    "products_by_id": "trade.products.questions",
    "products_of": "trade.products.questions",
    "promise": "storage.jobs",
    "prove_order": "trade.orders.proof",
    "prove_password": "trade.people.new_password",
    "put_on_sale": "trade.sale_sessions.on_sale",
    "quote_order": "trade.orders.quote",
    "re_encode": "trade.products.images",
    "read_amount": "base.money",
    "read_codes": "trade.orders.settle",
    "read_defaults": "trade.product_lists.row_values",
    "read_email": "trade.people.email",
    "read_text": "base.texts",
    "receive_payment": "trade.payments.payments",
    "refund_by_provider": "trade.payments.provider_refunds",
    "refuse_foreign_session": "trade.orders.sale_context",
    "refuse_too_many_slots": "trade.sale_sessions.slots",
    "remove_free_slot": "trade.sale_sessions.slots",
    "reset_password": "trade.people.confirmations",
    "revoke": "trade.enterprises.grants",
    "sale_by_id": "trade.sale_sessions.questions",
    "sale_for": "trade.sale_sessions.questions",
    "sales": "trade.sale_sessions.questions",
    "say": "base.languages.catalogs",
    "search_key": "base.search",
    "second_factor_of": "trade.people.second_factor",
    "segment": "interfaces.reports.segments",
    "sell_until": "trade.stock.lending",
    "sellable_products": "trade.catalogs.sellable",
    "sessions_of_shop": "trade.sale_sessions.questions",
    "set_browser": "interfaces.api.cookies",
    "set_consents": "trade.orders.consents",
    "set_price": "trade.catalogs.offers",
    "set_session": "interfaces.api.cookies",
    "settle_here": "trade.stock.lending",
    "settle_lent": "trade.stock.lending",
    "shifted": "trade.sale_sessions.rhythm",
    "shorten_order": "trade.orders.shorten",
    "show_image": "trade.products.copies",
    "show_items": "trade.catalogs.hiding",
    "shown_once": "interfaces.pages.shown",
    "sign_up": "trade.people.confirmations",
    "slot_problems": "trade.sale_sessions.slots",
    "spoken": "base.languages.shell",
    "start_payment": "trade.payments.begin",
    "stay_home": "trade.enterprises.homes",
    "stocked_by_id": "trade.products.questions",
    "taken_since": "trade.stock.movements",
    "tell_beyond": "trade.stock.lending",
    "tell_beyonds": "trade.stock.lending",
    "told": "base.languages.shell",
    "translate": "base.languages.catalogs",
    "turn_off_second_factor": "trade.people.second_factor",
    "unconfirmed_enrolment": "trade.people.second_factor",
    "untraced": "storage.database",
    "url_problem": "interfaces.outbound.client",
    "who_lists": "trade.catalogs.sellable",
    "whose": "trade.catalogs.ownership",
    "with_place_of_today": "trade.orders.shipping",
    "write_off": "trade.stock.lending",
    "wrong_code": "trade.people.second_factor",
    "wrong_password": "trade.people.log_in",
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
