"""All that the workers of an instance know how to do: handlers of promised jobs, and what happens periodically."""

from __future__ import annotations

from datetime import timedelta

from .api.idempotency import forget_old_answers
from .jobs import Periodic, Work
from .mail.send import send_mail
from .people.confirmations import FORGOTTEN, mail_reset
from .people.forgetting import forget_what_ran_out
from .sale_sessions.complete import complete_due
from .sale_sessions.repeat import repeat_due

WORK = Work(
    handlers={"mail": send_mail, FORGOTTEN: mail_reset},
    periodic=(
        Periodic("complete_sales", timedelta(minutes=1), complete_due),
        Periodic("repeat_sales", timedelta(minutes=5), repeat_due),
        Periodic("forget_answers", timedelta(days=1), forget_old_answers),
        Periodic("forget_log_ins", timedelta(days=1), forget_what_ran_out),
    ),
)
