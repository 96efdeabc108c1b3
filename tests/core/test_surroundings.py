"""What `commensal check` reports about an instance's environment, and its advice."""

from __future__ import annotations

import datetime as dates
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from commensal.base.clock import ManualClock
from commensal.instance import Instance, Secret, open_instance
from commensal.instance.instance import UpgradeRecord, write_upgrade_record
from commensal.instance.settings import MailSettings
from commensal.parts.cli import app
from commensal.parts.cli.check import report_environment
from commensal.parts.monitoring.backups_folder import note_backups_folder
from commensal.parts.monitoring.environment import certificate_problem, mail_problem, warnings
from commensal.parts.monitoring.health import Watcher, degrading_problems
from commensal.parts.monitoring.watched import certificate_validity, note_certificate, watching_certificate
from commensal.storage.database import Store
from commensal.storage.jobs import Periodic, Work, enqueue
from commensal.storage.jobs.clock import EVERY_MINUTE, clock_in_doubt, trust_clock
from commensal.storage.jobs.periodic import run_periodic
from commensal.storage.jobs.tables import job_slot
from commensal.testing.placed import a_placed_order, a_shop

from .certificates import a_certificate
from .keeping import folder, sqlite_url, write_settings
from .processes import wait_until

__all__ = ["folder", "sqlite_url"]  # fixtures


@pytest.fixture(autouse=True)
def private(store: Store, tmp_path: Path) -> None:
    """Gives the database file, a copy of a template, the mode that an instance gives it."""
    for file in tmp_path.glob("commensal.db"):
        file.chmod(0o600)


def warning_texts(instance: Instance) -> list[str]:
    return [str(warning) for warning in warnings(instance)]


def test_an_upgrade_that_was_broken_off_is_told(instance: Instance, clock: ManualClock) -> None:
    record = UpgradeRecord(version="0.2", at=clock.now(), backup="/backups/old.zip", finished=False)
    write_upgrade_record(instance.folder, record)
    expected = (
        "The upgrade to Commensal 0.2 of 2026-06-04 10:00 UTC did not come to its end; stop the instance and run "
        "`commensal upgrade`. As it was before, it is in /backups/old.zip."
    )
    assert expected in warning_texts(instance)
    write_upgrade_record(instance.folder, replace(record, finished=True))
    assert expected not in warning_texts(instance)


def test_an_instance_that_is_tried_out_on_this_machine_has_no_mail_server_and_no_backups(instance: Instance) -> None:
    local_settings = replace(instance.settings, base_url="http://127.0.0.1:8000")
    assert warning_texts(replace(instance, settings=local_settings)) == [
        "mail.host is empty: e-mails are written into the folder mail/ and reach nobody; name an SMTP server.",
        "Nobody makes backups: let backups.folder in instance.toml name a folder, best on another disk.",
    ]


def test_a_folder_of_backups_that_cannot_be_used_is_told(instance: Instance) -> None:
    """Nobody makes a backup there, whoever is asked to."""
    (instance.folder / "file").touch()
    for name, expected in (("file/backups", True), ("new/backups", False)):
        backups = replace(instance.settings.backups, folder=str(instance.folder / name))
        texts = warning_texts(replace(instance, settings=replace(instance.settings, backups=backups)))
        assert any(f"Backups cannot be written to {instance.folder / name}" in text for text in texts) == expected
        assert any("There is no backup in" in text for text in texts) != expected


def test_a_worker_tells_health_of_a_folder_of_backups_that_cannot_be_used(instance: Instance) -> None:
    """Health itself never looks into it, because its disk may hang. It heals with the next look."""
    file = instance.folder / "file"
    file.touch()
    with_folder = replace(
        instance, settings=replace(instance.settings, backups=replace(instance.settings.backups, folder=f"{file}/new"))
    )
    assert Watcher(with_folder).health().codes == ()
    note_backups_folder(with_folder)
    health = Watcher(with_folder).health()
    assert health.codes == ("backups_folder",)
    assert list(health.reasons) == [str(problem) for problem in degrading_problems(with_folder)]
    assert f"chown -R {file.owner()}: {file}/new" in health.reasons[0]
    assert warning_texts(with_folder).count(health.reasons[0]) == 1
    file.unlink()
    note_backups_folder(with_folder)
    assert Watcher(with_folder).health().codes == ()


def test_an_address_on_the_internet_without_a_certificate_is_told(instance: Instance) -> None:
    for address, expected in (("http://val.example", True), ("https://val.example", False), ("http://[::1]:80", False)):
        with_address = replace(instance, settings=replace(instance.settings, base_url=address))
        assert any("passwords travel in the clear" in text for text in warning_texts(with_address)) == expected


