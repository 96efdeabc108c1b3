"""Hands a message to the SMTP server, or writes it into the instance's folder mail/ if no server is configured."""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

from ...base.failpoints import failpoint
from ...instance.settings import MailSettings
from ...storage.jobs import PermanentFailure

FOLDER = "mail"
_SECONDS = 20  # timeout for each reply of the server


def deliver(message: EmailMessage, settings: MailSettings, folder: Path, *, job_id: str, at: datetime) -> None:
    """Returns when the server has accepted the message, or the file is on the disk. `folder` is the instance's.

    Raises `PermanentFailure` for a message that the server will never accept: a 5xx reply (RFC 5321, 4.2.1). Raises
    OSError (also its subclasses `smtplib.SMTPException` and `ssl.SSLError`) for other failures, which may be temporary.
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
        _write(
            message.as_bytes(), folder / FOLDER, f"{at:%Y%m%dT%H%M%SZ}-{job_id}.eml", temporary_name=_temporary(job_id)
        )


def remove_unfinished(folder: Path, job_id: str) -> None:
    """Deletes the file that a killed attempt of the job has left in the instance's `folder`. Call it first: this
    attempt may be the last one, and fail before it writes anything."""
    with suppress(OSError):  # the attempt itself says what is wrong with the folder
        (folder / FOLDER / _temporary(job_id)).unlink()


def _temporary(job_id: str) -> str:
    return f".{job_id}.eml"


def _answer(error: smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused) -> str:
    """The server's reply, like ``550 5.1.1 no such mailbox``."""
    text: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))  # there is one recipient
    else:
        code, text = error.smtp_code, error.smtp_error
    return f"{code} {' '.join((text.decode('utf-8', 'replace') if isinstance(text, bytes) else text).split())}"


@contextmanager
def connected(settings: MailSettings) -> Iterator[smtplib.SMTP]:
    """A session with the SMTP server, after log-in. Raises as `deliver` does."""
    context = ssl.create_default_context()  # verifies the certificate and its host name
    if settings.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(settings.host, settings.port, timeout=_SECONDS, context=context)
    else:
        server = smtplib.SMTP(settings.host, settings.port, timeout=_SECONDS)
    with server:
        if settings.security == "starttls":
            server.starttls(
                context=context
            )  # raises if the server does not offer it, so that nothing is sent in clear text
        if settings.username:
            server.login(settings.username, settings.password.reveal())
        yield server


def _write(content: bytes, folder: Path, name: str, *, temporary_name: str) -> None:
    """Writes the file under a temporary name, only readable for its owner, and renames it when it is complete."""
    folder.mkdir(mode=0o700, exist_ok=True)
    temporary = folder / temporary_name
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        failpoint("mail.unnamed")
        temporary.replace(folder / name)
    except OSError:  # a full disk
        temporary.unlink(missing_ok=True)
        raise
