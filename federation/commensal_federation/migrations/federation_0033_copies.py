"""Grants to edit an enterprise that has moved away become grants to read it: nobody edits a copy."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "federation_0033_copies"
down_revision = "federation_0032_grant_terms"
branch_labels = None
depends_on = None

_READ = sa.text(
    "INSERT INTO enterprise_grant (grantor_id, grantee_id, scope, granted_at, granted_by)"
    " SELECT grantor_id, grantee_id, :reading, granted_at, granted_by FROM enterprise_grant"
    " WHERE scope = :editing AND grantor_id IN (SELECT enterprise_id FROM federation_mirror) ON CONFLICT DO NOTHING"
)
_EDIT = sa.text(
    "DELETE FROM enterprise_grant"
    " WHERE scope = :editing AND grantor_id IN (SELECT enterprise_id FROM federation_mirror)"
)


def upgrade() -> None:
    for editing, reading in (("WriteEnterprise", "ReadEnterprise"), ("WriteProducts", "ReadProducts")):
        op.execute(_READ.bindparams(editing=editing, reading=reading))
        op.execute(_EDIT.bindparams(editing=editing))
