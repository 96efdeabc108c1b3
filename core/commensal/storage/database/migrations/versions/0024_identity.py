"""Who says whose an order is.

What is known of earlier orders: who was logged in as the owner of the customer's record has proved it; an order without
an account and without a guest's secret was placed by the hub, unless its guest was forgotten and the secret with them;
everything else was only typed. Carts are typed.

Records of customers whose address somebody has confirmed become theirs, which only their next order did before.
"""

from __future__ import annotations

from alembic import op

revision = "0024_identity"
down_revision = "0023_order_letters"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE customer_order ADD COLUMN identity TEXT NOT NULL DEFAULT 'typed'"
        " CONSTRAINT ck_customer_order_identity_known CHECK (identity IN ('typed', 'proven', 'hub'))"
    )
    op.execute(
        "UPDATE customer SET version = version + 1, person_id = ("
        "SELECT person.id FROM person WHERE person.email = customer.email AND person.confirmed_at IS NOT NULL"
        ") WHERE person_id IS NULL AND EXISTS ("
        "SELECT 1 FROM person WHERE person.email = customer.email AND person.confirmed_at IS NOT NULL)"
    )
    op.execute(
        "UPDATE customer_order SET identity = 'proven' WHERE state <> 'Draft' AND person_id IS NOT NULL AND EXISTS ("
        "SELECT 1 FROM customer WHERE customer.id = customer_order.customer_id"
        " AND customer.person_id = customer_order.person_id)"
    )
    op.execute(
        "UPDATE customer_order SET identity = 'hub'"
        " WHERE state <> 'Draft' AND person_id IS NULL AND secret_hash IS NULL AND customer_id IS NOT NULL"
        " AND email NOT LIKE '%@forgotten.invalid'"
    )
