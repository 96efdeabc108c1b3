"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .coordinations import change_coordination as change_coordination
from .coordinations import open_coordination as open_coordination
from .on_sale import put_on_sale as put_on_sale
from .openness import is_coming as is_coming
from .openness import is_open as is_open
from .questions import coordination_by_id as coordination_by_id
from .questions import lots_on_sale as lots_on_sale
from .questions import new_items as new_items
from .questions import sale_for as sale_for
from .questions import sales_of_supplier as sales_of_supplier
from .questions import sessions_of as sessions_of
from .questions import suppliers_on_sale as suppliers_on_sale
from .references import items_of_offers as items_of_offers
from .references import whose as whose
from .rhythm import next_opening as next_opening
from .sessions import add_session as add_session
from .sessions import change_session as change_session
from .values import Coordination as Coordination
from .values import Supplier as Supplier
from .visible_offers import VisibleOffer as VisibleOffer
from .visible_offers import count_offers as count_offers
from .visible_offers import offers_for as offers_for

__all__: list[str]
