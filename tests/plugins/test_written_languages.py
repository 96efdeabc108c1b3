"""What a hub writes, in more languages than its own: each reader gets theirs, else the hub's, marked as such."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest
from sqlalchemy import select

from commensal.catalogs.tables import catalog_item
from commensal.enterprises.customers import customer_for
from commensal.enterprises.enterprises import change_enterprise, enterprise_by_id
from commensal.enterprises.plugins import enable_plugin, plugin_settings
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.parts.mail import deliver
from commensal.people.people import Person
from commensal.sale_sessions.questions import sale_by_id, sessions_of_shop
from commensal.sale_sessions.values import SaleSession
from commensal.testing.instances import RunJobs
from commensal_account.accounts import open_account, write_entry
from commensal_delivery.zones import DeliverySettings
from commensal_pickup.places import places_of

from .conftest import Browser, Stall, buy, to_the_checkout
from .test_office import OFFICE, owner
from .test_office import PLUGINS as OF_OFFICE

__all__ = ["owner"]  # a fixture

PLUGINS = (*OF_OFFICE, "account", "delivery", "distribution_lists", "fees")

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

SHOP = "/sales/shop-session"
OWN = ("Emballage", "Faites l’appoint.", "Le bourg", "le mercredi")  # what the hub writes first
PROFILE, SALE = f"{OFFICE}/settings/profile", f"{OFFICE}/sale/shop-session"


def session(stall: Stall) -> SaleSession:
    with stall.instance.store.read() as tx:
        return sale_by_id(tx, "shop-session").session


def test_a_story_is_written_in_several_languages_and_read_in_ones_own(owner: Browser, stall: Stall) -> None:
    owner.go(PROFILE)
    own = "Douze familles."
    owner.send("/profile", description=own, **{"descriptions/en": "Twelve families.\n\nThree farms."})
    assert owner.go(PROFILE).form("/profile").fields["descriptions/en"] == "Twelve families.\n\nThree farms."
    reader = owner.another()
    reader.reads("en")
    page = reader.go("/hubs/shop")
    assert "Twelve families." in page.text
    assert own not in page.text
    reader.reads("de")
    page = reader.go("/hubs/shop")
    assert own in page.text
    assert {"itemprop": "description", "lang": "fr"} in [attributes for _, attributes in page.elements]


def test_goods_are_named_in_several_languages_and_read_and_found_in_ones_own(
    owner: Browser, stall: Stall, run_jobs: RunJobs
) -> None:
    with stall.instance.store.read() as tx:
        product_id = tx.value(select(catalog_item.c.product_id).where(catalog_item.c.id == stall.small))
    form = f"/products/{product_id}"
    owner.go(f"{OFFICE}{form}")
    owner.send(form, description="Du sable.", **{"names/en": "Carrots", "descriptions/en": "Grown in sand."})
    fields = owner.go(f"{OFFICE}{form}").form(form).fields
    assert (fields["names/en"], fields["descriptions/en"]) == ("Carrots", "Grown in sand.")
    reader = owner.another()
    reader.reads("en")
    page = reader.go(f"{SHOP}?q=carrot")
    assert "Carrots" in page.text
    assert "Grown in sand." in page.text
    assert "Carottes" not in page.text
    reader.go(SHOP)
    reader.send("/cart", **{f"items/{stall.small}": "1"})
    assert "Carrots" in reader.go(f"{SHOP}/cart").text
    reader.go(f"{SHOP}/checkout")
    assert "Carrots" in reader.page.text
    buy(reader, stall, email="eve@example.org")
    assert ("Carrots" in reader.page.text, "Carottes" in reader.page.text) == (True, False)
    assert "Carrots" in reader.go(f"{reader.at}/change").text
    run_jobs(hours=1)  # the e-mail waits a while for the payment to begin
    seen = [("Carrots" in body, "Carottes" in body) for body in bodies_to(stall, "eve@example.org")]
    assert seen == [(True, False), (True, False)]
    reader.reads("de")
    page = reader.go(SHOP)
    assert "Carottes" in page.text
    assert ("h3", {"lang": "fr"}) in page.elements
    with stall.instance.store.write() as tx:
        enable_plugin(tx, stall.instance.hooks, "shop", "distribution_lists", {})
    for language, name in (("en", "Carrots"), ("fr", "Carottes"), ("de", "Carottes")):
        for report in ("by_product", "by_customer", "by_supplier"):
            address = f"/api/enterprises/shop/reports/distribution_lists/{report}"
            paper = owner.client.get(address, params={"language": language, "format": "html"})
            assert name in paper.text, (language, report)


def test_a_place_is_named_in_the_language_of_who_collects_there(
    owner: Browser, stall: Stall, run_jobs: RunJobs
) -> None:
    with stall.instance.store.read() as tx:
        hall = next(place for place in places_of(tx, "shop") if place.name == "Salle des fêtes")
    form = f"/places/{hall.id}"
    owner.go(f"{OFFICE}{form}")
    owner.send(form, note="La porte bleue.", **{"names/en": "Village hall", "notes/en": "The blue door."})
    fields = owner.go(f"{OFFICE}{form}").form(form).fields
    assert (fields["names/en"], fields["notes/en"]) == ("Village hall", "The blue door.")
    assert fields["name"] == "Salle des fêtes"
    for language, words in (("en", ("Village hall", "The blue door.")), ("de", ("Salle des fêtes", "La porte bleue."))):
        reader = owner.another()
        reader.reads(language)
        to_the_checkout(reader, stall, small=1)
        buy(reader, stall, email=f"{language}@example.org")
        run_jobs(hours=1)  # the e-mail waits a while for the payment to begin
        for text in (reader.page.text, *bodies_to(stall, f"{language}@example.org")):
            assert [word in text for word in words] == [True, True], language


def test_a_language_that_no_page_offers_survives_the_form(owner: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        version = enterprise_by_id(tx, "shop").version
        change_enterprise(tx, "shop", version, descriptions={"br": "<p>Demat.</p>", "en": "<p>Hello.</p>"})
    owner.go(PROFILE)
    owner.send("/profile", **{"descriptions/en": ""})
    with stall.instance.store.read() as tx:
        assert enterprise_by_id(tx, "shop").descriptions == {"br": "<p>Demat.</p>"}


def test_a_note_on_a_sale_is_read_on_its_page_and_in_mails_in_ones_own_language(
    owner: Browser, stall: Stall, run_jobs: RunJobs
) -> None:
    owner.go(SALE)
    owner.send("then=note", note="Le pain est là.", **{"notes/en": "Bread comes."})
    assert "The note is saved." in owner.page.text
    assert (session(stall).note, session(stall).notes) == ("Le pain est là.", {"en": "Bread comes."})
    notes = {"fr": "Le pain est là.", "en": "Bread comes.", "de": "Le pain est là."}
    for language, note in notes.items():
        reader = owner.another()
        reader.reads(language)
        assert note in reader.go("/sales/shop-session").text
    for slot, language in enumerate(("en", "de")):
        wish = Wish(
            items={stall.small: 1},
            name="Zoé",
            email=f"{language}@example.org",
            shipping=stall.slots[slot],
            payment_method="cash:cash",
            language=language,
        )
        with stall.instance.store.write() as tx:
            place_order(tx, stall.instance.hooks, "shop-session", wish)
        run_jobs(hours=1)  # the e-mail waits a while for the payment to begin
        texts = [notes[language] in body for body in bodies_to(stall, f"{language}@example.org")]
        assert texts == [True, True], language
    html = bodies_to(stall, "de@example.org")[1]
    assert f'lang="fr">{notes["fr"]}' in html


def test_a_sale_has_the_name_of_the_readers_language_on_pages_and_in_mails(
    owner: Browser, stall: Stall, run_jobs: RunJobs
) -> None:
    owner.go(SALE)
    owner.send("then=names", **{"names/en": "Sale of June"})
    assert "The names are saved." in owner.page.text
    assert owner.page.form("then=names").fields["names/en"] == "Sale of June"
    reader = owner.another()
    for language, name, other in (("en", "Sale of June", "Vente de juin"), ("de", "Vente de juin", "Sale of June")):
        reader.reads(language)
        for page in ("/", "/hubs/shop", SHOP):
            text = reader.client.get(page).text
            assert (name in text, other in text) == (True, False), page
        feed = reader.client.get("/hubs/shop/sales.atom").text  # anybody may keep it, so it has one language
        assert ('xml:lang="fr"' in feed, "Vente de juin" in feed, "samedi 6 juin" in feed) == (True, True, True)
        to_the_checkout(reader, stall, small=1)
        buy(reader, stall, email=f"{language}@example.org")
        run_jobs(hours=1)  # the e-mail waits a while for the payment to begin
        for text in (reader.page.text, *bodies_to(stall, f"{language}@example.org")):
            assert (name in text, other in text) == (True, False)
    assert ("h1", {"lang": "fr"}) in reader.go(SHOP).elements
    with stall.instance.store.write() as tx:
        enable_plugin(tx, stall.instance.hooks, "shop", "distribution_lists", {})
    address = "/api/enterprises/shop/reports/distribution_lists/by_product"
    assert "Sale of June" in owner.client.get(address, params={"language": "en", "format": "html"}).text


def test_the_reason_of_a_closure_is_read_in_ones_own_language(owner: Browser, stall: Stall) -> None:
    with stall.instance.store.read() as tx:
        hall = next(place for place in places_of(tx, "shop") if place.name == "Salle des fêtes")
    owner.go(f"{OFFICE}/places/{hall.id}")
    typed = {"reason": "Inventaire", "reasons/en": "Stocktaking"}
    owner.send("then=close", first_day="", **typed)
    assert owner.status == 422
    fields = owner.page.form("then=close").fields
    assert {name: fields[name] for name in typed} == typed, "nothing is typed twice"
    owner.send("then=close", first_day="2026-06-06", **typed)
    for language, reason in (("en", "Stocktaking"), ("de", "Inventaire")):
        reader = owner.another()
        reader.reads(language)
        to_the_checkout(reader, stall, small=1)
        assert reason in reader.page.text


def test_a_line_with_a_placeholder_is_for_the_mails_of_those_who_have_it(
    owner: Browser, stall: Stall, ada: Person, run_jobs: RunJobs
) -> None:
    assert "{account_balance} what is on the customer's account" not in owner.go(SALE).text
    with stall.instance.store.write() as tx:
        enable_plugin(tx, stall.instance.hooks, "shop", "account", {})
        member = customer_for(tx, "shop", email="ada@example.org", name="Ada", person_id=ada.id)
        open_account(tx, "shop", member.id)
        write_entry(tx, "shop", member.id, "paid in", 2000, note="", person_id=None)
    assert "{account_balance} what is on the customer's account" in owner.go(SALE).text
    owner.send("then=note", note="Balance: {acount_balance}")
    assert (owner.status, session(stall).note) == (422, "")
    assert "No plugin knows what {acount_balance} stands for." in owner.page.text
    owner.go(SALE)
    owner.send("then=note", note="Le pain est là.\r\nSur votre compte : {account_balance}")
    page = owner.another().go("/sales/shop-session").text
    assert "Le pain est là." in page
    assert "Sur votre compte" not in page
    for slot, (name, person_id) in enumerate({"ada": ada.id, "zoe": None}.items()):
        wish = Wish(
            items={stall.small: 1},
            name=name,
            email=f"{name}@example.org",
            shipping=stall.slots[slot],
            payment_method="cash:cash",
            language="fr",
        )
        with stall.instance.store.write() as tx:
            place_order(tx, stall.instance.hooks, "shop-session", wish, person_id=person_id)
        run_jobs(hours=1)
    for body in bodies_to(stall, "ada@example.org"):
        assert "Le pain est là." in body
        assert "Sur votre compte : 20,00\N{NO-BREAK SPACE}€" in body
    assert '<p class="lines"' in body, "lines of the note are lines of the e-mail"
    for body in bodies_to(stall, "zoe@example.org"):
        assert "Le pain est là." in body
        assert "Sur votre compte" not in body


def bodies_to(stall: Stall, address: str) -> list[str]:
    """The text and the HTML of the only e-mail to this address."""
    messages = [
        message_from_bytes(file.read_bytes(), policy=policy.default)
        for file in (stall.instance.folder / deliver.FOLDER).glob("*.eml")
    ]
    (mail,) = [message for message in messages if address in message["To"]]
    parts = [mail.get_body((kind,)) for kind in ("plain", "html")]
    return [part.get_content() for part in parts if part is not None]


def test_a_note_that_cannot_be_is_said_at_its_field_and_kept_there(owner: Browser, stall: Stall) -> None:
    owner.go(SALE)
    owner.send("then=note", note="Le pain.", **{"notes/en": "Bread\u202e"})
    assert owner.status == 422
    assert owner.page.form("then=note").fields["notes/en"] == "Bread\u202e"
    assert session(stall).note == ""


def test_two_who_write_the_note_at_once_do_not_overwrite_each_other(owner: Browser, stall: Stall) -> None:
    form = owner.go(SALE).form("then=note").fields
    owner.send("then=note", note="Le pain.")
    owner.post(f"{SALE}?then=note", **{**form, "note": "Le lait."})
    assert owner.status in (409, 412, 422)
    assert session(stall).note == "Le pain."


def test_the_next_sale_takes_the_note_over_in_all_languages(owner: Browser, stall: Stall) -> None:
    owner.go(SALE)
    owner.send("then=note", note="Le pain.", **{"notes/en": "Bread."})
    owner.send("then=names", **{"names/en": "Sale of June"})
    owner.send("then=next", opens_at="2026-06-12T08:00")
    with stall.instance.store.read() as tx:
        copies = [each for each in sessions_of_shop(tx, "shop") if each.id != "shop-session"]
    assert [(copy.note, copy.notes) for copy in copies] == [("Le pain.", {"en": "Bread."})]
    assert [(copy.name, copy.names) for copy in copies] == [("Vente de juin", {"en": "Sale of June"})]


def test_a_fee_a_zone_and_what_a_hub_writes_in_its_settings_are_read_in_the_readers_language(
    owner: Browser, stall: Stall, run_jobs: RunJobs
) -> None:
    settings: dict[str, dict[str, object]] = {
        "fees": {"fees": [{"calculator": "FlatRate", "name": "Emballage", "amount": 100}]},
        "delivery": {
            "zones": [{"id": "bourg", "name": "Le bourg", "postcodes": ["96*"], "names": {"br": "Ar vourc'h"}}]
        },
        "shop": {"opening_hours": "le mercredi"},
    }
    with stall.instance.store.write() as tx:
        for plugin, values in settings.items():
            enable_plugin(tx, stall.instance.hooks, "shop", plugin, values)
    fees, delivery, shop, cash = (f"{OFFICE}/settings/plugins/{plugin}" for plugin in (*settings, "cash"))
    owner.go(cash)
    owner.send(cash, **{"settings/instructions": "Faites l’appoint."})
    for page, field, text in (
        (fees, "settings/fees/0/names/en", "Packing"),
        (delivery, "settings/zones/0/names/en", "The village"),
        (shop, "settings/other_opening_hours/en", "on Wednesdays"),
        (cash, "settings/other_instructions/en", "Bring change."),
    ):
        owner.go(page)
        owner.send(page, **{field: text})
        assert owner.go(page).form(page).fields[field] == text
    for language, words, others in (
        ("en", ("Packing", "Bring change.", "The village", "on Wednesdays"), OWN),
        ("de", OWN, ("Packing", "Bring change.", "The village", "on Wednesdays")),
    ):
        reader = owner.another()
        reader.reads(language)
        hub = reader.go("/hubs/shop").text
        to_the_checkout(reader, stall, small=1)
        buy(reader, stall, email=f"{language}@example.org")
        run_jobs(hours=1)  # the e-mail waits a while for the payment to begin
        seen = [reader.page.text, *bodies_to(stall, f"{language}@example.org")]
        for place in (0, 1):
            assert [words[place] in text and others[place] not in text for text in seen] == [True, True, True], language
        assert [word in hub for word in (*words[2:], *others[2:])] == [True, True, False, False], language
    with stall.instance.store.read() as tx:
        kept = plugin_settings(tx, stall.instance.hooks, "shop", "delivery", DeliverySettings).zones[0]
    assert kept.named("br") == "Ar vourc'h", "a language that no page offers survives the form"
