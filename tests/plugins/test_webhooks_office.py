"""The office: addresses of webhooks are added, tried, given a new secret and removed by people who do not program."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import insert

from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise_plugin
from commensal.testing import RunJobs
from commensal.testing.receiver import Receiver
from commensal_webhooks.data import samples
from commensal_webhooks.hooks import KINDS, Hook, hooks_of

from .conftest import Browser, Stall
from .test_office import OFFICE, a_member, owner
from .test_webhooks import settings

__all__ = ["owner", "settings"]  # fixtures
PLUGINS = ("shop", "office", "cash", "pickup", "webhooks")

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

WEBHOOKS = f"{OFFICE}/settings/webhooks"


@pytest.fixture(autouse=True)
def switched_on(stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="webhooks", settings={}, version=1))


def hooks(stall: Stall) -> list[Hook]:
    with stall.instance.store.read() as tx:
        return hooks_of(tx, "shop")


def add(browser: Browser) -> None:
    browser.go(WEBHOOKS)
    browser.send(WEBHOOKS, url="https://example.org/told")


def test_an_address_is_added_tried_and_asked_again(owner: Browser, stall: Stall, clock: ManualClock) -> None:
    assert WEBHOOKS in owner.go(f"{OFFICE}/settings").links()
    with Receiver() as receiver:
        owner.go(WEBHOOKS)
        owner.send(WEBHOOKS, **{"url": f"{receiver.url}/told", "event-order_placed": "1"})
        (hook,) = hooks(stall)
        assert ("whsec_" in owner.page.text, hook.events, hook.personal) == (True, ["order_placed"], False)
        page = f"{WEBHOOKS}/{hook.id}"
        assert "whsec_" not in owner.go(page).text
        owner.post(f"{page}?then=test", version="1")
        RunJobs(stall.instance, clock)()
        assert [message.path for message in receiver.received] == ["/told"]
        assert "delivered" in owner.go(page).text
        owner.send(f"{page}?then=again")
        RunJobs(stall.instance, clock)()
        assert len(receiver.received) == 2


def test_a_mistake_is_told_at_its_field_and_nothing_typed_is_lost(owner: Browser, stall: Stall) -> None:
    owner.go(WEBHOOKS)
    owner.send(WEBHOOKS, **{"url": "ftp://example.org", "event-sold_out": "1"})
    fields = owner.page.form(WEBHOOKS).fields
    assert (owner.status, fields["url"], "event-sold_out" in fields) == (422, "ftp://example.org", True)
    for _ in range(2):
        add(owner)
    assert (owner.status, len(hooks(stall))) == (409, 1)
    assert "in the list already" in owner.page.text


def test_an_address_is_switched_off_gets_a_new_secret_and_is_removed(owner: Browser, stall: Stall) -> None:
    add(owner)
    (hook,) = hooks(stall)
    page = f"{WEBHOOKS}/{hook.id}"
    owner.post(f"{page}?then=off", version="1")
    assert [hook.enabled for hook in hooks(stall)] == [False]
    owner.post(f"{page}?then=on", version="1")
    assert (owner.status, hooks(stall)[0].enabled) == (422, False), "somebody has changed it since"
    owner.post(f"{page}?then=secret", version="2")
    assert "whsec_" in owner.page.text
    owner.post(f"{page}?then=remove")
    assert (hooks(stall), owner.at) == ([], f"{WEBHOOKS}?done=removed")


def test_who_may_not_set_plugins_sees_no_address(browser: Browser, stall: Stall) -> None:
    browser.log_in(a_member(stall, "accountant"))
    browser.go(WEBHOOKS)
    assert browser.status == 403
    browser.post(WEBHOOKS, **{"event-sold_out": "1"})
    assert (browser.status, hooks(stall)) == (403, [])


def test_what_messages_look_like_is_shown_before_the_first_one(owner: Browser, stall: Stall) -> None:
    page = owner.go(WEBHOOKS)
    assert '"fulfilment_state": "Unfulfilled"' in page.text
    shown = {kind: json.loads(text) for kind, text in samples(personal=True).items()}
    assert {kind: message["kind"] for kind, message in shown.items()} == {kind: kind for kind in KINDS}
    assert shown["order_paid"]["data"]["order"]["customer"]["email"] == "ada@example.org"
    plain = json.loads(samples(personal=False)["order_paid"])
    assert "customer" not in plain["data"]["order"]
