"""The work of an instance: handlers of jobs, and periodic work, of the core and of plugins."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer

import msgspec

from ...base.errors import PluginError, SettingsError
from ...enterprises.households import forget_household_invitations
from ...events.announce import SOLD_OUT
from ...hooks import specifications
from ...hooks.failures import SET_ASIDE
from ...instance import Instance
from ...orders.cart import forget_carts
from ...orders.fulfil import complete_due
from ...orders.guests import EXPIRE
from ...orders.shipping import RELEASE, retry_release
from ...payments import payments
from ...payments.providers import cancel_at_provider, check_payment_status
from ...storage.database import Transaction
from ...storage.database.revisions import tables_of
from ...storage.idempotency import forget_old_answers
from ...storage.jobs import Periodic, Work
from ...storage.jobs.bringing_forward import bring_forward
from ...storage.jobs.clock import BRING_FORWARD
from ...storage.jobs.failed import forget_finished
from ...storage.jobs.run import run_due
from ..accounts.confirmations import FORGOTTEN, mail_reset
from ..approvals.proposing import TELL as SECOND
from ..approvals.proposing import tell_second_people
from ..backups.nightly import enqueue_backup, make_backup, try_backup
from ..backups.upkeep.upkeep import BACKUP, TRIAL
from ..event_delivery.tell import (
    EVENT,
    announce_low_stock,
    announce_openings,
    announce_sold_out,
    forget_openings,
    tell_plugin,
)
from ..mail.capping import forget_counts
from ..mail.enterprise_events import mail_absence, mail_empty_sales, mail_expired_orders, mail_low_stock
from ..mail.links import forget_links
from ..mail.log import forget_mails
from ..mail.notices import NOTICE, send_notice
from ..mail.send import send_mail
from ..mail.to_people import mail_set_aside
from ..membership.invitations import forget_invitations
from ..monitoring.health import Watcher
from ..monitoring.routes import HEALTH
from ..pages.post_redirect_get import forget_shown_pages
from ..privacy.retention import apply_retention, forget_expired, forget_old_entries
from ..sale_calendar.absences import AWAY
from ..sale_calendar.clone import repeat_due
from ..supply.passed_cut_offs import TELL, close_parts, tell_when_closed
from ..supply.purchase_orders import compare_due
from ..supply.reminding import remind_due
from ..till.provider_refunds import request_refund, return_late_payment
from ..till.unpaid_guests import ALERT, expire_guest_order, forget_guest_orders


def _announce_openings(tx: Transaction) -> None:
    mail_empty_sales(tx, announce_openings(tx))


def _announce_low_stock(tx: Transaction) -> None:
    mail_low_stock(tx, announce_low_stock(tx))


def _core(instance: Instance) -> Work:
    return Work(
        handlers={
            "mail": send_mail,
            NOTICE: send_notice,
            SET_ASIDE: mail_set_aside,
            FORGOTTEN: mail_reset,
            EVENT: tell_plugin,
            SOLD_OUT: announce_sold_out,
            payments.STATUS: check_payment_status,
            payments.CANCEL: cancel_at_provider,
            payments.REFUND: request_refund,
            payments.LATE: return_late_payment,
            EXPIRE: expire_guest_order,
            ALERT: mail_expired_orders,
            RELEASE: retry_release,
            TELL: tell_when_closed,
            SECOND: tell_second_people,
            AWAY: mail_absence,
            BACKUP: make_backup,
            TRIAL: try_backup,
        },
        periodic=(*_sales_work(instance), *_backup_work(instance), *_forgetting_work(instance)),
        irreversible=frozenset({EXPIRE}),
    )


def _sales_work(instance: Instance) -> tuple[Periodic, ...]:
    """What opens, closes and repeats sales, and tells people of it."""
    return (
        Periodic("announce_openings", timedelta(minutes=1), _announce_openings),
        Periodic("announce_low_stock", timedelta(minutes=1), _announce_low_stock),
        Periodic("complete_sales", timedelta(minutes=1), complete_due, irreversible=True),
        Periodic("close_parts", timedelta(minutes=1), close_parts, irreversible=True),
        Periodic("remind_customers", timedelta(minutes=5), remind_due, irreversible=True),
        Periodic("compare_purchase_orders", timedelta(minutes=5), compare_due),
        Periodic("repeat_sales", timedelta(minutes=5), partial(repeat_due, hooks=instance.hooks)),
    )


def _backup_work(instance: Instance) -> tuple[Periodic, ...]:
    """What keeps the instance ready for a restore."""
    return (
        Periodic(BRING_FORWARD, timedelta(hours=1), partial(bring_forward, tables=tables_of(instance.hooks.plugins()))),
        Periodic("enqueue_backup", timedelta(minutes=5), partial(enqueue_backup, settings=instance.settings)),
    )


def _forgetting_work(instance: Instance) -> tuple[Periodic, ...]:
    """What lets go of data that nobody needs any more."""
    retention = instance.settings.retention
    forget_entries = partial(forget_old_entries, days=retention.audit_days)
    return (
        Periodic("forget_answers", timedelta(days=1), forget_old_answers, irreversible=True),
        Periodic("forget_log_ins", timedelta(days=1), forget_expired, irreversible=True),
        Periodic("forget_carts", timedelta(days=1), forget_carts, irreversible=True),
        Periodic("forget_shown_pages", timedelta(hours=1), forget_shown_pages, irreversible=True),
        Periodic("forget_invitations", timedelta(days=1), forget_invitations, irreversible=True),
        Periodic("forget_household_invitations", timedelta(days=1), forget_household_invitations, irreversible=True),
        Periodic("forget_guest_orders", timedelta(days=1), forget_guest_orders, irreversible=True),
        Periodic("forget_mailboxes", timedelta(days=1), forget_counts, irreversible=True),
        Periodic("forget_jobs", timedelta(days=1), forget_finished, irreversible=True),
        Periodic("forget_mails", timedelta(days=1), forget_mails, irreversible=True),
        Periodic("forget_links", timedelta(days=1), forget_links, irreversible=True),
        Periodic("forget_openings", timedelta(days=1), forget_openings, irreversible=True),
        Periodic("forget_audit", timedelta(days=1), forget_entries, irreversible=True),
        Periodic(
            "let_go",
            timedelta(days=1),
            partial(apply_retention, hooks=instance.hooks, settings=retention),
            irreversible=True,
        ),
    )


def do_one_job(instance: Instance) -> bool:
    """Runs the job that has been due for longest. Returns False if none is due. For hosts of several instances."""
    return run_due(instance, work_of(instance))


def work_of(instance: Instance) -> Work:
    """The core's work and that of the enabled plugins.

    Raises `PluginError` for work that is not named after its plugin.
    """
    core = _core(instance)
    handlers, periodic, irreversible = dict(core.handlers), list(core.periodic), core.irreversible
    for answer in instance.hooks.each(specifications.jobs):
        plugin, plugin_work = answer.plugin, answer.value
        assert plugin_work is not None
        for name in (*plugin_work.handlers, *(task.name for task in plugin_work.periodic)):
            if not name.startswith(f"{plugin}."):
                raise PluginError(plugin, "jobs", f"{name!r} must begin with {plugin + '.'!r}")
        handlers.update(plugin_work.handlers)
        periodic += plugin_work.periodic
        irreversible |= plugin_work.irreversible
    return Work(handlers, tuple(periodic), irreversible)


# ``/-/health`` of a worker, for what watches its process: a container's health check, a monitor on this machine.
#
# It says the status alone and listens on loopback: whoever wants the reasons asks the web server, or `commensal
# check`.

_SECONDS = 5  # for a client to send its request; one is answered at a time


@contextmanager
def answering(instance: Instance, port: int) -> Iterator[int]:
    """Answers on that port of loopback (0: a free one) until the block ends, and yields the port.

    Raises `SettingsError` if the port cannot be used.
    """
    watcher = Watcher(instance)

    class Handler(BaseHTTPRequestHandler):
        timeout = _SECONDS

        def do_GET(self) -> None:
            if self.path != HEALTH:
                self.send_error(404)
                return
            status = watcher.health().status
            body = msgspec.json.encode({"status": status})
            self.send_response(503 if status == "down" else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: monitors ask every few seconds, and changes of health are logged."""

    try:
        server = HTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        text = "Port {port} of {host} cannot be used: {error}. Choose another with --port."
        raise SettingsError(text, port=port, host="127.0.0.1", error=error.strerror) from error
    thread = threading.Thread(target=server.serve_forever, name="worker health")
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
