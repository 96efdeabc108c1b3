"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .merge import merge_orders as merge_orders
from .merge import revive_order as revive_order
from .merge import shipping_given_up as shipping_given_up
from .reprice import OtherPrice as OtherPrice
from .reprice import claim_order as claim_order
from .reprice import next_threshold as next_threshold
from .reprice import orders_at_other_prices as orders_at_other_prices
from .reprice import reprice_order as reprice_order
from .reprice import total_once_claimed as total_once_claimed
from .returns import MOST_RETURNED as MOST_RETURNED
from .returns import ContainerKey as ContainerKey
from .returns import DepositKind as DepositKind
from .returns import Returned as Returned
from .returns import count_returned as count_returned
from .returns import deposit_kinds as deposit_kinds
from .returns import likely_returns as likely_returns
from .returns import returned_of as returned_of
from .returns import returned_of_session as returned_of_session
from .returns import undo_returned as undo_returned
from .substitutes import shorten_order as shorten_order
from .substitutes import substitute as substitute

__all__: list[str]
