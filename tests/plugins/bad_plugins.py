"""Plugins with one mistake each, by the check that must find it, with its message."""

from __future__ import annotations

PRELUDE = """
import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Column as C, Table, Text, insert, select, delete, func
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import commensal
from commensal import *
from commensal import hookimpl

_count = itertools.count()
"""

REVISION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "bad_0001_first", None, None, None


def upgrade() -> None:
    op.create_table("bad_note", sa.Column("id", sa.Text, primary_key=True))
"""

# What it does to a table of the core can be done only once.
_AGAIN = "INSERT INTO job_slot (name, slot) VALUES ('bad', 0)"
REVISION_TWICE = f"{REVISION}    op.execute({_AGAIN!r})\n"

_NOTES = """
bad_note = Table("bad_note", commensal.metadata, C("id", Text, primary_key=True))

@hookimpl
def migrations():
    return Path(__file__).parent / "migrations"
"""

_DOOR = """
def option(session, left=None, id="door", label="Door"):
    return ShippingOption(id=id, label=label, begins_at=session.begins_at, ends_at=session.ends_at, left=left)

@hookimpl
def shipping_options(tx, session_id):
    return [option(sale_by_id(tx, session_id).session, 3 - TAKEN[0])]

TAKEN = [0]
"""

_RELEASE = """
@hookimpl
def release_shipping():
    TAKEN[0] -= 1
    return True
"""

_BOOK = """
@hookimpl
def book_shipping(tx, order, option):
    if option != "door":
        raise Refused("no_option", "No.")
    TAKEN[0] += 1
    return globals()["option"](sale_by_id(tx, order.session_id).session)
"""

_FEE = """
def fee(amount, label="Fee"):
    return [Adjustment(phase=Phase.FEE, kind="fee", label=label, amount=amount)]
"""

_REPORT = """
def report(lines, label="Report", names=("a", "b")):
    columns = [Column(name=name, label=name, kind="money") for name in names]
    return [Report(id="r", label=label, description="", columns=columns, rows=lambda query: lines)]
"""

BAD: dict[str, tuple[str, str]] = {
    "it_loads": ("@hookimpl\ndef payment_methods(colour): ...", "colour"),
    "it_says_what_it_does": ("\nfrom commensal import hookimpl", "no docstring"),
    "it_imports_public_names_only": (
        "\nfrom commensal.stock.tables import stock_lot",
        "import from commensal, commensal.pages or the face of a room",
    ),
    "its_arguments_are_those_of_the_hooks": (
        "@hookimpl\ndef payment_methods(language: int): ...",
        "language is a str, not a int",
    ),
    "it_speaks_french": (
        """
        said = translate("fr", "Nobody has translated this.")

        @hookimpl
        def commands(app):
            @app.command("tell")
            def tell(loud: Annotated[bool, typer.Option(help="So that all hear it.")] = False):
                '''Tells it.'''
                commensal.print_line("{name} was told.", name="Ada")
        """,
        r"translated this.*\{name\} was told.*Tells it.*So that all hear it",
    ),
    "its_settings_are_a_frozen_dataclass_with_defaults": (
        "@dataclass(frozen=True)\nclass S:\n    iban: str\n\n@hookimpl\ndef enterprise_settings():\n    return S",
        "give every field a default",
    ),
    "its_secrets_are_declared_as_such": (
        '@dataclass(frozen=True)\nclass S:\n    api_key: str = ""\n\n@hookimpl\ndef instance_settings():\n    return S',
        "declare it as Secret",
    ),
    "an_enterprise_may_switch_it_on_and_off_with_its_defaults": (
        """
        @dataclass(frozen=True)
        class S:
            iban: str = ""
            def __post_init__(self):
                if not self.iban:
                    raise ValueError("iban: missing")
        @hookimpl
        def enterprise_settings():
            return S
        """,
        "iban: missing|not right",
    ),
    "its_tables_are_its_own_and_as_declared": (
        _NOTES.replace('C("id", Text, primary_key=True)', 'C("id", Text, primary_key=True), C("note", Text)'),
        "disagree about note",
    ),
    "its_tables_come_and_go": (_NOTES, "second time|touches|UNIQUE|bad"),
    "its_ways_to_pay_have_ids_and_labels_of_their_own": (
        """
        @hookimpl
        def payment_methods():
            return [PaymentMethod(id="a", label="Card"), PaymentMethod(id="b", label="Card")]
        """,
        "labels must differ",
    ),
    "a_payment_begins_once": (
        """
        @hookimpl
        def payment_methods():
            return [PaymentMethod(id="a", label="Card")]
        @hookimpl
        def start_payment():
            return PaymentStart(reference=str(next(_count)))
        """,
        "asked twice for one payment",
    ),
    "it_refuses_messages_that_nobody_signed": (
        "@hookimpl\ndef payment_webhook():\n    return []",
        "which nobody signed",
    ),
    "its_ways_to_receive_have_ids_labels_and_times": (_DOOR.replace('label="Door"', 'label=" "'), "labels must differ"),
    "what_is_booked_is_given_back": (
        _DOOR + _BOOK + "@hookimpl\ndef release_shipping():\n    return True\n",
        "after its order was cancelled",
    ),
    "what_is_full_takes_no_more": (_DOOR + _BOOK + _RELEASE, "was full, and took another|should have nothing left"),
    "what_it_does_not_offer_it_refuses": (
        _DOOR + _BOOK.replace('option != "door"', 'option == "x"') + _RELEASE,
        "which it does not offer",
    ),
    "a_price_asked_twice_is_the_same": (
        _FEE + "@hookimpl\ndef price_adjustments(phase):\n    return fee(next(_count)) if phase is Phase.FEE else None",
        "was quoted as",
    ),
    "an_order_costs_what_was_quoted": (
        _FEE
        + "@hookimpl\ndef price_adjustments(order, phase):\n"
        + "    return fee(100 if order.id else 0) if phase is Phase.FEE else None",
        "was quoted at 1000, and ordered at 1100",
    ),
    "what_an_order_used_up_comes_back_with_its_cancellation": (
        _FEE
        + """