def test_a_file_that_others_may_read_is_told(instance: Instance) -> None:
    file = instance.folder / "instance.toml"
    file.write_text("")
    file.chmod(0o640)
    assert f"{file} can be read by others on this machine; run `chmod 600 {file}`." in warning_texts(instance)
    file.chmod(0o600)
    assert not any("chmod" in text and "instance.toml" in text for text in warning_texts(instance))


def a_job(store: Store) -> None:
    with store.write() as tx:
        enqueue(tx, "mail", {})


def an_order(store: Store) -> None:
    with store.write() as tx:
        a_shop(tx)
        a_placed_order(tx)


def work(store: Store) -> None:
    with store.write() as tx:
        tx.execute(insert(job_slot).values(name=EVERY_MINUTE, slot=tx.now))


@pytest.mark.parametrize("write", [a_job, an_order])
def test_a_clock_that_stands_before_the_newest_rows_is_told(
    instance: Instance, store: Store, clock: ManualClock, write: Callable[[Store], None]
) -> None:
    write(store)
    assert not any("The clock says" in text for text in warning_texts(instance))
    clock.advance(days=-1)
    assert (
        "The clock says 2026-06-03 10:00 UTC, but the newest rows are of 2026-06-04 10:00. Set it if it is wrong "
        "(`timedatectl set-ntp true`); if it is right, `commensal check --clock-is-right` says so."
    ) in warning_texts(instance)
    work(store)
    assert sum("The clock says" in text for text in warning_texts(instance)) == 1


@pytest.mark.parametrize("witness", ["a time server", "a person"])
def test_a_clock_that_was_ahead_and_is_right_again_is_told_no_more(
    instance: Instance, store: Store, clock: ManualClock, witness: str
) -> None:
    """What was written meanwhile lies three years ahead, and nobody can set that right."""

    def tick() -> list[str]:
        run_periodic(instance, Work({}, (Periodic(EVERY_MINUTE, timedelta(minutes=1), lambda _: None),)))
        return [text for text in warning_texts(instance) if "The clock" in text]

    assert tick() == []
    clock.advance(days=1095)
    a_job(store)
    an_order(store)
    assert "it was right for certain at 2026-06-04 10:00" in "".join(tick())
    clock.advance(days=-1094)
    assert "but work was done at 2029-06-03 10:00. Set it if it is wrong" in "".join(tick())
    if witness == "a time server":
        clock.synchronised = True
    else:
        with store.write() as tx:
            trust_clock(tx, vouched=True)
    clock.advance(minutes=1)
    assert tick() == []
    assert Watcher(instance).health().reasons == ()
    clock.advance(minutes=10)
    assert "No worker has done anything since 2026-06-05 10:01" in "".join(warning_texts(instance))


def test_a_clock_that_was_behind_and_is_right_again_is_in_no_doubt(
    instance: Instance, store: Store, clock: ManualClock
) -> None:
    """A machine without a battery begins in the past, until somebody sets its clock."""
    for days in (0, -1095, 1095):
        clock.advance(days=days)
        with store.write() as tx:
            trust_clock(tx, vouched=False)
    with store.read() as tx:
        assert not clock_in_doubt(tx)


def test_check_takes_the_word_of_a_person_for_the_clock(folder: Path, sqlite_url: str) -> None:
    write_settings(folder, sqlite_url)
    with open_instance(folder) as instance:
        with instance.store.write() as tx:
            tx.execute(insert(job_slot).values(name=EVERY_MINUTE, slot=tx.now - dates.timedelta(days=1500)))
        cases: list[tuple[list[str], bool]] = [([], True), (["--clock-is-right"], False)]
        for words, in_doubt in cases:
            CliRunner().invoke(app, ["check", "--instance", str(folder), *words], catch_exceptions=False)
            with instance.store.read() as tx:
                assert clock_in_doubt(tx) is in_doubt, words


