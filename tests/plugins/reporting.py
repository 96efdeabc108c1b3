"""Runs reports of plugins in tests, and reads them back."""

from __future__ import annotations

import csv
import io
from typing import Any

from sqlalchemy import insert

from commensal.enterprises.enterprises import enterprise_by_id
from commensal.enterprises.tables import enterprise_plugin
from commensal.instance import Instance
from commensal.parts.reports.formats import find_format
from commensal.parts.reports.parameters import read_parameters
from commensal.parts.reports.run import find_report, print_report
from commensal.storage.database import Transaction

PLUGINS = ("distribution_lists", "sales", "custom_report")


def use(tx: Transaction, shop: str) -> None:
    """Enables the plugins with reports for the shop."""
    for plugin in PLUGINS:
        tx.execute(insert(enterprise_plugin).values(enterprise_id=shop, plugin=plugin, settings={}, version=1))


def run(
    instance: Instance,
    shop: str,
    name: str,
    format: str = "csv",
    language: str = "en",
    flat: bool = False,
    **parameters: str,
) -> bytes:
    """Returns the report "plugin:id" of the shop as a file."""
    plugin, _, report = name.partition(":")
    with instance.store.read() as tx:
        report_found = find_report(tx, instance.hooks, shop, plugin, report, language)
        enterprise = enterprise_by_id(tx, shop)
        values = read_parameters(tx, enterprise, report_found.parameters, parameters)
    chosen_format = find_format(format)
    parts = print_report(
        instance.store, enterprise, report_found, values, format=chosen_format, language=language, flat=flat
    )
    return b"".join(parts)


def table(instance: Instance, shop: str, name: str, **options: Any) -> list[dict[str, str]]:
    """Returns the lines and sums of a report, by the labels of its columns."""
    return list(csv.DictReader(io.StringIO(run(instance, shop, name, **options).decode("utf-8-sig"), newline="")))
