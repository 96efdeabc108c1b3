"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .begin import change_payment_method as change_payment_method
from .by_hand import record_received as record_received
from .by_hand import recorded_by_hand as recorded_by_hand
from .by_hand import take_back as take_back
from .journal import payments_in_journal as payments_in_journal
from .methods import WRITTEN_OFF as WRITTEN_OFF
from .methods import choose_method as choose_method
from .methods import method_name as method_name
from .methods import payment_methods as payment_methods
from .methods import payment_methods_of_order as payment_methods_of_order
from .methods import plugins_that_take_payments as plugins_that_take_payments
from .payments import cancel_open as cancel_open
from .payments import orders_with_reference as orders_with_reference
from .payments import payment_by_key as payment_by_key
from .problems import problems_of as problems_of
from .problems import settle_problem as settle_problem
from .values import PaymentProblem as PaymentProblem

__all__: list[str]
