"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .absences import absences_of as absences_of
from .absences import absent_suppliers as absent_suppliers
from .absences import add_absence as add_absence
from .absences import end_absence as end_absence
from .absences import replace_absences as replace_absences
from .clone import clone_coordination as clone_coordination
from .series import correct_next as correct_next
from .series import is_repeated as is_repeated

__all__: list[str]
