"""Tells platforms that something has changed at an enterprise here, in the form in which deployed platforms tell each
other: ``{"eventType": "refresh" | "revoke", "enterpriseUrlid": …, "scope": …}``, at most once a minute for each."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select

from commensal import Instance, Job, Periodic, Secret, Transaction, Work, promise

from ..dfc.iris import enterprise_iri
from ..dfc.names import full
from ..linked_catalogues.client import DfcClient
from ..linked_catalogues.values import Access
from ..runtime import Federation, federation_of
from ..settings import DfcPlatform
from .noting import note
from .scopes import held_by
from .tables import federation_platform_notice

TELL = "federation.tell_platform"  # a job: {"platform": …, "enterprise": …, "scope": …}
_EVERY = timedelta(minutes=1)
_AT_ONCE = 1_000
_row = federation_platform_notice.c
# Made once, since it is asked every minute.
_NOTED = select(_row.platform_id, _row.enterprise_id, _row.scope).order_by(*_row).limit(_AT_ONCE)


def note_change(federation: Federation, tx: Transaction, enterprise_id: str, scope: str = "ReadProducts") -> None:
    """What the scope opens has changed: those platforms are told soon that hold it, and have an address for it."""
    told = [one.id for one in federation.settings.platforms if one.webhook]
    note(tx, [one for one in told if scope in held_by(tx, one, enterprise_id)], enterprise_id, scope)


def tell_soon(tx: Transaction) -> None:
    """Promises to tell what was noted: it belongs to jobs, which come back when a platform does not answer."""
    noted = tx.all(_NOTED)
    for platform_id, enterprise_id, scope in (tuple(row.values()) for row in noted):
        same = (_row.platform_id == platform_id, _row.enterprise_id == enterprise_id, _row.scope == scope)
        tx.execute(delete(federation_platform_notice).where(*same))
        promise(tx, TELL, {"platform": platform_id, "enterprise": enterprise_id, "scope": scope})


def tell_platform(instance: Instance, job: Job) -> None:
    """A job: what it says is what is so by now. Raises `NotAnswered`, and is tried again."""
    federation, said = federation_of(instance), job.payload
    platform = next((one for one in federation.settings.platforms if one.id == said["platform"]), None)
    if platform is None or not platform.webhook:
        return
    iri = enterprise_iri(federation.base, said["enterprise"])
    with instance.store.read() as tx:
        held = said["scope"] in held_by(tx, platform.id, said["enterprise"])
    event = {"eventType": "refresh" if held else "revoke", "enterpriseUrlid": iri, "scope": said["scope"]}
    if not held:
        event |= {"objects": [{"@id": iri, "@type": full("dfc-b:Enterprise")}]}
    DfcClient(federation, _access(platform)).send("POST", platform.webhook, event)


def work() -> Work:
    return Work({TELL: tell_platform}, (Periodic("federation.platform_notices", _EVERY, tell_soon),))


def _access(platform: DfcPlatform) -> Access:
    secret = Secret(platform.webhook_secret.reveal())
    if platform.webhook_client:
        return Access(
            url=platform.webhook, auth="oidc", issuer=platform.issuer, client_id=platform.webhook_client, secret=secret
        )
    return Access(url=platform.webhook, auth="token", secret=secret)