USED = []
@hookimpl
def price_adjustments(phase):
    return fee(1 + len(USED)) if phase is Phase.FEE else None
@hookimpl
def settle_adjustments(before, after):
    USED.append(after)
""",
        "became",
    ),
    "its_reports_have_names_and_columns": (
        _REPORT + '@hookimpl\ndef reports():\n    return report([], names=("a", "a"))',
        "names of their own",
    ),
    "its_lines_fit_their_columns": (
        _REPORT + '@hookimpl\ndef reports():\n    return report([["1.50", 2]])',
        "is not of the kind 'money'",
    ),
    "its_pages_answer_under_its_own_address": (
        '@hookimpl\ndef routes():\n    return [Route("/x", lambda request: 1 / 0)]',
        "was answered 500",
    ),
    "its_pages_change_nothing_by_being_looked_at": (
        _NOTES
        + """
@hookimpl
def routes(instance):
    def look(request):
        with instance.store.write() as tx:
            tx.execute(insert(bad_note).values(id=tx.new_id()))
        return PlainTextResponse("seen")
    return [Route("/x", look)]
""",
        "writes into its tables",
    ),
    "its_links_lead_somewhere": (
        '@hookimpl\ndef menu_items():\n    return [MenuItem(label="Nowhere", url="/-/bad/nowhere")]',
        "the menu links to /-/bad/nowhere",
    ),
    "its_endpoints_know_whom_they_answer": (
        """
        _routes = Routes("bad")
        @_routes.get("/enterprises/{enterprise}/secrets", scope="self")
        def bad_secrets(call: Call, enterprise: str) -> str:
            "Tells everybody who is logged in."
            return enterprise
        @hookimpl
        def endpoints():
            return _routes.endpoints
        """,
        "answered 200 to the owner of another shop",
    ),
    "where_it_is_off_it_does_nothing": (
        _NOTES
        + """
def note_all(tx):
    tx.execute(delete(bad_note))
    orders = commensal.metadata.tables["customer_order"]
    tx.execute(insert(bad_note).from_select(["id"], select(orders.c.id)))
@hookimpl
def jobs():
    return Work({}, (Periodic("bad.notes", timedelta(minutes=1), note_all),))
@hookimpl
def payment_methods():
    return []
""",
        "where it is off",
    ),
    "orders_outlive_it": (
        _DOOR + _BOOK + "@hookimpl\ndef release_shipping(settings):\n    raise RuntimeError('no settings')",
        "no settings|RuntimeError",
    ),
    "what_it_is_told_twice_it_does_once": (
        _NOTES
        + """
@hookimpl
def order_placed(instance, event):
    with instance.store.write() as tx:
        tx.execute(insert(bad_note).values(id=tx.new_id()))
""",
        "wrote something down again",
    ),
    "its_work_runs": (
        """
        @hookimpl
        def jobs():
            return Work({}, (Periodic("bad.breaks", timedelta(minutes=1), lambda tx: 1 / 0),))
        """,
        "bad.breaks failed: ZeroDivisionError",
    ),
    "its_parts_say_something_where_they_stand": (
        '@hookimpl\ndef page_parts():\n    return [PagePart(title=" ", lines=[PageLine(text="It is full.")])]',
        "a part has no title",
    ),
    "pages_of_others_stand_with_it": (
        "@hookimpl\ndef page_parts(subjects):\n    return [PagePart(title=subjects[4], lines=[])]",
        "page_parts: IndexError",
    ),
    "it_bears_every_change_of_an_order": (
        "@hookimpl\ndef order_changing(by):\n    return {'customer': [], 'scales': []}[by]",
        "failed in order_changing: KeyError",
    ),
    "its_commands_are_well_formed": ("@hookimpl\ndef commands(app): ...", "adds no command"),
}
