"""E-mails about orders that release 0.1.0 has left in the queue hold no secret of a guest's order any more.

Each gets a new secret when it leaves, as all e-mails do since revision 0049. Backups from before hold the old ones.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import column, select, table, update

from commensal.storage.database import Json

revision = "0053_secrets_of_waiting_mails"
down_revision = "0052_low_stock"
branch_labels = None
depends_on = None


def upgrade() -> None:
    job = table("job", column("id"), column("kind"), column("payload", Json()))
    connection = op.get_bind()
    mails = connection.execute(select(job.c.id, job.c.payload).where(job.c.kind == "mail")).all()
    for id, payload in mails:
        if payload.pop("secret", None) is not None:
            connection.execute(update(job).where(job.c.id == id).values(payload=payload))
