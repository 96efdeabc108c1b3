"""Sends e-mails to an enterprise about its own affairs, from templates of plugins."""

from __future__ import annotations

from collections.abc import Mapping

from ...storage.database import Transaction
from ...storage.jobs import NewJob, enqueue_all
from ...trade.enterprises.addresses import addresses_of


def mail_enterprise(
    tx: Transaction, enterprise_id: str, kind: str, values: Mapping[str, object], *, caused_by: str = ""
) -> None:
    """Enqueues an e-mail to the enterprise's address in its language; without an address, to each of its owners.

    The plugin has the templates ``templates/mail/<kind>.txt`` and ``.html``, which get `values` (what JSON can encode)
    and the enterprise's name as `enterprise`. Name the kind after the plugin. `caused_by` is the id of another
    enterprise whose act the e-mail is about: of these a mailbox gets as many an hour from each as `limits.mails` says,
    and the others are dropped. Raises `NotFound`.
    """
    to = addresses_of(tx, enterprise_id)
    payload = {"kind": kind, "language": to.language, "enterprise": to.name, "values": dict(values)}
    if caused_by:
        payload["caused_by"] = caused_by
    enqueue_all(tx, [NewJob("mail", {**payload, "to": email}) for email in to.emails])
