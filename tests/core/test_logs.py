"""What the logs of a served instance contain, and what they never contain."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import anyio
import pytest
import structlog
from starlette.testclient import TestClient
from starlette.types import Message

from commensal.base import logs
from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.base.logs import LoggedRequest, add_log_fields, configure_logs, log_as_request
from commensal.enterprises.tokens import make_token
from commensal.hooks import specifications
from commensal.hooks.contract import hookimpl
from commensal.hooks.loading import load_plugins
from commensal.hooks.values import MenuItem, PaymentMethod
from commensal.instance import Instance, InstanceSettings, Secret
from commensal.parts.serving.app import make_app
from commensal.people.passwords import hash_password
from commensal.people.people import Person
from commensal.storage.database import Store

Somebody = Callable[..., Person]
Lines = Callable[[], list[dict[str, Any]]]
PLANTED = "planted-secret-0123456789"


@pytest.fixture
def log_text() -> Iterator[io.StringIO]:
    """Everything logged, in the format that `commensal serve` uses without a terminal."""
    file = io.StringIO()
    configure_logs(file, format="json")
    yield file
    configure_logs()


@pytest.fixture
def lines(log_text: io.StringIO) -> Lines:
    """Returns a function that reads the lines logged since its last call; each is one JSON object."""

    def new_lines() -> list[dict[str, Any]]:
        entries = [json.loads(line) for line in log_text.getvalue().splitlines()]
        log_text.truncate(0)
        log_text.seek(0)
        return entries

    return new_lines


def log_as_text(act: Callable[[], object]) -> str:
    file = io.StringIO()
    configure_logs(file, format="text")
    act()
    configure_logs()
    return file.getvalue()


# ------------------------------------------------------------------------------------------------ a line a request


def test_a_request_has_one_line(client: TestClient, lines: Lines, store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada")
    with store.write() as tx:
        token = make_token(tx, ada.id, name="x", scopes={"self"})
    answer = client.get("/api/me", headers={"Authorization": f"Bearer {token.secret}"})
    (line,) = lines()
    assert (line["event"], line["level"], line["method"], line["status"]) == ("request", "info", "GET", 200)
    assert (line["route"], line["person"]) == ("/api/me", ada.id)
    assert line["ms"] > 0
    assert answer.headers["x-request-id"] == line["request_id"]


def test_a_line_names_the_enterprise_that_may_be_known(
    client: TestClient, lines: Lines, store: Store, somebody: Somebody
) -> None:
    ada = somebody("Ada", operator=True, password_hash=hash_password("une longue phrase"))
    same_origin = {"Sec-Fetch-Site": "same-origin"}
    client.post("/api/sessions", json={"email": ada.email, "password": "une longue phrase"}, headers=same_origin)
    body = client.post("/api/enterprises", json={"name": "La Ferme"}, headers=same_origin).json()
    lines()
    client.get(f"/api/enterprises/{body['id']}/members")
    client.get("/api/enterprises/of-somebody-else/members")
    own_line, foreign_line = lines()
    assert (own_line["enterprise"], own_line["person"]) == (body["id"], ada.id)
    assert "enterprise" not in foreign_line
    assert own_line["route"] == foreign_line["route"] == "/api/enterprises/{enterprise}/members"


@pytest.mark.parametrize("request_id", ["proxy-0123456789", "a" * 64, "01981d7e-1111-7000-8000-000000000000"])
def test_a_proxys_request_id_is_kept(client: TestClient, lines: Lines, request_id: str) -> None:
    assert client.get("/api/me", headers={"X-Request-Id": request_id}).headers["x-request-id"] == request_id
    assert lines()[0]["request_id"] == request_id


@pytest.mark.parametrize("request_id", ["", "short", "a" * 65, "two words 123", 'quoted"12345', "12345678;x", "é" * 10])
def test_a_malformed_request_id_is_replaced(client: TestClient, lines: Lines, request_id: str) -> None:
    answered_id = client.get("/api/me", headers={b"X-Request-Id": request_id.encode()}).headers["x-request-id"]
    assert answered_id != request_id
    assert re.fullmatch(r"[0-9a-f-]{36}", answered_id)
    assert lines()[0]["request_id"] == answered_id


def test_every_request_has_an_id_of_its_own(client: TestClient) -> None:
    assert len({client.get("/api/me").headers["x-request-id"] for _ in range(20)}) == 20


def test_monitors_do_not_fill_the_log(client: TestClient, lines: Lines) -> None:
    client.get("/-/health")
    client.get("/-/metrics")
    assert lines() == []


def test_who_goes_away_while_sending_is_no_error_of_ours(client: TestClient, lines: Lines) -> None:
    """nginx logs it as 499, too; operators count answers of 500 and more as errors."""

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError("nobody is there to be answered")

    headers = [(b"host", b"testserver"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/api/people", "query_string": b"", "headers": headers}
    anyio.run(client.app, scope, receive, send)
    (line,) = lines()
    assert (line["event"], line["status"]) == ("request", 499)


def test_what_no_route_answers_and_what_the_guard_refuses_have_lines_too(client: TestClient, lines: Lines) -> None:
    client.get("/nowhere/at/all")
    client.post("/api/sessions", json={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert [(line["route"], line["status"]) for line in lines()] == [("nowhere", 404), ("nowhere", 403)]


# ------------------------------------------------------------------------------------------------ what is never told


def test_no_secret_that_is_sent_is_written(client: TestClient, log_text: io.StringIO) -> None:
    same_origin = {"Sec-Fetch-Site": "same-origin"}
    client.get(f"/api/guest-orders/{PLANTED}")
    client.get(f"/api/shops/x/offers?q={PLANTED}")
    client.get(f"/{PLANTED}?token={PLANTED}")
    client.get("/api/me", headers={"Authorization": f"Bearer {PLANTED}", "Referer": f"http://x/{PLANTED}"})
    client.get("/api/me", headers={"Cookie": f"session={PLANTED}", "User-Agent": PLANTED})
    client.post("/api/sessions", json={"email": f"{PLANTED}@example.org", "password": PLANTED}, headers=same_origin)
    client.post("/api/people", content=f"{{{PLANTED}", headers={"Content-Type": "application/json"})
    assert log_text.getvalue().count("\n") == 7
    assert "planted" not in log_text.getvalue()


def test_the_line_of_a_request_that_failed_for_an_unknown_reason_names_the_route_and_not_the_path(
    client: TestClient, store: Store, lines: Lines
) -> None:
    with store.write() as tx:
        tx.connection.exec_driver_sql("ALTER TABLE customer_order RENAME TO elsewhere")
    assert client.get(f"/api/guest-orders/{PLANTED}").status_code == 500
    failure, request = lines()
    assert (failure["event"], failure["level"], request["status"]) == ("request failed", "error", 500)
    assert failure["route"] == request["route"] == "/api/guest-orders/{secret}"
    assert failure["request_id"] == request["request_id"]
    assert "Traceback" in failure["exception"]
    assert "planted" not in json.dumps([failure, request])


def test_a_secret_that_is_logged_by_mistake_does_not_show(lines: Lines) -> None:
    secret = Secret(PLANTED)
    structlog.get_logger("x").info("oops", one=secret, some=[secret], named={"inner": (secret,)})
    assert "planted" not in json.dumps(lines())
    assert "planted" not in log_as_text(lambda: structlog.get_logger("x").info("oops", one=secret, some=[secret]))


FORGED = "x\n2026-06-04T10:00:00Z [info ] forged\r\x1b[31m\u2028red\u202e"


def test_nobody_can_forge_a_line_or_move_the_cursor(lines: Lines) -> None:
    def log() -> None:
        try:
            raise ValueError(FORGED)
        except ValueError as error:
            structlog.get_logger("x").error(FORGED, what=FORGED, exc_info=error)

    log()
    (line,) = lines()
    assert (line["event"], line["what"]) == (FORGED, FORGED)
    text = log_as_text(log)
    assert [line for line in text.split("\n") if line.startswith("2026-06-04T10")] == []
    assert not set(text) & {"\r", "\x1b", "\u2028", "\u202e"}
    assert len([line for line in text.rstrip("\n").split("\n") if not line.startswith("    ")]) == 1


def test_what_is_written_as_it_comes_forges_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disables the guard."""
    monkeypatch.setattr(logs, "_escape", lambda _, __, event: event)
    text = log_as_text(lambda: structlog.get_logger("x").error(FORGED))
    assert [line for line in text.split("\n") if line.startswith("2026-06-04T10")] != []


