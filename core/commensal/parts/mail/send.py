"""Handles jobs of the kind "mail": reads the data of the message, renders it, and delivers it.

A payload has `kind`, `to` and `language`. E-mails about orders add `order_id`, and the `amount` of a refund, what was
`withdrawn` and why, or when a moved order `was` to be handed out; those of plugins about orders also `values` for their
template, and perhaps the `consent` that they need; those about an account add `name`, `person_id` and `purpose` if they
contain a link with a code, and `values` if their template needs more; those to suppliers add `purchase_order_id`, and
`changes`, or what the distribution `was`, if an order is told once more; those of plugins to an enterprise add its name
as `enterprise`, `values` and `links` for their template, and perhaps a `table` that goes with it as files; those to
operators add `name` and `values`. `late` and `leaves` belong to `capping`: the e-mail was delayed once, and the
decision for this job.

The secrets of links are created here, when an e-mail leaves: a payload, and so a backup, contains none. Jobs of release
0.1.0 that still wait contain theirs, as `secret` or `code`. Delivery is at least once: after a crash between the
server's acceptance and the commit, the message is sent again, with the same Message-ID and another secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from html import escape

import structlog

from ...base.failpoints import failpoint
from ...base.languages.catalogs import in_language, translate
from ...enterprises.enterprises import Enterprise, enterprise_by_id
from ...enterprises.legal_texts import legal_text_by_id
from ...instance import Instance
from ...orders.consents import stands
from ...orders.emails import mailed_secret
from ...orders.lines import names_of_lines
from ...payments.begin import begin_due_payment
from ...people.codes import new_code
from ...storage.database import Transaction
from ...storage.jobs import Job
from ..distribution.packing import CollectionPlace, collection_places
from ..formats.ical import CalendarEvent, calendar
from ..reports.purchase_orders import print_purchase_order
from ..supply.answers import MissingGoods
from ..supply.purchase_orders import PurchaseOrder, purchase_order_to_mail
from .capping import may_send
from .deliver import deliver, remove_unfinished
from .links import create_links
from .log import note_mail
from .message import Attachment, build_message, csv_and_pdf, files_of_table
from .notices import promise_notices
from .order_view import OrderView, order_view
from .placeholders import fill_placeholders
from .render import logo_of, mail_parts, render

ORDER_KINDS = (
    "order_placed",
    "order_changed",
    "order_cancelled",
    "order_unconfirmed",
    "order_unpaid",
    "order_ready",
    "order_refunded",
    "order_final",
    "order_reminder",
    "order_not_collected",
    "order_to_pay",
    "order_moved",
)
_ASKS_TO_PAY = ("order_placed", "order_changed", "order_final", "order_to_pay")
_SAYS_MISSING = ("order_changed", "order_cancelled")
_WITH_CALENDAR = (
    "order_placed",
    "order_changed",
    "order_final",
    "order_reminder",
    "order_moved",
    "order_cancelled",
    "order_unpaid",
    "order_unconfirmed",
)
_PAYMENT_CODE = "payment-code"
_LOGO = "logo"  # the ids of pictures within a message
ACCOUNT_KINDS = (
    "confirm_email",
    "reset_password",
    "already_registered",
    "new_email",
    "email_changed",
    "log_in_failures",
    "member_invitation",
    "household_invitation",
    "household_joined",
    "identity_linked",
    "role_changed",
    "rights_changed",
    "member_removed",
)
OPERATOR_KINDS = ("plugin_set_aside",)

# Whoever types an address can cause these; others follow from actions of its owner.
_CAUSED_BY_OTHERS = (
    *ORDER_KINDS,
    "confirm_email",
    "reset_password",
    "already_registered",
    "new_email",
    "member_invitation",
    "household_invitation",
    "purchase_order",
    "role_changed",
    "rights_changed",
    "member_removed",
)
# Their `name` is not that of the reader.
_TO_STRANGERS = ("member_invitation", "household_invitation")
_log = structlog.get_logger("commensal.mail")

# Pages that the front plugin serves.
_ORDER, _GUEST_ORDER, _SALE = "/orders/{order_id}", "/orders/guest/{secret}", "/sales/{session_id}"
_TERMS = "/legal/versions/{text_id}"
_CODE = {
    "confirm_email": "/confirm/{code}",
    "reset_password": "/reset/{code}",
    "already_registered": "/reset/{code}",
    "new_email": "/email/{code}",
    "email_changed": "/",
    "log_in_failures": "/forgot",
    "member_invitation": "/account",
    "household_invitation": "/account",
    "household_joined": "/account",
    "identity_linked": "/account",
    "role_changed": "/account",
    "rights_changed": "/account",
    "member_removed": "/account",
}


def link_for_password(base_url: str, code: str) -> str:
    """The address at which a code of the purpose "reset" sets a password."""
    return base_url.rstrip("/") + _CODE["reset_password"].format(code=code)


def send_mail(instance: Instance, job: Job) -> None:
    """Sends one message. Raises whatever prevents its delivery, so that the job is retried."""
    payload = job.payload
    remove_unfinished(instance.folder, job.id)
    secrets: _Secrets | None = _Secrets()
    if _is_counted(payload) or "links" in payload:
        secrets = instance.store.transact(lambda tx: _admit(tx, job, instance.settings.limits.mails))
    if secrets is None:
        return
    if _is_about_order(payload):
        _send_and_note(instance, job, partial(_send_about_order, secret=secrets.secret))
    elif payload["kind"] == "purchase_order":
        _send_and_note(instance, job, _send_to_supplier)
    elif payload["kind"] in ACCOUNT_KINDS:
        link = _address(instance, _CODE[payload["kind"]].format(code=secrets.secret))
        values = {**payload.get("values", {}), "name": payload["name"], "link": link}
        _send(instance, job, values=values, to_name=payload["name"] if payload["kind"] not in _TO_STRANGERS else "")
    elif payload["kind"] in OPERATOR_KINDS:
        _send(instance, job, values={**payload["values"], "name": payload["name"]}, to_name=payload["name"])
    elif "enterprise" in payload:
        name = payload["enterprise"]
        table = payload.get("table")
        files = files_of_table(instance, table, payload["language"]) if table else ()
        values = {**payload["values"], **secrets.paths, "enterprise": name}
        _send(instance, job, values=values, to_name=name, attachments=files)
    else:
        raise ValueError(f"there is no e-mail of kind {payload['kind']!r}")


@dataclass(frozen=True)
class _Secrets:
    """What the links of an e-mail contain that leaves now: the secret of a guest's order or the code of an account, and
    the paths with secrets of an e-mail of a plugin by their names in its template."""

    secret: str | None = None
    paths: Mapping[str, str] = field(default_factory=dict)


def _is_about_order(payload: Mapping[str, object]) -> bool:
    """Whether it goes to an order's customer: a kind of the core, or one of a plugin, which brings `values`."""
    return payload["kind"] in ORDER_KINDS or {"order_id", "values"} <= payload.keys()


