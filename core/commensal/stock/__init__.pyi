"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .levels import lock_lots as lock_lots
from .lots import change_lot as change_lot
from .lots import lot_by_id as lot_by_id
from .lots import lots_by_id as lots_by_id
from .lots import lots_of as lots_of
from .lots import low_lots as low_lots
from .lots import stop_watching_lots as stop_watching_lots
from .movements import count_stock as count_stock
from .movements import taken_since as taken_since

__all__: list[str]
