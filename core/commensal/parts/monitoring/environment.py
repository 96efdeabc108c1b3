"""What an operator should look at, each with what to do.

There is one list of conditions. What `health` finds makes an instance degraded, and is in its metrics; the page of the
operator shows it with what is not set up yet; and ``commensal check`` shows all that, looks into the folder of backups,
and asks other servers if it is told to.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import func, select

from ...base.errors import Busy, Problem, Unavailable
from ...instance import Instance, InstanceSettings
from ...orders.tables import customer_order
from ...storage.database import Transaction
from ...storage.jobs.clock import AHEAD, was_ahead_until
from ...storage.jobs.tables import job
from ..backups.upkeep.upkeep import newest_backup
from ..mail.deliver import connected
from .backups_folder import may_be_used, note_backups_folder, refused_folder
from .health import DOWN, LATE, database_file, degrading_problems, met_damage, write_problem
from .watched import certificate_expires, validity_shown

_CHECKSUMS = select(func.current_setting("data_checksums"))
FRESH = timedelta(days=2)  # the newest backup should be no older


def warnings(instance: Instance) -> Iterator[Problem]:
    """Problems that can be found without asking other servers. A trial instance may have some."""
    with suppress(Busy):  # told as such
        note_backups_folder(instance)
    problems = health_problems(instance)
    yield from problems
    if not any(problem.code == "backups_folder" for problem in problems):
        yield from _backups(instance)


def health_problems(instance: Instance) -> list[Problem]:
    """What an operator should look at, each with what to do, and what is not set up yet. Writes one row as a test."""
    problems = degrading_problems(instance)
    if not DOWN.intersection(problem.code for problem in problems):
        problems = [*write_problem(instance), *problems, *_rows_and_server(instance, problems)]
    problems += _not_set_up(instance)
    return list({str(problem): problem for problem in problems}.values())


def _rows_and_server(instance: Instance, problems: Sequence[Problem]) -> list[Problem]:
    """What is read for a person alone: newer rows than the clock, and a setting of PostgreSQL."""
    try:
        with instance.store.read() as tx:
            behind = () if any(problem.code == "clock_behind" for problem in problems) else clock_behind(tx)
            return [*behind, *(without_checksums(tx.value(_CHECKSUMS)) if tx.postgresql else ())]
    except Unavailable:
        if not instance.store.damage:
            raise
        return list(met_damage(instance.store, problems))


def without_checksums(setting: str) -> Iterator[Problem]:
    """A problem unless PostgreSQL's setting is "on": else it does not notice that its disk returns other pages."""
    if setting != "on":
        text = (
            "PostgreSQL keeps no checksums, so it does not notice damaged pages: stop it and run "
            "`pg_checksums --enable` on its data (on Debian: /usr/lib/postgresql/VERSION/bin/pg_checksums)."
        )
        yield Problem("no_checksums", text)


def _not_set_up(instance: Instance) -> Iterator[Problem]:
    yield from _open_files(instance)
    settings = instance.settings
    yield from _mail_settings(settings)
    address = urlsplit(settings.base_url)
    if address.scheme == "http" and address.hostname not in ("127.0.0.1", "::1", "localhost"):
        yield Problem(
            "no_tls",
            "base_url begins with http://: passwords travel in the clear; put a reverse proxy with a certificate in "
            "front (`commensal init --proxy caddy` shows one) and let base_url begin with https://.",
        )


def _mail_settings(settings: InstanceSettings) -> Iterator[Problem]:
    if not settings.mail.host:
        text = "mail.host is empty: e-mails are written into the folder mail/ and reach nobody; name an SMTP server."
        yield Problem("no_mail_server", text)
    elif "." not in settings.sender.rpartition("@")[2]:
        text = (
            "mail.sender: servers take no e-mails from {sender}; name an address of your own domain, which your "
            "provider lets you send from."
        )
        yield Problem("mail_sender", text, values={"sender": settings.sender})


