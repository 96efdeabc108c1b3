"""Kept answers are found by a hash of their Idempotency-Key, and hold no secret of a guest's order in clear.

Secrets that were kept are taken out, since what would seal them is not known: whoever repeats a request from before this
revision is still answered, and acts no second time, but is not told the secret again. Backups from before hold them.
"""

from __future__ import annotations

import hashlib
import json

from alembic import op
from sqlalchemy import column, select, table, update

revision = "0032_sealed_answers"
down_revision = "0031_restocked"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kept = table("idempotent_answer", column("actor"), column("key"), column("body"))
    connection = op.get_bind()
    for actor, key, body in connection.execute(select(kept.c.actor, kept.c.key, kept.c.body)).all():
        hashed = hashlib.sha256(f"{actor}\n{key}".encode()).hexdigest()
        this = update(kept).where(kept.c.actor == actor, kept.c.key == key)
        connection.execute(this.values(key=hashed, body=_without_secret(body)))


def _without_secret(body: str | None) -> str | None:
    if not body or '"secret"' not in body:
        return body
    said = json.loads(body)
    if isinstance(said, dict) and "secret" in said:
        said["secret"] = None
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
