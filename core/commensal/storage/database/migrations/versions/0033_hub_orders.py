"""Orders that a hub took for a customer with an account are in the history of that account.

Links the customers of such orders to the account that has confirmed their address, as later orders do by themselves.
"""

from __future__ import annotations

from alembic import op

revision = "0033_hub_orders"
down_revision = "0032_sealed_answers"
branch_labels = None
depends_on = None

_LINK_CUSTOMERS = """
UPDATE customer SET version = version + 1, person_id =
    (SELECT person.id FROM person WHERE person.email = customer.email AND person.confirmed_at IS NOT NULL)
WHERE person_id IS NULL
    AND EXISTS (SELECT 1 FROM person WHERE person.email = customer.email AND person.confirmed_at IS NOT NULL)
    AND EXISTS (SELECT 1 FROM customer_order WHERE customer_id = customer.id AND identity = 'hub')
"""
_LINK_ORDERS = """
UPDATE customer_order SET version = version + 1, person_id =
    (SELECT customer.person_id FROM customer WHERE customer.id = customer_order.customer_id)
WHERE person_id IS NULL AND identity = 'hub' AND state <> 'Draft'
    AND EXISTS (SELECT 1 FROM customer WHERE customer.id = customer_order.customer_id AND person_id IS NOT NULL)
"""


def upgrade() -> None:
    op.execute(_LINK_CUSTOMERS)
    op.execute(_LINK_ORDERS)
