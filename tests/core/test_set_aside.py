"""A plugin that is set aside: the operators get an e-mail, at most one a day, and the checks name the plugin."""

from __future__ import annotations

import email
from collections.abc import Callable
from datetime import timedelta
from email.policy import default as modern
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from commensal.base.clock import ManualClock
from commensal.base.errors import PluginError
from commensal.base.ids import SeededIds
from commensal.hooks import specifications
from commensal.hooks.breaker import FAILURES
from commensal.hooks.contract import Hook
from commensal.hooks.failures import SET_ASIDE
from commensal.instance import Instance
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.parts.mail.to_people import effect_of
from commensal.parts.monitoring.environment import warnings
from commensal.parts.monitoring.health import Watcher
from commensal.parts.serving.work import work_of
from commensal.people.people import Person
from commensal.people.tables import person
from commensal.storage.database import Store
from commensal.storage.jobs.run import CLAIM, run_due
from commensal.storage.jobs.tables import job
from commensal.testing.probe import Probe, World, build

ORDERS = "cannot take, change or cancel orders"


@pytest.fixture
def world(store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path) -> World:
    return build(store, clock, ids, tmp_path, Probe("price_adjustments", "raises"))


def fail_until_set_aside(world: World, times: int = FAILURES) -> None:
    wish = Wish(items={world.item: 1}, name="Ada", email="ada@example.org", shipping="probe:van")
    for _ in range(times):
        with pytest.raises(PluginError, match="broken on purpose"):
            world.instance.store.transact(lambda tx: place_order(tx, world.hooks, "shop-session", wish))
    world.hooks.flush_failures()


def run_jobs(instance: Instance) -> None:
    while run_due(instance, work_of(instance)):
        pass


def mails(instance: Instance) -> dict[str, list[str]]:
    """Returns the subject and text of the e-mails to each address."""
    texts: dict[str, list[str]] = {}
    for file in sorted((instance.folder / "mail").glob("*.eml")):
        message = email.message_from_bytes(file.read_bytes(), policy=modern)
        body = message.get_body(("plain",))
        assert body is not None
        text = " ".join(f"{message['Subject']}\n{body.get_content()}".split())
        texts.setdefault(message["To"].addresses[0].addr_spec, []).append(text)
    return texts


def test_each_operator_reads_which_plugin_where_what_it_means_and_what_to_do(
    world: World, store: Store, somebody: Callable[..., Person]
) -> None:
    operators = [somebody("Olga", operator=True), somebody("Oscar", operator=True)]
    stranger = somebody("Ada")
    with store.write() as tx:
        tx.execute(update(person).where(person.c.id == operators[1].id).values(language="fr"))
        tx.execute(update(person).where(person.c.id == operators[0].id).values(language="en"))
    fail_until_set_aside(world)
    run_jobs(world.instance)
    texts = mails(world.instance)
    assert stranger.email not in texts
    (english,), (french,) = texts[operators[0].email], texts[operators[1].email]
    for part in ("The plugin probe", "price_adjustments", "RuntimeError: broken on purpose", ORDERS, "instance.toml"):
        assert part in english
    for part in ("L’extension probe", "price_adjustments", "ni annuler de commandes", "instance.toml"):
        assert part in french


def test_there_is_one_mail_a_day_however_often_the_plugin_is_set_aside(
    world: World, clock: ManualClock, somebody: Callable[..., Person]
) -> None:
    operator = somebody("Olga", operator=True)
    fail_until_set_aside(world)
    for day in (1, 2):
        for _ in range(3):
            clock.advance(minutes=2)
            fail_until_set_aside(world, times=1)  # the trial after a minute fails too
        run_jobs(world.instance)
        assert len(mails(world.instance)[operator.email]) == day
        clock.advance(hours=15)  # the next day in UTC, and the sale is still open
    with world.instance.store.read() as tx:
        assert tx.value(select(func.count()).where(job.c.kind == SET_ASIDE)) == 2


def test_a_worker_that_is_killed_after_promising_the_mails_does_not_promise_them_twice(
    world: World, clock: ManualClock, somebody: Callable[..., Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = somebody("Olga", operator=True)
    run_jobs(world.instance)  # those of the shop
    fail_until_set_aside(world)

    def die(name: str) -> None:
        if name == "job.done":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("commensal.storage.jobs.run.failpoint", die)
        run_due(world.instance, work_of(world.instance))
    clock.advance(seconds=CLAIM / timedelta(seconds=1) + 1)
    run_jobs(world.instance)
    assert len(mails(world.instance)[operator.email]) == 1


def test_health_and_check_name_the_plugin(world: World) -> None:
    fail_until_set_aside(world)
    text = "The plugin probe failed in price_adjustments lately; `commensal plugins` tells how."
    assert text in Watcher(world.instance).health().reasons
    assert text in map(str, warnings(world.instance))


def test_every_hook_says_what_it_means_for_orders() -> None:
    """A new hook in a transaction of an enterprise that is not skipped must be put with orders or with the rest."""
    hooks = [hook for hook in vars(specifications).values() if isinstance(hook, Hook)]
    effects = {hook.name: effect_of(hook.name) for hook in hooks}
    refusing_hooks = {name for name, effect in effects.items() if effect == "refused"}
    needed = {
        hook.name
        for hook in hooks
        if hook.contract.scope == "enterprise" and hook.contract.where == "transaction" and hook.name in refusing_hooks
    }
    ends_no_order = "they end copying and moving a sale, switching a plugin on, and keeping money for a customer"
    assert needed == {"sale_copied", "sale_moved", "switched_on", "credit_customer"}, ends_no_order
    assert effects["price_adjustments"] == "orders"
    assert effects["payment_methods"] == "skipped"
    assert effects["order_placed"] == "retried"
    assert {effect_of(where) for where in ("page /page", "endpoint look", "report all", "job probe.work")} == {"apart"}
