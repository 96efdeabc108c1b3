"""The office: plugins switched on and off, with forms made from the classes of their settings."""

from __future__ import annotations

import re
from typing import Any

import pytest

from commensal.base.clock import ManualClock
from commensal.enterprises.customer_categories import create_category
from commensal.enterprises.customers import customer_for
from commensal.enterprises.plugins import enable_plugin, enabled_plugins
from commensal.instance import InstanceSettings
from commensal_account.accounts import open_account, write_entry
from commensal_office.settings.forms import GroupList, parts_of, read_parts
from commensal_office.settings.setting_types import marks_in

from .conftest import Browser, Form, Stall
from .test_office import OFFICE, a_member, owner

__all__ = ["owner"]  # a fixture

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

IBAN = "FR7630006000011234567890189"
PLUGINS = f"{OFFICE}/settings/plugins"
ENABLED = [
    "shop",
    "office",
    "cash",
    "pickup",
    "fees",
    "stripe",
    "delivery",
    "bank_transfer",
    "solidarity",
    "account",
    "federation",
]
FEE = {"calculator": "FlatRate", "name": "Emballage", "amount": 150, "type": "packing"}


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    return InstanceSettings(
        name="Les Paniers",
        base_url=settings.base_url,
        language="en",
        limits=settings.limits,
        plugins={"enabled": ENABLED},
    )


def stored(stall: Stall, plugin: str) -> dict[str, Any]:
    with stall.instance.store.read() as tx:
        return enabled_plugins(tx, "shop")[plugin]


def switch_on(stall: Stall, plugin: str, **values: Any) -> None:
    with stall.instance.store.write() as tx:
        enable_plugin(tx, stall.instance.hooks, "shop", plugin, values)


def form_of(browser: Browser) -> Form:
    return next(form for form in browser.page.forms if "version" in form.fields)


def save(browser: Browser, **typed: str) -> None:
    form = form_of(browser)
    browser.post(form.action, **{**form.fields, **typed})


def test_a_plugin_is_switched_on_with_its_settings(owner: Browser, stall: Stall) -> None:
    page = owner.go(f"{OFFICE}/settings")
    assert f"{PLUGINS}/bank_transfer" in page.links()
    page = owner.go(f"{PLUGINS}/bank_transfer")
    assert "Whose account it is, as the bank writes it." in page.text
    save(
        owner,
        **{
            "settings/holder": "Halle",
            "settings/iban": "FR76 3000 6000 0112 3456 7890 189",
            "settings/days": "10",
            "settings/csv/date": "Datum",
        },
    )
    assert "Saved." in owner.page.text
    assert stored(stall, "bank_transfer") == {
        "holder": "Halle",
        "iban": "FR76 3000 6000 0112 3456 7890 189",
        "days": 10,
        "csv": {"date": "Datum"},
    }


def test_what_equals_the_default_is_not_stored(owner: Browser, stall: Stall) -> None:
    owner.go(f"{PLUGINS}/bank_transfer")
    assert form_of(owner).fields["settings/days"] == "7"
    save(owner, **{"settings/iban": IBAN, "settings/holder": "Les Paniers"})
    assert stored(stall, "bank_transfer") == {"iban": IBAN, "holder": "Les Paniers"}


def test_a_wrong_setting_stands_at_its_field_and_stores_nothing(owner: Browser, stall: Stall) -> None:
    owner.go(f"{PLUGINS}/bank_transfer")
    save(owner, **{"settings/days": "soon"})
    assert owner.status == 422
    assert "settings/days-problem" in owner.page.ids()
    assert form_of(owner).fields["settings/days"] == "soon"
    save(owner, **{"settings/days": "7", "settings/iban": "FR00"})
    assert "is not an IBAN" in owner.page.text
    with pytest.raises(KeyError):
        stored(stall, "bank_transfer")


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        ("bank_transfer", "Give the IBAN to which customers transfer"),
        ("stripe", "This key is missing"),
        ("delivery", "Add a zone with its postcodes"),
    ],
)
def test_what_would_offer_nothing_to_anybody_is_not_switched_on(
    owner: Browser, stall: Stall, plugin: str, words: str
) -> None:
    owner.go(f"{PLUGINS}/{plugin}")
    save(owner)
    assert (owner.status, words in owner.page.text) == (422, True)
    with pytest.raises(KeyError):
        stored(stall, plugin)


def test_a_secret_is_kept_and_never_shown(owner: Browser, stall: Stall) -> None:
    secret = "sk_test_abcdefgh"
    switch_on(stall, "stripe", secret_key=secret, webhook_secret="whsec_xyz")
    page = owner.go(f"{PLUGINS}/stripe")
    assert "One is kept, and never shown" in page.text
    assert not any(secret in value for _, attributes in page.elements for value in attributes.values())
    assert form_of(owner).fields["settings/secret_key"] == ""
    owner.post(owner.at, **{**form_of(owner).fields, "settings/webhook_secret": "no-such-secret"})
    assert owner.status == 422
    assert "no-such-secret" not in str(owner.page.elements), "a secret that was refused is not shown either"