def test_warnings_are_no_failure_and_servers_are_asked_only_if_that_is_wanted(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    mail = MailSettings(host="127.0.0.1", port=1, security="none")
    unreachable = replace(instance, settings=replace(instance.settings, mail=mail, base_url="https://127.0.0.1:1"))
    assert report_environment(unreachable)
    assert "refused" not in capsys.readouterr().out
    assert not report_environment(unreachable, mail=True)
    assert not report_environment(unreachable, online=True)
    assert capsys.readouterr().out.count("refused") >= 2


def test_check_says_them_in_the_language_of_the_shell(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    mail = MailSettings(host="127.0.0.1", port=1, security="none")
    assert not report_environment(replace(instance, settings=replace(instance.settings, mail=mail)), mail=True)
    output = " ".join(capsys.readouterr().out.split())
    assert "Personne ne fait de sauvegardes : indiquez un dossier dans backups.folder" in output
    assert "Le serveur de messagerie 127.0.0.1:1 a refusé la connexion" in output


# ------------------------------------------------------------------------------------------------ the mail server


class Postman(socketserver.StreamRequestHandler):
    """An SMTP server (RFC 5321) that only logs clients in: it knows one password."""

    def handle(self) -> None:
        self.wfile.write(b"220 post\r\n")
        while line := self.rfile.readline().strip():
            word = line.partition(b" ")[0].upper()
            answers = {
                b"EHLO": b"250-post\r\n250 AUTH PLAIN",
                b"MAIL": b"250 ok",
                b"RCPT": b"250 ok",
                b"QUIT": b"221 bye",
            }
            answer = answers.get(word, b"535 who are you?")
            if line.endswith(b"AGNvb3AAZ29vZA=="):  # "\0coop\0good"
                answer = b"235 welcome"
            self.wfile.write(answer + b"\r\n")


class Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is not an error of the server."""


@contextmanager
def serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_mail_server_that_lets_us_in_is_no_problem_and_one_that_does_not_is_told(instance: Instance) -> None:
    def problem(port: int, password: str) -> str:
        """Returns the problem's text; empty if there is none."""
        mail = MailSettings(host="127.0.0.1", port=port, username="coop", password=Secret(password), security="none")
        return str(mail_problem(replace(instance, settings=replace(instance.settings, mail=mail))) or "")

    with serving(Tcp(("127.0.0.1", 0), Postman)) as port:
        assert problem(port, "good") == ""
        message = problem(port, "wrong")
    assert f"127.0.0.1:{port} did not let us in" in message
    assert "who are you?" in message
    assert "wrong" not in message
    assert "refused" in problem(port, "good")
    assert mail_problem(instance) is None


# ------------------------------------------------------------------------------------------------ the certificate


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1, valid for sixty days, with its key."""
    return a_certificate(tmp_path / "certificate.pem", days=60)


class Tls(socketserver.BaseRequestHandler):
    context: ssl.SSLContext

    def handle(self) -> None:
        with self.context.wrap_socket(self.request, server_side=True) as connection:
            connection.recv(1)


def told_by_health(instance: Instance) -> str:
    """What health says of the certificate."""
    return "".join(reason for reason in Watcher(instance).health().reasons if "certificate" in reason)


def test_a_certificate_of_two_days_is_late_in_its_last_quarter_only(
    instance: Instance, clock: ManualClock, tmp_path: Path
) -> None:
    """As those of Caddy's own authority, of twelve hours: an instance would be degraded for ever."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(a_certificate(tmp_path / "certificate.pem", days=1))  # it is a day old
    with serving(Tcp(("127.0.0.1", 0), type("Here", (Tls,), {"context": context}))) as port:
        with_port = replace(instance, settings=replace(instance.settings, base_url=f"https://127.0.0.1:{port}"))
        clock.set(dates.datetime.now(dates.UTC))
        note_certificate(with_port, certificate_validity(with_port.settings.base_url))
    assert told_by_health(with_port) == ""
    clock.advance(hours=13)
    assert "expires on 20" in told_by_health(with_port)
    assert told_by_health(instance) == "", "its address is not https any more"


def test_a_certificate_is_seen_before_it_expires(
    instance: Instance, clock: ManualClock, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(Tcp(("127.0.0.1", 0), type("Here", (Tls,), {"context": context}))) as port:
        with_port = replace(instance, settings=replace(instance.settings, base_url=f"https://127.0.0.1:{port}"))
        assert "cannot be reached over TLS" in str(certificate_problem(with_port)), "nobody vouches for it"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        clock.set(dates.datetime.now(dates.UTC))
        assert certificate_problem(with_port) is None
        clock.advance(days=47)
        assert "The certificate of 127.0.0.1 expires on 20" in str(certificate_problem(with_port))
        with watching_certificate(with_port):
            wait_until(lambda: "expires on 20" in told_by_health(with_port), "the worker has looked")
    assert "cannot be reached over TLS" in str(certificate_problem(with_port))
    assert certificate_problem(instance) is None, "plain HTTP has none"
    clock.advance(days=14)
    assert "The certificate of 127.0.0.1 expired on 20" in told_by_health(with_port)
    assert "The certificate of 127.0.0.1 expired on 20" in "".join(warning_texts(with_port))
    report_environment(with_port, online=True)
    clock.advance(seconds=2)
    assert told_by_health(with_port) == "", "a machine that does not reach its own address knows nothing of it"
