"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .proposing import act_kinds as act_kinds
from .proposing import approve as approve
from .proposing import money_people as money_people
from .proposing import other_account as other_account
from .proposing import refuse as refuse
from .proposing import set_second_person as set_second_person
from .proposing import wants_second_person as wants_second_person
from .proposing import withdraw as withdraw

__all__: list[str]
