"""Sends e-mails to an enterprise about its own affairs, from templates of plugins."""

from __future__ import annotations

from collections.abc import Mapping

from ...storage.database import Transaction
from ...storage.jobs import NewJob, enqueue_all
from ...trade.enterprises.addresses import addresses_of


def mail_enterprise(tx: Transaction, enterprise_id: str, kind: str, values: Mapping[str, object]) -> None:
    """Promises an e-mail to the enterprise's address in its language; without an address, to each of its owners.

    The plugin has the templates ``templates/mail/<kind>.txt`` and ``.html``, which get `values` (what JSON can encode)
    and the enterprise's name as `enterprise`. Name the kind after the plugin. Raises `NotFound`.
    """
    to = addresses_of(tx, enterprise_id)
    payload = {"kind": kind, "language": to.language, "enterprise": to.name, "values": dict(values)}
    enqueue_all(tx, [NewJob("mail", {**payload, "to": email}) for email in to.emails])
