"""When the certificate under base_url expires: a worker looks each hour, so that health, the operator's page, `check`
and the metrics can say so before browsers refuse it, and without asking anybody themselves."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from cryptography import x509
from sqlalchemy import Select, delete, func, insert, select

from ...base.errors import Busy, Problem
from ...instance import Instance
from ...storage.jobs.tables import job_slot

# Looks again and again at something that no job may wait for within its transaction, such as a server or a disk.


@contextmanager
def watching(name: str, every: timedelta, look: Callable[[threading.Event], None]) -> Iterator[None]:
    """Calls `look` at once, and again so long after each call, until the block ends, in a thread of its own for which
    nobody waits. `look` is given the event that the end sets; it may raise `Busy`, which health reports by itself.
    """
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.is_set():
            with suppress(Busy):  # the next time is early enough
                look(is_over)
            is_over.wait(every.total_seconds())

    threading.Thread(target=watch, name=name, daemon=True).start()
    try:
        yield
    finally:
        is_over.set()


EVERY = timedelta(hours=1)
RENEWED = timedelta(days=14)  # a certificate should be renewed so long before it expires
_SHARE = 4  # or, where it is of days or hours, before the last quarter of its time; Caddy does at the last third
_SECONDS = 10  # for a server to answer
_SEEN = "certificate"  # the names of the rows with the moments of `Validity`
_LATE = "certificate_late"


class Validity(NamedTuple):
    """When a certificate expires, and from when on it should have been renewed (UTC)."""

    until: datetime
    late: datetime


@contextmanager
def watching_certificate(instance: Instance) -> Iterator[None]:
    """Looks at the certificate at once and every hour until the block ends, in a thread of its own, because a job may
    not wait for a server within its transaction. Does nothing where base_url is not an https address."""
    if urlsplit(instance.settings.base_url).scheme != "https":
        yield
        return

    def look(is_over: threading.Event) -> None:
        validity = certificate_validity(instance.settings.base_url)  # it may hang for ten seconds
        if not is_over.is_set():
            note_certificate(instance, validity)

    with watching("certificate", EVERY, look):
        yield


def certificate_validity(url: str) -> Validity | None:
    """That of the certificate of an https address, whoever vouches for it; None if nobody answers there: many machines
    do not reach their own public address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        return validity_shown(url, context)
    except OSError:
        return None


def validity_shown(url: str, context: ssl.SSLContext) -> Validity | None:
    """That of the certificate that the server at an https address shows. Raises `OSError` if nobody answers, and if
    `context` refuses the certificate."""
    address = urlsplit(url)
    with (
        socket.create_connection((address.hostname or "", address.port or 443), timeout=_SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=address.hostname) as tls,
    ):
        shown = tls.getpeercert(binary_form=True)
    if not shown:
        return None
    certificate = x509.load_der_x509_certificate(shown)
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return Validity(until, until - min(RENEWED, (until - since) / _SHARE))


def note_certificate(instance: Instance, validity: Validity | None) -> None:
    """Remembers the validity of the certificate; None: nobody knows it. Raises `Busy`."""
    with instance.store.write() as tx:
        tx.execute(delete(job_slot).where(job_slot.c.name.in_((_SEEN, _LATE))))
        if validity is not None:
            rows = [{"name": _SEEN, "slot": validity.until}, {"name": _LATE, "slot": validity.late}]
            tx.execute(insert(job_slot), rows)


def certificate_seen() -> Select[datetime | None]:
    """A query for the moment (UTC) at which the certificate that was seen last expires; NULL if none was seen."""
    return select(func.max(job_slot.c.slot)).where(job_slot.c.name == _SEEN)


def certificate_late() -> Select[datetime | None]:
    """A query for the moment (UTC) from which on it should have been renewed; NULL if none was seen."""
    return select(func.max(job_slot.c.slot)).where(job_slot.c.name == _LATE)


def certificate_expires(url: str, validity: Validity | None, now: datetime) -> Iterator[Problem]:
    """A problem if the certificate of an https address expires soon, or has expired."""
    if validity is None or now < validity.late or urlsplit(url).scheme != "https":  # the address may have changed since
        return
    until = validity.until
    values = {"host": urlsplit(url).hostname, "until": until}
    text = "The certificate of {host} expires on {until:%Y-%m-%d}; find out why it is not renewed."
    if until < now:
        text = (
            "The certificate of {host} expired on {until:%Y-%m-%d}, and browsers let nobody in. The log of "
            "the reverse proxy says why it was not renewed: `journalctl -u caddy`; with nginx, `certbot renew "
            "--dry-run`; in containers, `podman-compose logs proxy`. Then `commensal check --online` looks again."
        )
    yield Problem("certificate_expires", text, values=values)


# What one process has noticed of its instance since it began, which no other process can read in the database.

MOST_FAILED = 1000  # failed requests whose times are kept


class Noticed:
    """Kept with an instance, as `instance.state.of(Noticed)`: so health and the operator's page know the same.

    `revision` is that of the database when it was looked at first; "" before.
    """

    def __init__(self, instance: Instance) -> None:
        self._clock, self._failed = instance.clock, deque[datetime](maxlen=MOST_FAILED)
        self.revision = ""

    def count_failure(self) -> None:
        """Counts a request that was answered with a status of 5xx."""
        self._failed.append(self._clock.now())

    def failed_since(self, moment: datetime) -> int:
        """The number of requests answered with 5xx since then; at most `MOST_FAILED`."""
        return sum(at >= moment for at in tuple(self._failed))
