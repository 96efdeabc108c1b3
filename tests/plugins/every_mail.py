"""Writes one e-mail of every kind: about an order that is paid by transfer and collected in a slot, and about accounts,
an order to a supplier, and the affairs of a hub and of the instance."""

from __future__ import annotations

import email
import io
from datetime import timedelta
from decimal import Decimal
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy import insert, update

from commensal.base.clock import ManualClock
from commensal.enterprises.legal_texts import publish_legal_text
from commensal.enterprises.tables import enterprise, enterprise_plugin
from commensal.instance import Instance
from commensal.orders.cancel import cancel_order
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.parts.mail.send import ACCOUNT_KINDS, OPERATOR_KINDS, ORDER_KINDS, send_mail
from commensal.parts.pictures.images import Picture, add_image, keep_picture, set_enterprise_picture
from commensal.parts.supply.passed_cut_offs import close_parts
from commensal.parts.supply.purchase_orders import supplier_orders_of, tell_supplier
from commensal.sale_sessions.tables import coordination_supplier
from commensal.storage.jobs import Job
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_pickup.places import add_place
from commensal_pickup.slots import add_slot

PLUGINS = ["shop", "pickup", "bank_transfer", "vouchers", "webhooks", "federation", "account"]
IBAN = "FR7630006000011234567890189"
STREET, POSTCODE, CITY, PHONE = "12 rue des Halles", "37000", "Tours", "02 47 00 00 00"
_EARLIER = ("order_placed", "order_changed")  # while the sale is open
_CANCELLED = ("order_cancelled", "order_unpaid", "order_unconfirmed")
_LATER = tuple(kind for kind in ORDER_KINDS if kind not in {*_EARLIER, *_CANCELLED})
_CARD = {
    "code": "GC-K7QM-2XWD-9HTA-PL3V",
    "amount": "20,00 €",
    "shop": "Le Panier du Val",
    "until": "dimanche 4 juin 2028",
    "giver": "Ada",
    "message": "Bon appétit",
    "recipient": "zoe@example.org",
    "path": "hubs/hub",
}
_AFFAIRS: dict[str, dict[str, Any]] = {
    "vouchers_gift_card": _CARD,
    "account_statement": {
        "hub": "Le Panier du Val",
        "contact": "hub@example.org",
        "balance": "-12,00 €",
        "owes": "12,00 €",
        "lines": [
            {"day": "4 juin", "label": "Commande 12", "amount": "-62,00 €", "balance": "-12,00 €"},
            {"day": "1er juin", "label": "Versement · Chèque 12", "amount": "50,00 €", "balance": "50,00 €"},
        ],
    },
    "empty_sale": {"sale": "Panier de juin", "shop": "Le Panier du Val", "path": "office/hub/sale/s1"},
    "stock_low": {
        "count": 2,
        "path": "office/e1/products",
        "lots": [{"name": "Poireaux", "left": "4 kg", "level": "5 kg"}, {"name": "Miel", "left": "0", "level": "2"}],
    },
    "supplier_answer": {
        "supplier": "La Ferme du Bas",
        "sale": "Panier de juin",
        "number": 24,
        "orders_cut": 2,
        "nothing": False,
        "lines": [{"name": "Aubergines", "coming": 0, "quantity": 12, "reason": "grêle"}],
        "path": "office/hub/receive/p1",
    },
    "producer_away": {
        "producer": "Ferme du Bas",
        "first": "lundi 1 juin 2026",
        "last": "dimanche 7 juin 2026",
        "sales": [{"name": "Panier de juin", "begins": "jeudi 4 juin 2026, 17:00", "pieces": 12}],
        "path": "office/hub/sale/s1",
    },
    "guest_orders_expired": {"count": 3, "numbers": "4, 7, 9", "path": "office/hub/rules"},
    "second_person": {"shop": "Le Panier du Val", "asker": "Ada", "count": 2, "path": "office/hub/money/second"},
    "shop_watch": {"shop": "Le Panier du Val", "path": "tell/s3cret"},
    "shop_sale_open": {
        "shop": "Le Panier du Val",
        "sale": "Panier de juin",
        "closes": "jeudi 4 juin 2026, 20:00",
        "path": "sales/s1",
        "stop_path": "tell/s3cret/stop",
    },
    "webhooks_off": {
        "url": "https://compta.example/hook",
        "because": "gone",
        "error": "",
        "path": "office/hub/settings/webhooks",
    },
    "federation_backorder": {
        "sale": "Panier de juin",
        "platform": "https://platform.example",
        "error": "503",
        "parked": False,
    },
    "federation_notice": {
        "subject": "La Ferme du Bas n’envoie plus ses produits",
        "happened": [{"what": "L’autorisation a été retirée.", "commands": []}],
        "left_out": 0,
        "page": "office/shop/bring",
        "meaning": "Les commandes passées restent valables.",
        "todo": "Appelez la ferme.",
    },
}