def _is_counted(payload: Mapping[str, object]) -> bool:
    by_others = payload["kind"] in _CAUSED_BY_OTHERS or not payload.keys().isdisjoint({"typed", "caused_by"})
    return by_others or _is_about_order(payload)


def _admit(tx: Transaction, job: Job, most: int) -> _Secrets | None:
    """Creates the secrets of an e-mail that leaves now. None if it does not: the mailbox has had its `most` of this
    hour, or the account has another address meanwhile."""
    payload = job.payload
    if _is_counted(payload) and not may_send(tx, job, most=most):
        _log.info("mail held back", kind=payload["kind"], late=payload["kind"] in (*ORDER_KINDS, "purchase_order"))
        return None
    if _is_about_order(payload):
        return _Secrets(mailed_secret(tx, payload["order_id"]))
    if "purpose" in payload:
        code = new_code(tx, payload["person_id"], payload["purpose"], payload["to"])
        if code is None:
            _log.info("mail of no use any more", kind=payload["kind"])
        return _Secrets(code) if code is not None else None
    return _Secrets(payload.get("code"), create_links(tx, payload["links"]) if "links" in payload else {})


def _send_and_note(instance: Instance, job: Job, send: Callable[[Instance, Job], str]) -> None:
    """Sends an e-mail about an order, and notes in its log that it was sent, or why it was not. What it says in one
    line goes to the channels of plugins."""
    try:
        summary = send(instance, job)
    except Exception as error:  # any: it is raised again, and only noted here
        reason = f"{type(error).__name__}: {error}"
        instance.store.transact(lambda tx: note_mail(tx, job, reason))
        raise
    if not summary:
        return

    def note(tx: Transaction) -> None:
        note_mail(tx, job)
        if job.payload["kind"] in ORDER_KINDS:
            promise_notices(tx, job.payload["order_id"], job.payload["kind"], summary)

    instance.store.transact(note)


