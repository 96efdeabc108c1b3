"""Notes what a platform is to be told of; see `telling`."""

from __future__ import annotations

from collections.abc import Collection

from commensal import Transaction, insert_or

from ..settings import DfcPlatform
from .tables import federation_platform_notice


def note_scopes(platform: DfcPlatform, tx: Transaction, enterprise_id: str, scopes: Collection[str]) -> None:
    """The platform has got or lost these scopes, and is told so."""
    for scope in sorted(scopes):
        note(tx, [platform.id] if platform.webhook else [], enterprise_id, scope)


def note(tx: Transaction, platform_ids: Collection[str], enterprise_id: str, scope: str) -> None:
    """These platforms are told that what the scope opens has changed, once, however often it has."""
    for platform_id in platform_ids:
        row = {"platform_id": platform_id, "enterprise_id": enterprise_id, "scope": scope, "changed_at": tx.now}
        tx.execute(insert_or(tx, federation_platform_notice).values(row).on_conflict_do_nothing())
