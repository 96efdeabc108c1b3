"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .customer_lists import CustomerListReport as CustomerListReport
from .customer_lists import import_customers as import_customers
from .customer_lists import read_customers as read_customers
from .handing_over import demand_producer_founder as demand_producer_founder
from .handing_over import hand_over as hand_over
from .handing_over import keeper_at as keeper_at
from .handing_over import owned_alone as owned_alone
from .invitations import accept_invitation as accept_invitation
from .invitations import decline_invitation as decline_invitation
from .invitations import invitations_of as invitations_of
from .invitations import invitations_to as invitations_to
from .invitations import invite as invite
from .invitations import withdraw_invitation as withdraw_invitation

__all__: list[str]
