"""Builds a message from its content. No text that people typed can add a header to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from ...enterprises.enterprises import enterprise_by_id
from ...instance import Instance
from ..reports.formats import find_format
from ..reports.formats.pdf import NoTypesetter
from ..reports.run import print_report
from ..reports.values import Column, Report
from .render import Rendered

_LONGEST = 200  # characters of a subject or a name


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a message. `media_type` is like "text/csv".

    With a `content_id`, it is an image that the HTML part shows by the address ``cid:<content_id>``.
    """

    name: str
    media_type: str
    content: bytes
    content_id: str = ""


def build_message(
    content: Rendered,
    *,
    job_id: str,
    at: datetime,
    language: str,
    sender: str,
    sender_name: str,
    to: str,
    to_name: str = "",
    reply_to: str = "",
    attachments: Sequence[Attachment] = (),
    stop_link: str = "",
) -> EmailMessage:
    """The message, with a text part and an HTML part.

    Its Message-ID is made from `job_id`, so that a message sent again after a crash has the same one. Auto-Submitted
    (RFC 3834) prevents out-of-office replies. A POST to `stop_link` ends such messages (RFC 8058). Raises ValueError
    for malformed addresses.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(sender_name, sender)
    message["To"] = _address(to_name, to)
    if reply_to:
        message["Reply-To"] = _address(sender_name, reply_to)
    message["Subject"] = one_line(content.subject)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{job_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if stop_link:
        message["List-Unsubscribe"] = f"<{stop_link}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(content.text)
    message.add_alternative(content.html, subtype="html")
    message["Content-Language"] = language  # of both parts; set before them it would move into the first
    html = message.get_body(("html",))
    for attachment in attachments:
        main, _, sub = attachment.media_type.partition("/")
        names: dict[str, Any] = {"maintype": main, "subtype": sub, "filename": attachment.name}
        if attachment.content_id and html is not None:
            html.add_related(attachment.content, **names, cid=f"<{attachment.content_id}>", disposition="inline")
        else:
            message.add_attachment(attachment.content, **names)
    return message


def one_line(text: str) -> str:
    """The text in a form that is safe in a header: one line, without control characters, at most `_LONGEST` long; with
    plain spaces, as people type them who search their e-mails.

    "=?" is split: an encoded word (RFC 2047) is decoded when the header is written, and could contain line breaks.
    """
    plain = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(plain.replace("=?", "= ?").split())[:_LONGEST]


def _address(name: str, address: str) -> Address:
    try:
        parsed = Address(one_line(name), addr_spec=address)
    except (ValueError, IndexError, MessageError) as error:  # the parser raises any of them
        raise ValueError(f"{address!r} is not an e-mail address") from error
    if not parsed.username or not parsed.domain:
        raise ValueError(f"{address!r} is not an e-mail address")
    return parsed


# Tables that go with an e-mail: as CSV, and as PDF where the instance makes PDF files.

_KINDS = ("text", "whole", "money")  # what JSON can encode


@dataclass(frozen=True, kw_only=True)
class MailTable:
    """A table that goes with an e-mail.

    enterprise_id: of the enterprise that it is about: amounts are minor units of its currency
    name:          of the files, without an ending
    title, about:  a heading and lines below it, in the reader's language
    columns:       of the kinds "text", "whole" and "money"
    rows:          their cells: str or int; None is an empty one
    """

    enterprise_id: str
    name: str
    title: str
    about: Sequence[str]
    columns: Sequence[Column]
    rows: Sequence[Sequence[str | int | None]]

    def __post_init__(self) -> None:
        wrong = [column.name for column in self.columns if column.kind not in _KINDS]
        if wrong:
            raise ValueError(f"columns of a table in an e-mail are of the kinds {_KINDS}, unlike {wrong}")

    @property
    def payload(self) -> dict[str, Any]:
        """The table as a job keeps it."""
        return asdict(self)


def files_of_table(instance: Instance, payload: Mapping[str, Any], language: str) -> list[Attachment]:
    """Returns the files of a table that was enqueued as `MailTable.payload`."""
    with instance.store.read() as tx:
        enterprise = enterprise_by_id(tx, payload["enterprise_id"])
    rows = payload["rows"]
    report = Report(
        id=payload["name"],
        label=payload["title"],
        description="",
        rows=lambda query: rows,
        columns=[Column(**column) for column in payload["columns"]],
    )

    def content(file_format: str) -> bytes:
        parts = print_report(
            instance.store,
            enterprise,
            report,
            {},
            format=find_format(file_format),
            language=language,
            about=payload["about"],
        )
        return b"".join(parts)

    return csv_and_pdf(payload["name"], content)


def csv_and_pdf(name: str, content: Callable[[str], bytes]) -> list[Attachment]:
    """Returns a file as CSV, and as PDF where the instance makes PDF files. `content` returns it in a format."""
    files = []
    for file_format in ("csv", "pdf"):
        with suppress(NoTypesetter):
            media_type = find_format(file_format).media_type.partition(";")[0]
            files.append(Attachment(f"{name}.{file_format}", media_type, content(file_format)))
    return files
