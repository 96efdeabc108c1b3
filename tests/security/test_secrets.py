"""Twenty secrets are planted, and then searched wherever they must not be."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import update
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.entry_points import plugin_entry_points
from commensal.base.ids import Secret
from commensal.base.logs import configure_logs
from commensal.enterprises.tables import enterprise_plugin
from commensal.enterprises.tokens import make_token
from commensal.instance import Instance
from commensal.instance.settings import MailSettings, WatchingSettings, load_settings
from commensal.parts.backups.backup import back_up
from commensal.parts.backups.settings import toml
from commensal.parts.serving.app import make_app
from commensal.people.people import NewPerson, add_person
from commensal.people.sessions import begin_session
from commensal.testing.instances import NOON, Instances, Plan, client_of

from .settled import Settled, settle

pytestmark = pytest.mark.bundled

SET = {
    "mail.password": "planted-mail-password",
    "watching.secret": "planted-watching-secret-0123",
    "stripe.secret_key": "sk_test_planted0000",
    "stripe.webhook_secret": "whsec_planted0000",
}
SENT = {
    "a password": "planted password of somebody",
    "a wrong password": "planted wrong password",
    "a forged token": "cml_planted-forged",
    "a forged session": "planted-forged-session",
    "a guessed link": "planted-guessed-link",
    "a guessed code": "planted-guessed-code",
    "a guessed reset": "planted-guessed-reset",
    "a word in a query": "planted-word-in-a-query",
}


@dataclass
class Planted:
    instance: Instance
    client: TestClient
    settled: Settled
    secrets: dict[str, str]
    log: io.StringIO

    @property
    def monitor(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {SET['watching.secret']}"}


@pytest.fixture
def planted(commensal_instances: Instances, tmp_path: Path) -> Iterator[Planted]:
    """An instance where everything happens with recognisable secrets."""
    clock, log = ManualClock(NOON), io.StringIO()
    with commensal_instances.open(
        tmp_path / "val", Plan(plugins=tuple(plugin_entry_points())), clock=clock
    ) as plain_instance:
        mail = MailSettings(host="127.0.0.1", port=9, username="val", password=Secret(SET["mail.password"]))
        watching_settings = WatchingSettings(secret=Secret(SET["watching.secret"]))
        instance = replace(
            plain_instance, settings=replace(plain_instance.settings, mail=mail, watching=watching_settings)
        )
        configure_logs(log, format="json", level="debug")
        with client_of(make_app(instance)) as client:
            settled = settle(instance, client, clock, "alpha")
            yield Planted(instance, client, settled, {**SET, **SENT, **_created_secrets(instance, settled)}, log)
        configure_logs()


def _created_secrets(instance: Instance, settled: Settled) -> dict[str, str]:
    """Secrets that the instance itself created and showed once."""
    keys = {"secret_key": SET["stripe.secret_key"], "webhook_secret": SET["stripe.webhook_secret"]}
    with instance.store.write() as tx:  # over the API, Stripe itself would be asked whether it knows the keys
        tx.execute(update(enterprise_plugin).where(enterprise_plugin.c.plugin == "stripe").values(settings=keys))
    hook = settled.shop.ask("POST", "/-/webhooks/hooks", {"url": "https://example.org/other"})
    new_operator = NewPerson(
        email="olga@example.org", name="Olga", phone="", language="en", password_hash="planted$hash$of$olga"
    )
    with instance.store.write() as tx:
        olga = add_person(tx, new_operator, confirmed=True, is_operator=True)
        assert olga is not None
        return {
            "a hash": "planted$hash$of$olga",
            "a session": begin_session(tx, olga).secret,
            "a token": make_token(tx, olga.id, name="x", scopes={"self", "operator"}).secret,
            "the owner's session": settled.owner_session,
            "the owner's token": settled.token,
            "a guest's link": settled.guest_secret,
            "a calendar's link": settled.calendar_secret,
            "a webhook's secret": hook["secret"],
        }


def _use(planted: Planted) -> list[str]:
    """Sends every secret where it belongs and where it does not. Returns the answers that others got."""
    client, answers, same_origin = planted.client, list[Any](), {"Sec-Fetch-Site": "same-origin"}
    for secret in planted.secrets.values():
        answers += [client.get("/api/me", headers={"Authorization": f"Bearer {secret}"})]
        answers += [client.get("/api/me", headers={"Cookie": f"session={secret}", "Referer": f"http://x/{secret}"})]
    link, calendar = planted.settled.guest_secret, planted.settled.calendar_secret
    answers += [client.get(f"/api/guest-orders/{link}"), client.get(f"/-/pickup/places/{calendar}.ics")]
    answers += [
        client.get(f"/api/guest-orders/{SENT['a guessed link']}"),
        client.get(f"/confirm/{SENT['a guessed code']}"),
    ]
    answers += [client.get("/api/sale-sessions", params={"q": SENT["a word in a query"]})]
    for password in (SENT["a password"], SENT["a wrong password"]):
        body = {"email": "olga@example.org", "password": password}
        answers += [client.post("/api/sessions", json=body, headers=same_origin)]
        answers += [client.post("/api/sessions", content=json.dumps(body)[:-3], headers=same_origin)]
        answers += [client.post("/api/people", json={**body, "name": "O", "phone": 7}, headers=same_origin)]
    body = {"code": SENT["a guessed reset"], "password": SENT["a password"]}
    answers += [client.put("/api/forgotten-password", json=body, headers=same_origin)]
    with planted.instance.store.write() as tx:
        tx.connection.exec_driver_sql("ALTER TABLE payment RENAME TO elsewhere")
    answers += [client.get(f"/orders/guest/{link}"), client.get(f"/api/guest-orders/{link}/payments")]
    assert 500 in [response.status_code for response in answers]
    with planted.instance.store.write() as tx:
        tx.connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO payment")
    return [
        response.text
        for response in answers
        if response.status_code >= 400 and "text/html" not in response.headers["content-type"]
    ]


def _secrets_in(planted: Planted, text: str) -> list[str]:
    return [name for name, secret in planted.secrets.items() if secret in text]


def test_twenty_secrets_are_nowhere_to_be_seen(planted: Planted, tmp_path: Path) -> None:
    assert len(planted.secrets) == 20
    answers = _use(planted)
    log = planted.log.getvalue()
    assert log.count("\n") > 60
    assert _secrets_in(planted, log) == []
    assert [_secrets_in(planted, answer) for answer in answers if _secrets_in(planted, answer)] == []
    health, metrics = (planted.client.get(f"/-/{page}", headers=planted.monitor) for page in ("health", "metrics"))
    assert (health.status_code, metrics.status_code) == (200, 200)
    assert _secrets_in(planted, health.text + metrics.text) == []
    assert _secrets_in(planted, repr(planted.instance.settings) + str(planted.instance.settings)) == []
    assert _secrets_in(planted, f"{planted.instance!r} {planted.settled.shop!r}") == []


def test_the_settings_of_a_shop_show_no_secret(planted: Planted) -> None:
    response = planted.client.get(
        f"/api/enterprises/{planted.settled.id}/plugins", headers={"Authorization": f"Bearer {planted.settled.token}"}
    )
    assert response.status_code == 200
    assert _secrets_in(planted, response.text) == []


def test_the_manifest_of_a_backup_holds_no_secret_and_no_setting_that_is_one(planted: Planted, tmp_path: Path) -> None:
    folder = planted.instance.folder
    settings = {
        "name": "Val",
        "mail": {"password": SET["mail.password"]},
        "watching": {"secret": SET["watching.secret"]},
    }
    (folder / "instance.toml").write_text(toml(settings), encoding="utf-8")
    (folder / "instance.toml").chmod(0o600)
    assert load_settings(folder).mail.password.reveal() == SET["mail.password"]
    backup = back_up(folder, tmp_path / "backups", clock=ManualClock(NOON))
    with zipfile.ZipFile(backup.file) as archive:
        words = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith((".json", ".toml"))}
    assert len(words) >= 2
    assert {
        file_name: _secrets_in(planted, text) for file_name, text in words.items() if _secrets_in(planted, text)
    } == {}


def test_a_secret_that_is_told_is_found(planted: Planted) -> None:
    assert _secrets_in(planted, f"the key is {SET['stripe.secret_key']}") == ["stripe.secret_key"]
    planted.client.get("/", headers={"User-Agent": "x"})
    structlog.get_logger("commensal.test").warning("told by mistake", key=SENT["a password"])
    assert _secrets_in(planted, planted.log.getvalue()) == ["a password"]
