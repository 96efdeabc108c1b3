"""Tables that go with an e-mail: as CSV, and as PDF where the instance makes PDF files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from ...enterprises.enterprises import enterprise_by_id
from ...instance import Instance
from ..reports.formats import find_format
from ..reports.formats.pdf import NoTypesetter
from ..reports.run import print_report
from ..reports.values import Column, Report
from .message import Attachment

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
