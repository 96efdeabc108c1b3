"""Notifies platforms of changes at an enterprise here, in the form that deployed platforms use:
``{"eventType": "refresh" | "revoke", "enterpriseUrlid": …, "scope": …}``, at most once a minute for each scope."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select

from commensal import Instance, Job, Periodic, Secret, Transaction, Work, enqueue

from ..dfc.iris import enterprise_iri
from ..dfc.names import full
from ..linked_catalogues.client import DfcClient
from ..linked_catalogues.values import Access
from ..runtime import Federation, federation_of
from ..settings import DfcPlatform
from .notices import add_notices
from .scopes import granted_scopes
from .tables import federation_platform_notice

TELL = "federation.tell_platform"  # a job: {"platform": …, "enterprise": …, "scope": …}
_EVERY = timedelta(minutes=1)
_AT_ONCE = 1_000
_row = federation_platform_notice.c
# Built once, since it runs every minute.
_NOTICES = select(_row.platform_id, _row.enterprise_id, _row.scope).order_by(*_row).limit(_AT_ONCE)


def notify_of_change(federation: Federation, tx: Transaction, enterprise_id: str, scope: str = "ReadProducts") -> None:
    """Records a change of data under the scope, for platforms that have the scope and a webhook."""
    platform_ids = [platform.id for platform in federation.settings.platforms if platform.webhook]
    add_notices(
        tx,
        [platform_id for platform_id in platform_ids if scope in granted_scopes(tx, platform_id, enterprise_id)],
        enterprise_id,
        scope,
    )


def enqueue_notifications(tx: Transaction) -> None:
    """Turns recorded notices into jobs, which are retried while a platform does not answer."""
    rows = tx.all(_NOTICES)
    for platform_id, enterprise_id, scope in (tuple(row.values()) for row in rows):
        is_row = (_row.platform_id == platform_id, _row.enterprise_id == enterprise_id, _row.scope == scope)
        tx.execute(delete(federation_platform_notice).where(*is_row))
        enqueue(tx, TELL, {"platform": platform_id, "enterprise": enterprise_id, "scope": scope})


def notify_platform(instance: Instance, job: Job) -> None:
    """A job: sends the platform the present state of its scope. Raises `NotAnswered`; then the job is retried."""
    federation, payload = federation_of(instance), job.payload
    platform = next(
        (candidate for candidate in federation.settings.platforms if candidate.id == payload["platform"]), None
    )
    if platform is None or not platform.webhook:
        return
    iri = enterprise_iri(federation.base, payload["enterprise"])
    with instance.store.read() as tx:
        granted = payload["scope"] in granted_scopes(tx, platform.id, payload["enterprise"])
    event = {"eventType": "refresh" if granted else "revoke", "enterpriseUrlid": iri, "scope": payload["scope"]}
    if not granted:
        event |= {"objects": [{"@id": iri, "@type": full("dfc-b:Enterprise")}]}
    DfcClient(federation, _access(platform)).send("POST", platform.webhook, event)


def work() -> Work:
    return Work({TELL: notify_platform}, (Periodic("federation.platform_notices", _EVERY, enqueue_notifications),))


def _access(platform: DfcPlatform) -> Access:
    secret = Secret(platform.webhook_secret.reveal())
    if platform.webhook_client:
        return Access(
            url=platform.webhook, auth="oidc", issuer=platform.issuer, client_id=platform.webhook_client, secret=secret
        )
    return Access(url=platform.webhook, auth="token", secret=secret)
