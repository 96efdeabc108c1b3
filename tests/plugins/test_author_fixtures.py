"""What Commensal offers for the tests of plugins, used from another folder as an author uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import commensal.testing

ELSEWHERE = """
import httpx
import pytest

from commensal import Conflict, http_client
from commensal.testing import Gateway, JobFailed, ManualClock, Pair, RunJobs, Shop

PAY = "https://pay.example/charges"


@pytest.mark.plugins("cash", settings={"instructions": "Bring coins."})
@pytest.mark.plugins("pickup")
def test_markers_add_up_and_settings_belong_to_one(shop: Shop) -> None:
    assert shop.instance.hooks.plugins() == ["cash", "pickup"]
    (cash,) = shop.payment_methods()
    assert (cash.id, cash.description) == ("cash:cash", "Bring coins.")


@pytest.mark.plugins("shop")
@pytest.mark.plugins("cash")
class TestOfAClass:
    @pytest.mark.plugins("cash", settings={"instructions": "Nearer."})
    def test_the_nearer_marker_wins(self, shop: Shop) -> None:
        assert [one.description for one in shop.payment_methods()] == ["Nearer."]


def test_without_a_marker_a_test_has_the_plugins_of_its_project(shop: Shop) -> None:
    assert shop.instance.hooks.plugins() == ["cash"]


@pytest.mark.plugins("cash")
def test_a_shop_sells_weighs_and_is_paid(shop: Shop, run_jobs: RunJobs) -> None:
    assert shop.quote().totals.total == 1000
    ada = shop.somebody(email="known@example.org", name="Known")
    order = shop.order({"carrots": 2, "chicken": 1, "juice": 1}, person=ada)
    assert (order.name, order.total) == ("Known", 500 + 2400 + 350)
    weighed = shop.weigh({"chicken": "1.5"})
    assert weighed.total == 500 + 1800 + 350
    assert shop.pay("cash:cash").state == "Pending"
    shop.receive("cash:cash")
    assert shop.see().payment_state == "Paid"
    run_jobs()
    assert any("known@example.org" in mail for mail in shop.mails())
    shop.close()
    assert shop.see().state == "Complete"
    with pytest.raises(Conflict):
        shop.order()
    assert shop.hand_over().fulfilment_state == "Fulfilled"


@pytest.mark.plugins("cash", "shop")
def test_neighbours_pages_and_the_api(shop: Shop) -> None:
    assert shop.neighbour().payment_methods() == []
    assert shop.page("/").status_code == 200
    assert [entry["plugin"] for entry in shop.ask("GET", "/plugins") if entry["enabled"]] == ["cash", "shop"]
    assert shop.try_to_ask("GET", "/no-such-thing").status_code == 404
    shop.do_without("cash")
    assert shop.payment_methods() == []


def test_honey_runs_out(shop: Shop) -> None:
    shop.order({"honey": 3})
    with pytest.raises(Conflict):
        shop.order({"honey": 1})
    shop.cancel()
    shop.order({"honey": 1})


def test_time_stands_still_until_it_is_moved(shop: Shop, clock: ManualClock, run_jobs: RunJobs) -> None:
    before = clock.now()
    assert shop.order().placed_at == before
    run_jobs(hours=2)
    assert (clock.now() - before).total_seconds() == 7200


def test_a_job_that_fails_is_an_error(shop: Shop, run_jobs: RunJobs, capsys: pytest.CaptureFixture[str]) -> None:
    shop.order()
    (shop.instance.folder / "mail").write_text("no folder", encoding="utf-8")
    with pytest.raises(JobFailed, match="mail"):
        run_jobs()
    run_jobs(failing=True, minutes=1)
    assert [kind for kind, _ in run_jobs.failed()] == ["mail"]
    assert "locals" not in capsys.readouterr().out, "a traceback with all variables hides the error"


def test_a_gateway_answers_as_it_is_told_and_remembers(gateway: Gateway, shop: Shop) -> None:
    gateway.on("POST", PAY, httpx.Response(503), httpx.ConnectError("no route"), httpx.Response(201, json={"id": "1"}))
    with http_client(shop.instance) as client:
        assert client.post(PAY, json={"amount": 1000}).status_code == 503
        with pytest.raises(httpx.ConnectError):
            client.post(PAY)
        assert client.post(PAY, params={"try": "3"}).json() == {"id": "1"}
        assert client.post(PAY).json() == {"id": "1"}
    assert httpx.post(PAY).json() == {"id": "1"}  # whatever speaks with httpx
    assert len(gateway.asked("POST", PAY)) == 5
    assert gateway.requests[0].read() == b'{"amount":1000}'


@pytest.mark.xfail(strict=True, raises=AssertionError)
def test_what_a_gateway_was_not_told_fails_the_test() -> None:
    with Gateway():
        with pytest.raises(httpx.ConnectError):
            httpx.get("https://pay.example/unexpected")


@pytest.mark.plugins("shop")
def test_two_instances_reach_each_other(two_instances: Pair) -> None:
    here, there = two_instances.here, two_instances.there
    url = f"{two_instances.url_of(there)}/api/sale-sessions/{there.session_id}"
    with http_client(here.instance) as client:
        answer = client.get(url)
    assert answer.status_code == 200
    there.order()
    two_instances.run_jobs(hours=1)
    assert there.mails()
    assert not here.mails()


@pytest.mark.plugins("cash", colour="red")
@pytest.mark.xfail(strict=True)
def test_a_marker_that_cannot_be_understood_is_refused(instance: object) -> None: ...
"""

PROJECT = '[project]\nname = "elsewhere"\n[project.entry-points.commensal]\ncash = "commensal_cash"\n'


def test_the_fixtures_do_what_they_say(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "test_elsewhere.py").write_text(ELSEWHERE, encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "--strict-markers", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=400,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert "10 passed, 2 xfailed" in result.stdout, result.stdout


def test_what_pytest_imports_in_every_run_is_next_to_nothing() -> None:
    """The module is imported wherever Commensal is installed, in runs that have nothing to do with it."""
    script = "import sys, commensal.testing.fixtures; print(*(m for m in sys.modules if m.startswith('commensal')))"
    result = subprocess.run([sys.executable, "-c", script], text=True, capture_output=True, check=True, timeout=60)
    assert result.stdout.split() == ["commensal", "commensal.testing", "commensal.testing.fixtures"]


def test_the_public_names_are_these_and_each_is_there() -> None:
    assert commensal.testing.__all__ == [
        "Gateway",
        "JobFailed",
        "ManualClock",
        "Pair",
        "RunJobs",
        "Shop",
        "a_draft",
        "a_line",
        "a_payment",
        "an_adjustment",
        "conforms",
    ]
    for name in commensal.testing.__all__:
        assert getattr(commensal.testing, name) is not None
    assert set(commensal.testing.__all__) <= set(dir(commensal.testing))
    assert not hasattr(commensal.testing, "frobnicate")