class Village:
    """A hub with a place and a slot, which is paid by transfer, and a farm that brings it leeks."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        with instance.store.write() as tx:
            a_shop(tx, "farm", name="La Ferme du Bas", is_producer=True, is_hub=False)
            a_shop(tx, "hub", name="Le Panier du Val", phone=PHONE, street=STREET, postcode=POSTCODE, city=CITY)
            tx.execute(update(enterprise).values(language="fr"))
            account = {"holder": "Le Panier du Val", "iban": IBAN}
            for plugin, settings in (("pickup", {}), ("bank_transfer", account)):
                row = {"enterprise_id": "hub", "plugin": plugin, "settings": settings, "version": 1}
                tx.execute(insert(enterprise_plugin).values(row))
            tx.execute(insert(coordination_supplier).values(coordination_id="hub-sale", enterprise_id="farm"))
            thumbnail = io.BytesIO()
            Image.new("RGB", (400, 300), "green").save(thumbnail, "WEBP")
            picture = Picture(content=b"large", thumbnail=thumbnail.getvalue(), width=400, height=300)
            keep_picture(instance.images, picture)
            set_enterprise_picture(tx, "hub", "logo", add_image(tx, enterprise_id="hub", picture=picture).id)
            lot = a_lot(tx, "farm", name="Poireaux", unit="Kilogram", on_hand="50")
            self.item = an_item(
                tx,
                lot,
                "hub",
                name="Poireaux d’hiver",
                price=320,
                enterprise_id="farm",
                grains=1000,
                unit="Kilogram",
                quantity=Decimal(1),
            )
            place = add_place(
                tx,
                "hub",
                name="Halle des Vallons",
                street=STREET,
                postcode=POSTCODE,
                city=CITY,
                note="Porte bleue, sonnez deux fois.",
            )
            begins_at = tx.now + timedelta(days=2, hours=5)
            slot = add_slot(
                tx, "hub", "hub-session", place_id=place.id, begins_at=begins_at, ends_at=begins_at + timedelta(hours=1)
            )
            terms = publish_legal_text(
                tx, "terms", 0, {"fr": "<p>Apportez vos sacs.</p>", "en": "<p>Bring bags.</p>"}, enterprise_id="hub"
            )
            wish = Wish(
                items={self.item: 3},
                name="Ada Martin",
                email="ada@example.org",
                language="fr",
                shipping=f"pickup:{slot.id}",
                payment_method="bank_transfer:transfer",
                terms_id=terms.id,
            )
            self.order = place_order(tx, instance.hooks, "hub-session", wish, secret="s" * 43)

    def cancel(self) -> None:
        with self.instance.store.write() as tx:
            cancel_order(tx, self.instance.hooks, locked_order(tx, self.order.id, enterprise_id="hub"), by_hub=True)

    def close(self, clock: ManualClock) -> str:
        """Closes the sale and orders from the farm. Returns the id of the order to it."""
        clock.advance(days=1)
        with self.instance.store.write() as tx:
            close_parts(tx)
            tell_supplier(tx, self.instance.hooks, "hub-session", "farm")
        with self.instance.store.read() as tx:
            (order,) = supplier_orders_of(tx, "farm")
        return order.id


def write_every_mail(instance: Instance, clock: ManualClock, language: str) -> dict[str, EmailMessage]:
    """One e-mail of every kind in `language`, by kind."""
    village = Village(instance)
    mails = {kind: _mail(instance, kind, language, **_about_order(village)) for kind in _EARLIER}
    purchase_order_id = village.close(clock)
    mails |= {kind: _mail(instance, kind, language, **_about_order(village)) for kind in _LATER}
    arrived = "bank_transfer_arrived"
    mails[arrived] = _mail(instance, arrived, language, **_order_of(village), values={"amount": 960})
    bought = "vouchers_card_bought"
    mails[bought] = _mail(instance, bought, language, **_order_of(village), values=_CARD)
    village.cancel()
    mails |= {kind: _mail(instance, kind, language, **_about_order(village)) for kind in _CANCELLED}
    household = {"shop": "Le Panier du Val", "other": "Bob Petit <bob@example.org>", "place": "Coop de la Loire"}
    household |= {"role": "packer", "role_name": ""}
    mails |= {
        kind: _mail(instance, kind, language, name="Ada Martin", code="c0de", values=household)
        for kind in ACCOUNT_KINDS
    }
    mails["purchase_order"] = _mail(instance, "purchase_order", language, purchase_order_id=purchase_order_id)
    failing = {"plugin": "stripe", "where": "start_payment", "what": "it took too long", "effect": "refused"}
    mails |= {kind: _mail(instance, kind, language, name="Olga", values=failing) for kind in OPERATOR_KINDS}
    for kind, values in _AFFAIRS.items():
        mails[kind] = _mail(instance, kind, language, enterprise="Le Panier du Val", values=values)
    return mails


def _order_of(village: Village) -> dict[str, Any]:
    return {"order_id": village.order.id, "secret": "s" * 43}


def _about_order(village: Village) -> dict[str, Any]:
    was = [f"2026-06-05T{hour}:00:00+00:00" for hour in (15, 16)]  # when a moved order would have been handed out
    return {**_order_of(village), "amount": 100, "was": was}


def _mail(instance: Instance, kind: str, language: str, **payload: Any) -> EmailMessage:
    job = Job(
        f"job-{kind}-{language}",
        "mail",
        {"kind": kind, "to": f"{kind}@example.org", "language": language, **payload},
        1,
    )
    send_mail(instance, job)
    (file,) = (instance.folder / "mail").glob(f"*-job-{kind}-{language}.eml")
    return email.message_from_bytes(file.read_bytes(), policy=default)


def kinds_with_templates(instance: Instance) -> set[str]:
    """Every kind of e-mail for which the core or a plugin has templates."""
    core = Path(send_mail.__code__.co_filename).parent / "templates"
    folders = [core, *(folder / "templates" / "mail" for folder in instance.hooks.folders().values())]
    return {file.stem for folder in folders for file in folder.glob("*.txt")} - {"order"}
