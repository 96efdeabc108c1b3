"""Hands a message to the SMTP server, or writes it into the folder mail/ of the instance where no server is set."""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

from ...base.failpoints import failpoint
from ...instance.settings import MailSettings
from ...storage.jobs import PermanentFailure

FOLDER = "mail"
_SECONDS = 20  # for each answer of the server


def deliver(message: EmailMessage, settings: MailSettings, folder: Path, *, job_id: str, at: datetime) -> None:
    """Returns when the server has taken the message, or the file is on the disk. `folder` is the instance's.

    Raises `PermanentFailure` for what the server will never take: a 5xx answer (RFC 5321, 4.2.1). Raises OSError (and
    of it `smtplib.SMTPException`, `ssl.SSLError`) where it could not be delivered for another reason; then try again.
    """
    if settings.host:
        try:
            with connected(settings) as server:
                server.send_message(message)
        except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
            if (answer := _answer(error)).startswith("5"):
                raise PermanentFailure(answer) from error
            raise
    else:
        _write(message.as_bytes(), folder / FOLDER, f"{at:%Y%m%dT%H%M%SZ}-{job_id}.eml", unfinished=f".{job_id}.eml")


def _answer(error: smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused) -> str:
    """What the server said, like ``550 5.1.1 no such mailbox``."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))  # we write to one at a time
    else:
        code, text = error.smtp_code, error.smtp_error  # type: ignore[assignment]
    return f"{code} {' '.join((text.decode('utf-8', 'replace') if isinstance(text, bytes) else text).split())}"


@contextmanager
def connected(settings: MailSettings) -> Iterator[smtplib.SMTP]:
    """The SMTP server, after it has let us in. Raises as `deliver` does."""
    context = ssl.create_default_context()  # checks the certificate and that it is the host's
    if settings.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(settings.host, settings.port, timeout=_SECONDS, context=context)
    else:
        server = smtplib.SMTP(settings.host, settings.port, timeout=_SECONDS)
    with server:
        if settings.security == "starttls":
            server.starttls(context=context)  # raises where the server does not offer it: never in the clear
        if settings.username:
            server.login(settings.username, settings.password.reveal())
        yield server


def _write(content: bytes, folder: Path, name: str, *, unfinished: str) -> None:
    """Nobody ever sees half a message, nor anybody else's: the file gets its name when it is complete. What a try left
    that was killed is overwritten by the next."""
    folder.mkdir(mode=0o700, exist_ok=True)
    beside = folder / unfinished
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    failpoint("mail.unnamed")
    beside.replace(folder / name)