def _send_to_supplier(instance: Instance, job: Job) -> str:
    language = job.payload["language"]
    with instance.store.read() as tx:
        order = purchase_order_to_mail(tx, job.payload["purchase_order_id"])
        shop = enterprise_by_id(tx, order.enterprise_id)
        logo = logo_of(tx, instance.images, shop.id)
        places = collection_places(tx, instance.hooks, shop.id, order.session_id, language)
    changes = [{**line, "unit_quantity": Decimal(line["unit_quantity"])} for line in job.payload.get("changes", ())]
    values = {
        "order": order,
        "shop": shop,
        "places": places,
        "lines": [line for line in order.lines if line.coming],
        "changes": changes,
        "was": _was(job),
        "logo": _LOGO if logo else "",
        "answer": _address(instance, f"/office/{order.supplier_id}/bring/{order.id}"),
    }
    return _send(
        instance,
        job,
        values=values,
        to_name=order.supplier,
        sender_name=order.shop,
        reply_to=shop.email,
        timezone=shop.timezone,
        attachments=[*_pictures(logo), *_files_of(instance, shop, order, places, language)],
    )


def _pictures(logo: bytes) -> list[Attachment]:
    return [Attachment("logo.png", "image/png", logo, content_id=_LOGO)] if logo else []


def _files_of(
    instance: Instance, shop: Enterprise, order: PurchaseOrder, places: Sequence[CollectionPlace], language: str
) -> list[Attachment]:
    """The order as CSV, and as PDF where the instance makes PDF files."""

    def content(file_format: str) -> bytes:
        return print_purchase_order(instance.store, shop, order, places, format=file_format, language=language)

    return csv_and_pdf(f"{shop.slug}-{order.number}-{order.revision}", content)


def _send_about_order(instance: Instance, job: Job, *, secret: str | None) -> str:
    """Mails an order to its customer, with `secret` in the link if it is a guest's.

    Returns the shop and the subject in one line; "" if there is nothing left to say: it was paid meanwhile, or the
    consent was withdrawn.
    """
    order_id = job.payload["order_id"]
    path = _GUEST_ORDER.format(secret=secret) if secret else _ORDER.format(order_id=order_id)
    link = _address(instance, path)
    if job.payload["kind"] in _ASKS_TO_PAY:
        begin_due_payment(instance, order_id, return_url=link)
    with instance.store.read() as tx:
        if "consent" in job.payload and not stands(tx, order_id, job.payload["consent"]):
            return ""
        language = job.payload["language"]
        is_of_hub = "changed_by" not in job.payload  # not by scales or the customer: what is missing is not a reason
        says_missing = is_of_hub and job.payload["kind"] in _SAYS_MISSING
        view = order_view(tx, instance.hooks, order_id, with_missing=says_missing)
        line_names = names_of_lines(tx, view.order.lines, reader=language, own=view.shop_language)
        logo = logo_of(tx, instance.images, view.order.enterprise_id)
    kind = job.payload["kind"]
    if job.payload.get("late") and view.order.state == "Cancelled":
        kind = "order_cancelled"
    if kind == "order_to_pay" and view.due <= 0:
        return ""
    opens = secret or view.order.person_id is not None
    view = replace(view, sale=in_language(language, view.shop_language, view.sale, view.sale_names).text)
    values = {
        **_values_about_order(instance, job, view, kind),
        "line_names": line_names,
        "link": link if opens else "",
        "logo": _LOGO if logo else "",
        **job.payload.get("values", {}),
    }
    subject = _send(
        instance,
        job,
        kind=kind,
        values=values,
        to_name=view.order.name,
        sender_name=view.shop,
        reply_to=view.shop_email,
        timezone=view.timezone,
        attachments=[*_pictures(logo), *_files_about_order(instance, view, kind, language)],
    )
    return f"{view.shop}: {subject}"


def _values_about_order(instance: Instance, job: Job, view: OrderView, kind: str) -> dict[str, object]:
    """What the template of an e-mail of this kind reads about the order, and about what happened to it."""
    order, language = view.order, job.payload["language"]
    note = in_language(language, view.shop_language, view.sale_note, view.sale_notes)
    amount = {"amount": job.payload["amount"]} if "amount" in job.payload else {}
    return {
        **amount,
        "view": view,
        "missing": _missing_now(view, job, language),
        "order": order,
        "action": _action(view, kind, language),
        "sale_link": _address(instance, _SALE.format(session_id=order.session_id)),
        "terms_link": _address(instance, _TERMS.format(text_id=order.terms_id)) if order.terms_id else "",
        "sale_note": replace(note, text=fill_placeholders(instance, order, kind, language, note.text)),
        "payment_code": _PAYMENT_CODE if view.payment_code else "",
        "parts": mail_parts(instance, order, kind, language),
        "withdrawn": job.payload.get("withdrawn"),
        "merged": job.payload.get("merged"),
        "came_back": job.payload.get("came_back", False),
        "weighed": job.payload.get("changed_by") == "scales",
        "was": _was(job),
        "reason": job.payload.get("reason", ""),
    }


