"""Who may see more than whether the instance is up.

Reasons and figures tell of plugins, of versions and of how much is sold, so strangers get none. Loopback is trusted
with nothing: behind a reverse proxy that forwards no address, everybody comes from there. What opens them is the
token of an operator, the session of one, or the secret of the settings, `watching.secret`: a monitor that holds it can
do nothing else, and it is good while the database is not there to know tokens.
"""

from __future__ import annotations

import hmac

from starlette.requests import Request

from ...instance import Instance
from ...trade.people.access import demand
from ...trade.people.scopes import OPERATOR
from ..api.authenticate import authenticate


def demand_monitor(request: Request, instance: Instance) -> None:
    """Returns for an operator or their monitor. Raises `Unauthorised`, or `Forbidden` for who is somebody else."""
    if _knows_secret(request, instance.settings.watching.secret.reveal()):
        return
    with instance.store.read() as tx:
        demand(tx, authenticate(tx, request, instance.settings), OPERATOR)


def _knows_secret(request: Request, secret: str) -> bool:
    kind, _, shown = request.headers.get("authorization", "").partition(" ")
    if not secret or kind.lower() != "bearer":
        return False
    return hmac.compare_digest(shown.strip().encode(), secret.encode())
