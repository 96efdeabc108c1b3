"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .actor import SCOPE_WORDS as SCOPE_WORDS
from .actor import SELF as SELF
from .actor import Actor as Actor
from .logging_in import CodeWanted as CodeWanted
from .logging_in import await_code as await_code
from .logging_in import check_password as check_password
from .logging_in import finish_log_in as finish_log_in
from .logging_in import log_in as log_in
from .logging_in import log_in_proven as log_in_proven
from .logging_in import wrong_password as wrong_password
from .new_password import change_password as change_password
from .new_password import check_new_password as check_new_password
from .new_password import has_password as has_password
from .new_password import prove_password as prove_password
from .passwords import hash_password as hash_password
from .people import change_person as change_person
from .people import new_person as new_person
from .people import person_by_email as person_by_email
from .second_factor import Enrolment as Enrolment
from .second_factor import begin_second_factor as begin_second_factor
from .second_factor import confirm_second_factor as confirm_second_factor
from .second_factor import prove_second_factor as prove_second_factor
from .second_factor import second_factor_of as second_factor_of
from .second_factor import turn_off_second_factor as turn_off_second_factor
from .second_factor import unconfirmed_enrolment as unconfirmed_enrolment
from .second_factor import wrong_code as wrong_code
from .sessions import NewSession as NewSession
from .sessions import list_sessions as list_sessions
from .sessions import log_out as log_out
from .sessions import revoke_session as revoke_session
from .sessions import revoke_sessions as revoke_sessions

__all__: list[str]