def _was(job: Job) -> tuple[datetime, ...]:
    """When the order would have been handed out before it was moved: beginning and end, UTC; nothing if it was not."""
    return tuple(datetime.fromisoformat(moment) for moment in job.payload.get("was", ()))


def _missing_now(view: OrderView, job: Job, language: str) -> list[str]:
    """What a customer reads about missing goods: of a changed order about those that this change took pieces of, since
    it has told of earlier ones before."""
    fewer = job.payload.get("fewer", ())
    every = job.payload["kind"] != "order_changed"
    return [_missing(goods, language) for goods in view.missing if every or goods.product_id in fewer]


def _missing(goods: MissingGoods, language: str) -> str:
    """What a customer reads about goods that a supplier brings fewer of, or none."""
    if goods.none_comes:
        text = "{supplier} does not bring {name}: {reason}" if goods.reason else "{supplier} does not bring {name}."
    else:
        text = "{supplier} brings less of {name}: {reason}" if goods.reason else "{supplier} brings less of {name}."
    return translate(language, text).format(supplier=goods.supplier, name=goods.name, reason=goods.reason)


def _action(view: OrderView, kind: str, language: str) -> str:
    """What the button of an e-mail about an order says: what its customer should do first."""
    if kind == "order_placed" and view.terms is not None and view.terms.confirm_by is not None:
        return translate(language, "Confirm my order")
    if view.pays_online:
        return translate(language, "Pay my order")
    return translate(language, "See your order")


def _files_about_order(instance: Instance, view: OrderView, kind: str, language: str) -> list[Attachment]:
    """The calendar file, the code for the payer's bank, and with the confirmation the terms of sale, which the customer
    must get in a form that lasts (directive 2011/83/EU, art. 8(7))."""
    files = [_calendar_of(view, language, instance.clock.now())] if kind in _WITH_CALENDAR else []
    if view.payment_code:
        files.append(Attachment("payment.png", "image/png", view.payment_code, content_id=_PAYMENT_CODE))
    if kind == "order_placed" and view.order.terms_id is not None:
        with instance.store.read() as tx:
            terms = legal_text_by_id(tx, view.order.terms_id)
        spoken, html = terms.text(language, view.shop_language)
        title = translate(language, "Terms of sale")
        page = f'<!doctype html><html lang="{spoken}"><meta charset="utf-8"><title>{escape(title)}</title>{html}</html>'
        files.append(Attachment(f"{title}.html", "text/html", page.encode()))
    return files


def _calendar_of(view: OrderView, language: str, now: datetime) -> Attachment:
    """When and where the customer gets the order, as a calendar file. A later e-mail replaces the same event."""
    order = view.order
    summary = translate(language, "Order {number} at {shop}").format(number=order.number, shop=view.shop)
    event = CalendarEvent(
        uid=f"order-{order.id}",
        begins_at=view.comes_at,
        ends_at=view.goes_at,
        summary=summary,
        location=order.shipping_address,
        description=order.shipping_note,
        sequence=order.version,
        cancelled=order.state == "Cancelled",
    )
    content = calendar(view.shop, [event], now)
    return Attachment(f"order-{order.number}.ics", "text/calendar", content)


def _send(
    instance: Instance,
    job: Job,
    *,
    values: Mapping[str, object],
    to_name: str,
    kind: str = "",
    sender_name: str = "",
    reply_to: str = "",
    timezone: str = "",
    attachments: Sequence[Attachment] = (),
) -> str:
    """Renders the e-mail and delivers it. Returns its subject."""
    settings, at, language = instance.settings, instance.clock.now(), job.payload["language"]
    search = (instance.folder / "templates", *(folder / "templates" for folder in instance.hooks.folders().values()))
    common = {"instance": settings.name, "home": _address(instance, "/"), "now": at}
    rendered = render(
        kind or job.payload["kind"], language, timezone or settings.timezone, {**common, **values}, search
    )
    message = build_message(
        rendered,
        job_id=job.id,
        at=at,
        language=language,
        sender=settings.sender,
        sender_name=sender_name or settings.name,
        to=job.payload["to"],
        to_name=to_name,
        reply_to=reply_to,
        attachments=attachments,
        stop_link=_address(instance, f"/{values['stop_path']}") if "stop_path" in values else "",
    )
    deliver(message, settings.mail, instance.folder, job_id=job.id, at=at)
    failpoint("mail.delivered")
    return rendered.subject


def _address(instance: Instance, path: str) -> str:
    return f"{instance.settings.base_url.rstrip('/')}{path}"