def test_a_fee_is_added_changed_and_removed(owner: Browser, stall: Stall) -> None:
    switch_on(stall, "fees", fees=[FEE])
    with stall.instance.store.write() as tx:
        friends = create_category(tx, "shop", name="Amis").id
    owner.go(f"{PLUGINS}/fees")
    form = form_of(owner)
    typed = {**form.fields, "settings/fees/0/amount": "2,00", "add": "settings/fees:FlatPercentItemTotal"}
    owner.post(form.action, **typed)
    assert stored(stall, "fees")["fees"] == [FEE], "one more part is shown before anything is stored"
    assert form_of(owner).fields["settings/fees/0/amount"] == "2.00"
    more = {
        "settings/fees/1/name": "Marché",
        "settings/fees/1/percent": "2,5",
        f"settings/fees/1/categories/{friends}": "1",
    }
    save(owner, **more)
    first, second = stored(stall, "fees")["fees"]
    assert (first["amount"], first["type"]) == (200, "packing")
    assert second == {"calculator": "FlatPercentItemTotal", "name": "Marché", "percent": "2.5", "categories": [friends]}
    owner.go(f"{PLUGINS}/fees")
    save(owner, **{"settings/fees/0/remove": "1"})
    assert [fee["name"] for fee in stored(stall, "fees")["fees"]] == ["Marché"]


def test_a_fee_offers_coming_sales_with_their_days_and_keeps_what_is_over(
    owner: Browser, stall: Stall, clock: ManualClock
) -> None:
    slot = stall.slots[0]
    ways = {f"settings/fees/0/sale_sessions/{id}": "1" for id in ("shop-session",)} | {
        f"settings/fees/0/shipping/{slot}": "1"
    }
    switch_on(stall, "fees", fees=[FEE])
    page = owner.go(f"{PLUGINS}/fees")
    assert re.search(r"· \w+day, \d+ \w+ 20\d\d", page.text), "five weekly sales differ by their days"
    assert page.text.count("always") == 2, "each plugin once, by its name"
    save(owner, **ways)
    clock.advance(days=10)
    page = owner.go(f"{PLUGINS}/fees")
    assert page.text.count("1 chosen before, which is over") == 2
    assert stall.slots[1] not in str(page.elements), "nobody can choose another place of that day"
    save(owner)
    (fee,) = stored(stall, "fees")["fees"]
    assert (fee["sale_sessions"], fee["shipping"]) == (["shop-session"], [slot])


def test_lists_in_lists_are_read_as_they_are_shown(owner: Browser, stall: Stall) -> None:
    zone = {
        "id": "centre",
        "name": "Centre",
        "postcodes": ["37000", "371*"],
        "free_from": 5000,
        "steps": [{"above": "10", "price": 800}],
    }
    switch_on(stall, "delivery", zones=[zone], vat_rate=None)
    owner.go(f"{PLUGINS}/delivery")
    save(owner)
    assert stored(stall, "delivery") == {"zones": [zone], "vat_rate": None}


def test_saving_keeps_line_breaks_and_secrets_that_are_stored(owner: Browser, stall: Stall) -> None:
    values = {"secret_key": "sk_test_abcdefgh", "webhook_secret": "whsec_xyz", "label": "Carte\nbancaire"}
    switch_on(stall, "stripe", **values)
    owner.go(f"{PLUGINS}/stripe")
    assert form_of(owner).fields["settings/label"].split() == ["Carte", "bancaire"]
    with stall.instance.store.read() as tx:
        shape = stall.instance.hooks.settings_class("stripe")
        assert shape is not None
        stored_values = enabled_plugins(tx, "shop")["stripe"]
    parts = read_parts(shape, form_of(owner).fields, "settings", stored_values)
    assert parts == {"secret_key": "***", "webhook_secret": "***", "label": "Carte\nbancaire"}


def test_two_people_at_once_lose_nothing(owner: Browser, stall: Stall) -> None:
    owner.go(f"{PLUGINS}/cash")
    before = form_of(owner)
    save(owner, **{"settings/instructions": "Faites l’appoint."})
    owner.post(before.action, **{**before.fields, "settings/instructions": "Autre chose."})
    assert owner.status == 422
    assert stored(stall, "cash") == {"instructions": "Faites l’appoint."}


def test_switching_off_says_what_happens_first(owner: Browser, stall: Stall) -> None:
    page = owner.go(f"{PLUGINS}/cash")
    assert f"{PLUGINS}/cash?ask=off" in page.links()
    page = owner.go(f"{PLUGINS}/cash?ask=off")
    assert "its settings are forgotten" in page.text
    owner.send("?then=off")
    with pytest.raises(KeyError):
        stored(stall, "cash")


def test_a_plugin_that_has_to_stay_says_why(owner: Browser, stall: Stall) -> None:
    switch_on(stall, "account")
    with stall.instance.store.write() as tx:
        customer = customer_for(tx, "shop", email="ada@example.org", name="Ada")
        open_account(tx, "shop", customer.id)
        write_entry(tx, "shop", customer.id, "paid in", 2000, note="", person_id=None)
    owner.go(f"{PLUGINS}/account?ask=off")
    owner.send("?then=off")
    assert (owner.status, stored(stall, "account")) == (422, {})
    assert "Accounts that are not at zero: 1." in owner.page.text


def test_only_who_may_set_plugins_sees_them(browser: Browser, stall: Stall) -> None:
    browser.log_in(a_member(stall, "accountant"))
    browser.go(f"{PLUGINS}/cash")
    assert browser.status == 403
    browser.post(f"{PLUGINS}/cash?then=off")
    assert browser.status == 403
    assert stored(stall, "cash") == {}


def test_every_setting_of_every_bundled_plugin_has_a_field(stall: Stall) -> None:
    hooks = stall.instance.hooks
    unknown = []
    for plugin in ENABLED:
        shape = hooks.settings_class(plugin)
        if shape is not None:
            parts = parts_of(shape, {}, plugin, dict.fromkeys(marks_in(shape), ()))
            unknown += [part.name for part in parts if getattr(part, "kind", "") == "unknown"]
            unknown += [part.name for part in parts if isinstance(part, GroupList) and not part.kinds]
    assert unknown == []
