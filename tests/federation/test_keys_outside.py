"""Keys as others and operators see them: two addresses, the JSON API, and the shell."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from commensal import Instance, open_instance
from commensal.base.clock import ManualClock, SystemClock
from commensal.base.errors import CommensalError
from commensal.enterprises.tokens import make_token
from commensal.instance import InstanceSettings
from commensal.parts.cli import app
from commensal.parts.serving.app import make_app
from commensal.parts.setup.begin import begin_instance
from commensal.parts.terminal.shell import told
from commensal.people.people import NewPerson, add_person
from commensal.storage.jobs.clock import trust_clock
from commensal_federation.identity import read_document

IRI = "http://testserver/.well-known/commensal"


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    return replace(settings, plugins={"enabled": ["federation"]})


def bearer(instance: Instance, name: str, scope: str, *, operator: bool = False) -> dict[str, str]:
    new_person = NewPerson(email=f"{name}@example.org", name=name, phone="", language="fr", password_hash="")
    with instance.store.write() as tx:
        person = add_person(tx, new_person, confirmed=True, is_operator=operator)
        assert person is not None
        token = make_token(tx, person.id, name="Tests", scopes=frozenset({scope}))
    return {"Authorization": f"Bearer {token.secret}"}


@pytest.fixture
def operator(client: TestClient, instance: Instance) -> dict[str, str]:
    return bearer(instance, "olga", "operator", operator=True)


# ------------------------------------------------------------------------------------------------ two addresses


def test_everybody_reads_the_document_where_it_says_it_stands(client: TestClient, clock: ManualClock) -> None:
    answer = client.get("/.well-known/commensal")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/ld+json")
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert read_document(answer.content, IRI, clock.now()).name == "Test"
    assert client.post("/.well-known/commensal").status_code == 405


def test_everybody_reads_the_did_document(client: TestClient) -> None:
    answer = client.get("/.well-known/did.json")

    assert answer.json()["id"] == "did:web:testserver"
    assert answer.json()["alsoKnownAs"] == [IRI]


@pytest.mark.parametrize("path", ["/.well-known/did.json", "/.well-known/commensal"])
def test_a_resolver_in_a_page_of_another_site_reads_who_this_is(client: TestClient, path: str) -> None:
    """As a browser allows it: after its preflight, since a resolver may ask with an Accept of its own."""
    asking = {"Origin": "https://wallet.example", "Access-Control-Request-Method": "GET"}
    preflight = client.options(path, headers={**asking, "Access-Control-Request-Headers": "accept"})
    answer = client.get(path, headers={"Origin": "https://wallet.example", "Accept": "application/did+json"})

    assert (preflight.status_code, preflight.headers.get("access-control-allow-origin")) == (204, "*")
    assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (200, "*")
    assert "access-control-allow-credentials" not in answer.headers


def test_with_its_key_file_gone_the_instance_says_that_it_cannot_answer(client: TestClient, instance: Instance) -> None:
    client.get("/.well-known/commensal")
    (instance.folder / "keys" / "k1.key").unlink()

    answer = client.get("/.well-known/commensal")

    assert answer.status_code == 503
    assert str(instance.folder) not in answer.text


def test_every_start_keeps_the_keys(client: TestClient, instance: Instance) -> None:
    document_before = client.get("/.well-known/commensal").content
    with TestClient(make_app(instance)) as second_client:
        assert second_client.get("/.well-known/commensal").content == document_before


# ------------------------------------------------------------------------------------------------ the JSON API


def test_an_operator_sees_the_keys_and_no_secret(
    client: TestClient, instance: Instance, operator: dict[str, str]
) -> None:
    answer = client.get("/api/-/federation/keys", headers=operator)

    keys: dict[str, Any] = answer.json()
    assert (keys["iri"], keys["root_here"], len(keys["fingerprint"].split())) == (IRI, True, 8)
    assert [key["name"] for key in keys["keys"]] == ["root", "k1", "k2"]
    for file in (instance.folder / "keys").iterdir():
        assert file.read_text().strip() not in answer.text


def test_an_operator_rotates_and_revokes(client: TestClient, operator: dict[str, str]) -> None:
    rotated = client.post("/api/-/federation/keys/rotate", headers=operator, json={"at_once": True})
    revoked = client.post("/api/-/federation/keys/k1/revoke", headers=operator, json={"reason": "stolen"})
    revocation = client.post("/api/-/federation/keys/k1/revoke", headers=operator, json={"reason": "stolen"})

    assert (rotated.status_code, rotated.json()["name"]) == (200, "k2")
    assert (revoked.status_code, revoked.json()["reason"]) == (200, "stolen")
    assert (revocation.status_code, revocation.json()["code"]) == (409, "revoked")


def test_nobody_else_sees_or_changes_keys(client: TestClient, instance: Instance) -> None:
    ordinary_user = bearer(instance, "ada", "self")
    for headers, status in ((ordinary_user, 403), ({}, 401)):
        assert client.get("/api/-/federation/keys", headers=headers).status_code == status
        answer = client.post("/api/-/federation/keys/k1/revoke", headers=headers, json={"reason": "lost"})
        assert answer.status_code == status


# ------------------------------------------------------------------------------------------------ the shell


class Shell:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, words: str, stdin: str = "") -> Result:
        return CliRunner().invoke(
            app, ["federation", "keys", *words.split(), "--instance", str(self.folder)], input=stdin or None
        )


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    begin_instance(tmp_path / "hub", name="Hub", base_url="https://hub.example", language="fr", plugins=("federation",))
    return Shell(tmp_path / "hub")


def test_the_shell_makes_keys_once_and_shows_the_fingerprint_to_read_aloud(shell: Shell) -> None:
    first_run, second_run = shell("init"), shell("init")

    assert first_run.output.startswith("Keys were made.")
    assert second_run.output.startswith("There are keys already; nothing was changed.")
    fingerprint = shell("fingerprint").output
    assert fingerprint in first_run.output
    assert sum(len(word) == 5 and word.isdigit() for word in fingerprint.split()) == 8
    assert "Read these digits to each other" in fingerprint


def test_in_a_french_shell_it_is_told_in_french(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")

    assert shell("init").output.startswith("Les clés sont créées.")
    assert "Lisez-vous ces chiffres" in shell("fingerprint").output
    assert "utilisée depuis le" in shell("list").output
    refused = shell("revoke k9 --reason lost").exception
    assert isinstance(refused, CommensalError)
    assert told(refused) == "Il n’y a pas de clé k9."
    assert "Liste toutes les clés" in shell("list --help").output


def test_the_root_key_is_shown_taken_away_and_typed_in(shell: Shell) -> None:
    shell("init")
    export = shell("root export --remove", "y\n")
    secret = export.stdout.split()[0]

    assert secret.startswith("z3u2")
    assert not (shell.folder / "keys" / "root.key").exists()
    assert shell("root export").exit_code == 1
    assert "root, away" in shell("list").output
    assert shell("rotate").exit_code == 1
    rotated = shell("rotate --root", f"{secret}\n")
    assert rotated.output.splitlines()[-1].startswith("k2 is used from")
    assert secret not in rotated.output
    assert shell("root sign", "z3u2nonsense\n").exit_code == 1
    assert shell("root sign", f"{secret}\n").exit_code == 0
    assert secret not in "".join(file.read_text() for file in (shell.folder / "keys").iterdir())


def test_the_root_key_stays_where_nobody_said_that_it_is_written_down(shell: Shell) -> None:
    shell("init")
    shell("root export --remove", "n\n")

    assert (shell.folder / "keys" / "root.key").exists()


def test_the_file_of_a_revoked_key_is_deleted(shell: Shell) -> None:
    shell("init")
    result = shell("revoke k1 --reason stolen")

    assert "k1 is revoked" in result.output
    assert sorted(file.name for file in (shell.folder / "keys").iterdir()) == [
        "backups.key",
        "k2.key",
        "k3.key",
        "root.key",
    ]
    assert "revoked" in shell("list").output
    assert shell("revoke k7 --reason lost").exit_code == 1


def test_the_file_of_a_key_that_seems_to_have_ended_stays_while_the_clock_is_in_doubt(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell("init")
    shell("rotate --now")
    with open_instance(shell.folder) as opened, opened.store.write() as tx:
        trust_clock(tx, vouched=True)
    later = ManualClock(datetime.now(UTC) + timedelta(days=1500))
    monkeypatch.setattr(SystemClock, "now", lambda clock: later.now())
    monkeypatch.setattr(SystemClock, "is_synchronised", lambda clock: False)
    assert "k3 is revoked" in shell("revoke k3 --reason replaced").output
    files = {file.name for file in (shell.folder / "keys").iterdir()}
    assert "k1.key" in files, "it has ended only if the clock is right"
    assert "k3.key" not in files


def test_no_command_but_export_shows_a_private_key(shell: Shell) -> None:
    outputs = [
        shell(command).output for command in ("init", "list", "fingerprint", "rotate", "rotate --now", "root sign")
    ]

    for file in (shell.folder / "keys").iterdir():
        assert file.read_text().strip() not in json.dumps(outputs)


def test_check_tells_what_does_not_stand_well_with_the_keys(shell: Shell) -> None:
    assert "has no key to sign with" in check(shell)
    shell("init")
    assert "federation" not in check(shell)
    (shell.folder / "keys" / "k1.key").chmod(0o644)
    assert "k1.key can be read by others" in check(shell)


def check(shell: Shell) -> str:
    result = CliRunner().invoke(app, ["check", "--instance", str(shell.folder)])
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_the_shell_recovers_lost_keys_with_the_root_key_and_without(shell: Shell) -> None:
    shell("init")
    secret = shell("root export --remove", "y\n").stdout.split()[0]
    before = shell("fingerprint").output
    for file in (shell.folder / "keys").glob("*.key"):
        file.unlink()
    assert "root key is not on this machine" in str(shell("recover").exception)
    with_root = shell("recover --root", f"{secret}\n")
    assert "Lost: k1, k2." in with_root.output
    assert before in with_root.output
    assert secret not in with_root.output
    for file in (shell.folder / "keys").glob("*.key"):
        file.unlink()
    assert shell("recover --new-identity", "n\n").exit_code == 1
    without_root = shell("recover --new-identity", "y\n")
    assert "Lost: k3, k4." in without_root.output
    assert "commensal peer confirm-keys" in without_root.output
    assert before not in without_root.output
    assert "stands by" in shell("list").output
