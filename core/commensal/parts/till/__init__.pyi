"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .provider_refunds import begin_refund as begin_refund
from .provider_refunds import refundable_payments as refundable_payments
from .till import TillCount as TillCount
from .till import count_till as count_till
from .till import take_back_count as take_back_count
from .till import till_counts as till_counts
from .till import till_of as till_of
from .till import uncounted_of as uncounted_of
from .unpaid_guests import Reminded as Reminded
from .unpaid_guests import remind_to_pay as remind_to_pay
from .unpaid_guests import reminded_of as reminded_of
from .write_off import MOST_WRITTEN_OFF as MOST_WRITTEN_OFF
from .write_off import may_write_off as may_write_off
from .write_off import take_back_written_off as take_back_written_off
from .write_off import write_cents_off as write_cents_off
from .write_off import written_off_payments as written_off_payments

__all__: list[str]
