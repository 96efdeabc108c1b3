"""What Prometheus reads at /-/metrics: figures that agree with the events counted, closed to strangers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, update
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.enterprises.counters import next_number
from commensal.enterprises.tokens import make_token
from commensal.hooks.breaker import Failure
from commensal.hooks.failures import note_failures
from commensal.instance import InstanceSettings, Secret
from commensal.instance.settings import LimitSettings, WatchingSettings
from commensal.parts.backups.upkeep.upkeep import BACKUP, enqueue_once, mark_done
from commensal.people.actor import OPERATOR
from commensal.people.people import Person
from commensal.storage.database import Store
from commensal.storage.jobs import enqueue
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_shop

SECRET = "a monitor's own secret"
MONITOR = {"Authorization": f"Bearer {SECRET}"}
Somebody = Callable[..., Person]
Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def settings() -> InstanceSettings:
    limits = LimitSettings(reads=100_000, writes=100_000, logins=100_000)
    watching = WatchingSettings(secret=Secret(SECRET))
    return InstanceSettings(name="Test", base_url="http://testserver", language="en", limits=limits, watching=watching)


def read_samples(client: TestClient) -> Figures:
    """Returns the value of every sample by its name and labels, parsed as Prometheus does."""
    answer = client.get("/-/metrics", headers=MONITOR)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def value_of(samples: Figures, name: str, **labels: str) -> float | None:
    return samples.get((name, tuple(sorted(labels.items()))))


def test_strangers_see_no_figures(client: TestClient, store: Store, somebody: Somebody) -> None:
    assert client.get("/-/metrics").status_code == 401
    assert client.get("/-/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    ada, bob = somebody("Ada"), somebody("Bob", operator=True)
    with store.write() as tx:
        token = make_token(tx, ada.id, name="mine", scopes={"self"})
        operators = make_token(tx, bob.id, name="monitor", scopes={OPERATOR})
    assert client.get("/-/metrics", headers={"Authorization": f"Bearer {token.secret}"}).status_code == 403
    assert client.get("/-/metrics", headers={"Authorization": f"Bearer {operators.secret}"}).status_code == 200


def test_requests_are_counted_by_the_template_of_their_route(client: TestClient) -> None:
    for slug in ("one", "two", "three"):
        client.get(f"/api/shops/{slug}")
        client.get(f"/api/enterprises/{slug}")
    samples = read_samples(client)
    route = {"method": "GET", "route": "/api/enterprises/{enterprise}"}
    assert value_of(samples, "commensal_requests_total", **route, status="401") == 3
    assert value_of(samples, "commensal_request_seconds_count", **route) == 3
    assert value_of(samples, "commensal_request_seconds_bucket", **route, le="+Inf") == 3


def test_no_label_can_be_chosen_by_who_asks(client: TestClient) -> None:
    before = set(read_samples(client))
    for number in range(50):
        client.get(f"/nowhere/{number}?q={number}")
        client.get(f"/api/enterprises/{number}/products/{number}")
        client.request(f"METHOD{number}", "/-/health")
        client.request(f"METHOD{number}", "/api/me")
    new = set(read_samples(client)) - before
    chosen_by_client = [
        labels
        for _, labels in new
        if any(char.isdigit() for name, value in labels if name == "route" for char in value)
    ]
    assert chosen_by_client == []
    assert {dict(labels).get("method") for _, labels in new} <= {"GET", "other", None}
    assert len({labels for name, labels in new if name == "commensal_requests_total"}) <= 8


def test_jobs_orders_and_failures_are_counted_in_the_database(client: TestClient, store: Store) -> None:
    with store.write() as tx:
        a_shop(tx)
        for _ in range(3):
            next_number(tx, "shop", "order")
        next_number(tx, "shop", "journal")
        first, second, _ = (enqueue(tx, "mail", {}) for _ in range(3))
        tx.execute(update(job).where(job.c.id == first).values(state="parked"))
        tx.execute(update(job).where(job.c.id == second).values(error="OSError"))
        note_failures(tx, [Failure("pickup", "shipping_options", "it took too long", tx.now)] * 4)
    samples = read_samples(client)
    assert value_of(samples, "commensal_orders_placed_total") == 3
    assert [value_of(samples, "commensal_jobs", state=state) for state in ("waiting", "running", "done", "parked")] == [
        2,
        0,
        0,
        1,
    ]
    assert value_of(samples, "commensal_jobs_failing") == 1
    assert value_of(samples, "commensal_plugin_failures_total", plugin="pickup", hook="shipping_options") == 4


def test_the_newest_backup_has_an_age(client: TestClient, store: Store, clock: ManualClock) -> None:
    assert value_of(read_samples(client), "commensal_backup_age_seconds") is None
    with store.write() as tx:
        enqueue_once(tx, BACKUP, tx.now)
        mark_done(tx, BACKUP, tx.now)
    clock.advance(minutes=5)
    assert value_of(read_samples(client), "commensal_backup_age_seconds") == 300


def test_the_database_the_process_and_the_pool_are_measured(client: TestClient) -> None:
    samples = read_samples(client)
    assert value_of(samples, "commensal_database_up") == 1
    assert (value_of(samples, "commensal_database_bytes") or 0) > 100_000
    assert (value_of(samples, "process_resident_memory_bytes") or 0) > 10_000_000
    assert (value_of(samples, "process_open_fds") or 0) > 3
    assert value_of(samples, "commensal_pool_connections", state="used") is not None
    assert any(name == "commensal_info" for name, _ in samples)


def test_figures_cost_the_same_however_much_there_is(client: TestClient, store: Store, clock: ManualClock) -> None:
    statements: list[str] = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def count(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    def count_statements() -> int:
        clock.advance(minutes=1)  # so that health, which they tell, is looked at anew
        statements.clear()
        read_samples(client)
        return len(statements)

    before = count_statements()
    with store.write() as tx:
        for number in range(100):
            enqueue(tx, "mail", {})
            a_shop(tx, f"shop-{number}")
            next_number(tx, f"shop-{number}", "order")
    assert count_statements() == before <= 13
