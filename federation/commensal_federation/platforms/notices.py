"""Records changes that a platform must be notified of; `notifying` sends the notices."""

from __future__ import annotations

from collections.abc import Collection

from commensal import Transaction, insert_or

from ..settings import DfcPlatform
from .tables import federation_platform_notice


def add_scope_notices(platform: DfcPlatform, tx: Transaction, enterprise_id: str, scopes: Collection[str]) -> None:
    """Records that the platform has gained or lost these scopes."""
    for scope in sorted(scopes):
        add_notices(tx, [platform.id] if platform.webhook else [], enterprise_id, scope)


def add_notices(tx: Transaction, platform_ids: Collection[str], enterprise_id: str, scope: str) -> None:
    """Records for these platforms that data under the scope has changed; one notice for any number of changes."""
    for platform_id in platform_ids:
        row = {"platform_id": platform_id, "enterprise_id": enterprise_id, "scope": scope, "changed_at": tx.now}
        tx.execute(insert_or(tx, federation_platform_notice).values(row).on_conflict_do_nothing())
