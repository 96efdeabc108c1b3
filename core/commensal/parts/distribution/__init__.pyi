"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .distribution import AgreedPart as AgreedPart
from .distribution import agreed_parts as agreed_parts
from .distribution import lines_of_product as lines_of_product
from .distribution import ordered_of as ordered_of
from .distribution import pieces_by_cost as pieces_by_cost
from .distribution import pieces_ordered_since as pieces_ordered_since
from .open_orders import UnsettledOrder as UnsettledOrder
from .open_orders import open_order_sums as open_order_sums
from .open_orders import open_orders as open_orders
from .packing import Shelf as Shelf
from .packing import collection_places as collection_places
from .packing import pack_into as pack_into
from .packing import shelves_of_session as shelves_of_session
from .summaries import count_orders_with as count_orders_with
from .summaries import find_orders as find_orders
from .summaries import orders_to_join as orders_to_join
from .summaries import orders_with_product as orders_with_product
from .summaries import prices_in_session as prices_in_session
from .summaries import summaries_of_customer as summaries_of_customer
from .summaries import summaries_of_session as summaries_of_session
from .summaries import unpaid_at_sessions as unpaid_at_sessions
from .weight_rules import weight_rules_of_session as weight_rules_of_session

__all__: list[str]