def clock_behind(tx: Transaction) -> Iterator[Problem]:
    """A problem if the newest rows are in the future: the clock was set back, or was ahead when they were written."""
    rows = (select(job.c.created_at).order_by(job.c.id.desc()).limit(1), select(func.max(customer_order.c.placed_at)))
    was_ahead = tx.value(was_ahead_until())
    moments = (at for statement in rows if (at := tx.value(statement)) is not None)
    newest = max((at for at in moments if was_ahead is None or at > was_ahead + LATE), default=tx.now)
    if newest > tx.now + AHEAD:
        text = (
            "The clock says {now:%Y-%m-%d %H:%M} UTC, but the newest rows are of {newest:%Y-%m-%d %H:%M}. Set it if it "
            "is wrong (`timedatectl set-ntp true`); if it is right, `commensal check --clock-is-right` says so."
        )
        yield Problem("clock_behind", text, values={"now": tx.now, "newest": newest})


def _open_files(instance: Instance) -> Iterator[Problem]:
    for file in (instance.folder / "instance.toml", database_file(instance)):
        if file is not None and file.exists() and file.stat().st_mode & 0o077:
            text = "{file} can be read by others on this machine; run `chmod 600 {file}`."
            yield Problem("open_file", text, values={"file": file})


def _backups(instance: Instance) -> Iterator[Problem]:
    folder = instance.settings.backups.folder
    now = instance.clock.now()
    if folder and not may_be_used(Path(folder)):
        yield refused_folder(instance)
        return
    newest = newest_backup(Path(folder) if folder else instance.folder / "backups", now)
    if newest is not None and newest > now - FRESH:
        return
    if not folder:
        text = "Nobody makes backups: let backups.folder in instance.toml name a folder, best on another disk."
        yield Problem("no_backups", text)
    elif newest is None:
        text = "There is no backup in {folder} yet; a running worker makes one, and so does `commensal backup`."
        yield Problem("no_backup_yet", text, values={"folder": folder})
    else:
        text = (
            "The newest backup in {folder} is of {newest:%Y-%m-%d %H:%M} UTC; `commensal jobs` tells what went wrong, "
            "and `commensal backup` makes one now."
        )
        yield Problem("old_backup", text, values={"folder": folder, "newest": newest})


def mail_problem(instance: Instance) -> Problem | None:
    """Why the SMTP server refuses e-mails of our sender, tried with the sender as recipient; None if it accepts them.

    No message is sent: the session ends before DATA.
    """
    settings, sender = instance.settings.mail, instance.settings.sender
    if not settings.host:
        return None
    values: dict[str, object] = {"host": settings.host, "port": settings.port, "sender": sender}
    try:
        with connected(settings) as server:
            for command in (server.mail, server.rcpt):
                code, answer = command(sender)
                if code >= 400:
                    text = "The mail server {host}:{port} takes no e-mails from {sender}: {answer}; see mail.sender."
                    reply = f"{code} {answer.decode('utf-8', 'replace')}"
                    return Problem("mail_refused", text, values={**values, "answer": reply})
    except (OSError, smtplib.SMTPException) as error:
        text = "The mail server {host}:{port} did not let us in: {error}; see [mail]."
        return Problem("mail_server", text, values={**values, "error": error})
    return None


def certificate_problem(instance: Instance) -> Problem | None:
    """What is wrong with the certificate of base_url, as a browser sees it; None if nothing is."""
    url = instance.settings.base_url
    address = urlsplit(url)
    if address.scheme != "https" or address.hostname is None:
        return None
    try:
        validity = validity_shown(url, ssl.create_default_context())
    except OSError as error:
        text = "{url} cannot be reached over TLS: {error}; look at the reverse proxy."
        return Problem("certificate", text, values={"url": url, "error": error})
    return next(certificate_expires(url, validity, instance.clock.now()), None)