# ------------------------------------------------------------------------------------------------ plugins, libraries


def logging_plugin() -> ModuleType:
    module = ModuleType("talker")

    def menu_items(tx: Any) -> list[MenuItem]:
        structlog.get_logger("talker").info("in the request's thread")
        return []

    def payment_methods(instance: Instance) -> list[PaymentMethod]:
        structlog.get_logger("talker").info("in a thread of its own")
        return []

    for hook in (menu_items, payment_methods):
        setattr(module, hook.__name__, hookimpl(hook))
    return module


def test_the_lines_of_a_plugin_carry_its_id_and_the_requests(clock: ManualClock, lines: Lines) -> None:
    settings = InstanceSettings(name="Test", plugins={"enabled": ["talker"]})
    hooks = load_plugins(settings, clock=clock, modules={"talker": logging_plugin()})
    nothing: Any = None
    with log_as_request(LoggedRequest("id-of-request", lambda: "/somewhere")):
        add_log_fields(person="ada", enterprise=None)
        hooks.each(specifications.menu_items, tx=nothing, person_id=None, language="fr")
        hooks.each(
            specifications.payment_methods,
            instance=nothing,
            enterprise_id="e",
            person_id=None,
            customer_id=None,
            language="fr",
        )
        structlog.get_logger("core").info("afterwards")
    first, second, third = lines()
    for line in (first, second):
        assert line["plugin"] == "talker"
    for line in (first, second, third):
        assert (line["request_id"], line["route"], line["person"]) == ("id-of-request", "/somewhere", "ada")
        assert "enterprise" not in line
    assert "plugin" not in third


