"""What an instance stands on, looked at when an operator asks (``commensal check``): each finding says what to do."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import func, select

from ..instance import Instance
from ..instance.brought import read_brought
from ..jobs.tables import job
from ..keeping.nightly import newest_backup
from ..mail.deliver import connected
from ..orders.tables import customer_order
from ..store import Transaction
from .health import AHEAD, database_file, full_disks, newest_slot

FRESH = timedelta(days=2)  # a backup
RENEWED = timedelta(days=14)  # before it expires, a certificate should have been renewed
_SECONDS = 10  # for a server to answer


def warnings(instance: Instance) -> Iterator[str]:
    """What can be seen from here. An instance that is only tried out may have some."""
    yield from full_disks(instance)
    yield from _open_files(instance)
    yield from _unfinished_upgrade(instance)
    yield from _backups(instance)
    with instance.store.read() as tx:
        yield from clock_behind(tx)
    settings = instance.settings
    if not settings.mail.host:
        yield "mail.host is empty: e-mails are written into the folder mail/ and reach nobody; name an SMTP server."
    address = urlsplit(settings.base_url)
    if address.scheme == "http" and address.hostname not in ("127.0.0.1", "::1", "localhost"):
        yield (
            "base_url begins with http://: passwords travel in the clear; put a reverse proxy with a certificate in "
            "front (`commensal init --proxy caddy` shows one) and let base_url begin with https://."
        )


def clock_behind(tx: Transaction) -> Iterator[str]:
    """Rows cannot be from the future: either the clock was set back, or it was ahead when they were written."""
    rows = (
        select(job.c.created_at).order_by(job.c.id.desc()).limit(1),
        select(func.max(customer_order.c.placed_at)),
        newest_slot(),
    )
    newest = max((at for one in rows if (at := tx.value(one)) is not None), default=tx.now)
    if newest > tx.now + AHEAD:
        yield (
            f"The clock says {tx.now:%Y-%m-%d %H:%M} UTC, but the newest rows are of {newest:%Y-%m-%d %H:%M}; "
            "set the clock (`timedatectl set-ntp true`)."
        )


def _open_files(instance: Instance) -> Iterator[str]:
    for file in (instance.folder / "instance.toml", database_file(instance)):
        if file is not None and file.exists() and file.stat().st_mode & 0o077:
            yield f"{file} can be read by others on this machine; run `chmod 600 {file}`."


def _unfinished_upgrade(instance: Instance) -> Iterator[str]:
    """The database is whole all the same, or it could not have been opened; only its check at the end is missing."""
    known = read_brought(instance.folder)
    if known is not None and not known.finished:
        yield (
            f"The upgrade to Commensal {known.version} of {known.at:%Y-%m-%d %H:%M} UTC did not come to its end; stop "
            f"the instance and run `commensal upgrade`. As it was before, it is in {known.backup}."
        )


def _backups(instance: Instance) -> Iterator[str]:
    folder = instance.settings.backups.folder
    newest = newest_backup(Path(folder) if folder else instance.folder / "backups")
    if newest is not None and newest > instance.clock.now() - FRESH:
        return
    if not folder:
        yield "Nobody makes backups: let backups.folder in instance.toml name a folder, best on another disk."
    elif newest is None:
        yield f"There is no backup in {folder} yet; a running worker makes one, and so does `commensal backup`."
    else:
        yield (
            f"The newest backup in {folder} is of {newest:%Y-%m-%d %H:%M} UTC; `commensal jobs` tells what went wrong, "
            "and `commensal backup` makes one now."
        )


def mail_problem(instance: Instance) -> str:
    """Why the SMTP server would not take an e-mail; empty where it lets us in."""
    settings = instance.settings.mail
    if not settings.host:
        return ""
    try:
        with connected(settings) as server:
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        return f"The mail server {settings.host}:{settings.port} did not let us in: {error}; see [mail]."
    return ""


def certificate_problem(instance: Instance) -> str:
    """What is wrong with the certificate under base_url, as a browser sees it; empty where nothing is."""
    address = urlsplit(instance.settings.base_url)
    if address.scheme != "https" or address.hostname is None:
        return ""
    host, port = address.hostname, address.port or 443
    try:
        with (
            socket.create_connection((host, port), timeout=_SECONDS) as line,
            ssl.create_default_context().wrap_socket(line, server_hostname=host) as speaking,
        ):
            certificate = speaking.getpeercert() or {}
    except OSError as error:
        return f"{instance.settings.base_url} cannot be reached over TLS: {error}; look at the reverse proxy."
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    if until < instance.clock.now() + RENEWED:
        return f"The certificate of {host} expires on {until:%Y-%m-%d}; find out why it is not renewed."
    return ""
