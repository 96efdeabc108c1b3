"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .confirmations import ask_confirmation as ask_confirmation
from .confirmations import ask_new_email as ask_new_email
from .confirmations import ask_reset as ask_reset
from .confirmations import confirm_email as confirm_email
from .confirmations import confirm_new_email as confirm_new_email
from .confirmations import email_of_reset as email_of_reset
from .confirmations import reset_password as reset_password
from .confirmations import sign_up as sign_up
from .identities import identities_of as identities_of
from .identities import unlink_identity as unlink_identity
from .joining import accept_household_invitation as accept_household_invitation
from .joining import decline_household_invitation as decline_household_invitation
from .joining import invite_to_household as invite_to_household
from .joining import leave_household as leave_household
from .joining import remove_from_household as remove_from_household
from .joining import withdraw_household_invitation as withdraw_household_invitation
from .log_in_elsewhere import Departed as Departed
from .log_in_elsewhere import come_back as come_back
from .log_in_elsewhere import connect_identity as connect_identity
from .log_in_elsewhere import identity_providers as identity_providers
from .log_in_elsewhere import leave_for_provider as leave_for_provider
from .log_in_elsewhere import log_out_url as log_out_url
from .log_in_elsewhere import person_by_identity as person_by_identity
from .log_in_elsewhere import provider_session as provider_session
from .operators import has_operator as has_operator
from .phones import phones_to_prove as phones_to_prove
from .phones import prove_phone as prove_phone

__all__: list[str]
