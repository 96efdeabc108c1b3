"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .findings import PriceSlip as PriceSlip
from .findings import is_slip as is_slip
from .lists import ListReport as ListReport
from .lists import PlannedList as PlannedList
from .lists import plan_list as plan_list
from .read import list_from_cells as list_from_cells
from .read import read_list as read_list
from .row_values import Defaults as Defaults
from .row_values import read_defaults as read_defaults

__all__: list[str]
