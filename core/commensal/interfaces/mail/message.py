"""Builds a message from what it says. Nothing that people typed can become a header of it."""

from __future__ import annotations

from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from .render import Rendered

_LONGEST = 200  # characters of a subject or a name


def build_message(
    said: Rendered,
    *,
    job_id: str,
    at: datetime,
    language: str,
    sender: str,
    sender_name: str,
    to: str,
    to_name: str = "",
    reply_to: str = "",
) -> EmailMessage:
    """The message, with a text part and an HTML part.

    Its Message-ID follows from `job_id`: a message that is sent again after a crash is recognisable as the same one.
    Auto-Submitted (RFC 3834) keeps out-of-office answers away. Raises ValueError for addresses that are none.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(sender_name, sender)
    message["To"] = _address(to_name, to)
    if reply_to:
        message["Reply-To"] = _address(sender_name, reply_to)
    message["Subject"] = one_line(said.subject)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{job_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(said.text)
    message.add_alternative(said.html, subtype="html")
    message["Content-Language"] = language  # of both parts; set before them it would move into the first
    return message


def one_line(text: str) -> str:
    """The text as a header can hold it: one line, without control characters, and not too long.

    "=?" is taken apart: what looks like an encoded word (RFC 2047) is decoded when the header is written, and could
    bring the line breaks back that were just removed.
    """
    plain = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(plain.replace("=?", "= ?").split())[:_LONGEST]


def _address(name: str, address: str) -> Address:
    try:
        found = Address(one_line(name), addr_spec=address)
    except (ValueError, IndexError, MessageError) as error:  # by what the parser stumbles over
        raise ValueError(f"{address!r} is no e-mail address") from error
    if not found.username or not found.domain:
        raise ValueError(f"{address!r} is no e-mail address")
    return found
