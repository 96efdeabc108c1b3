"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .links import subject_of_link as subject_of_link
from .log import SentMail as SentMail
from .log import mails_of_order as mails_of_order
from .log import mails_of_purchase_order as mails_of_purchase_order
from .message import MailTable as MailTable
from .order_view import as_told as as_told
from .order_view import shown_code as shown_code
from .order_view import shown_codes as shown_codes
from .to_people import members_who_may as members_who_may
from .to_people import operators as operators

__all__: list[str]