def test_libraries_speak_as_we_do(lines: Lines) -> None:
    logging.getLogger("uvicorn.error").warning("Invalid %s\nreceived", "request")
    logging.getLogger("uvicorn.error").info("not told")
    (line,) = lines()
    assert (line["event"], line["level"]) == ("Invalid request\nreceived", "warning")


def test_the_level_decides_what_is_written(client: TestClient, log_text: io.StringIO) -> None:
    configure_logs(log_text, level="warning", format="json")
    client.get("/api/me")
    assert log_text.getvalue() == ""
    configure_logs(log_text, level="debug", format="json")
    client.get("/-/health")
    assert json.loads(log_text.getvalue())["route"] == "/-/health"


@pytest.mark.bundled
def test_pages_have_lines_and_the_secrets_of_their_links_stay_out(
    store: Store, clock: ManualClock, ids: SeededIds, settings: InstanceSettings, lines: Lines, tmp_path: Any
) -> None:
    with_shop = InstanceSettings(
        name="Test", base_url="http://testserver", limits=settings.limits, plugins={"enabled": ["shop"]}
    )
    with TestClient(
        make_app(Instance(tmp_path, with_shop, store, load_plugins(with_shop, clock=clock), clock, ids))
    ) as client:
        client.get(f"/orders/guest/{PLANTED}")
        client.get("/-/shop/static/shop.css")
    page, file = lines()
    assert (page["route"], page["status"]) == ("/orders/guest/{secret}", 404)
    assert file["route"] == "/-/shop/static/"
    assert "planted" not in json.dumps([page, file])
