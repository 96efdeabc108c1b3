"""For those who run the instance: is it well, what failed, when was the last backup, and what to do about it."""

from __future__ import annotations

from starlette.responses import Response

from commensal import NotFound, Transaction, demand, failed_jobs, retry_failed
from commensal.pages import Visit
from commensal.parts.backups import ask_for, newest_done
from commensal.parts.monitoring import health_problems

from ..added import OF_INSTANCE, links_of_plugins
from ..frame.render import show

_SHOWN = 100  # failed jobs
_WORK = ("backup", "backup_trial")


def instance_page(visit: Visit) -> Response:
    with visit.read() as tx:
        demand(tx, visit.actor, "operator")
        jobs = failed_jobs(tx, limit=_SHOWN)
        backup, trial = (newest_done(tx, kind) for kind in _WORK)
    settings = visit.instance.settings
    return show(
        visit,
        None,
        "instance",
        problems=health_problems(visit.instance),
        jobs=jobs,
        backup=backup,
        trial=trial,
        folder=settings.backups.folder,
        timezone=settings.timezone,
        done=visit.query.get("done", ""),
        links=links_of_plugins(visit, "instance", OF_INSTANCE),
    )


def post_instance(visit: Visit) -> Response:
    """Tries a job that failed again, or asks the worker for a backup, or for a trial of the newest one."""
    action = visit.query.get("then", "")
    with visit.write() as tx:
        demand(tx, visit.actor, "operator")
        _act(tx, visit, action)
    return visit.redirect(f"/office/instance?done={action}")


def _act(tx: Transaction, visit: Visit, action: str) -> None:
    if action == "retry":
        retry_failed(tx, visit.form.get("job", ""))
    elif action == "backup" and visit.instance.settings.backups.folder:
        ask_for(tx, "backup")
    elif action == "trial" and visit.instance.settings.backups.folder:
        ask_for(tx, "backup_trial")
    else:
        raise NotFound
