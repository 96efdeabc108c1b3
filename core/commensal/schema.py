"""All tables of the core, collected for migrations and exports."""

from .catalogs import tables as _catalogs
from .enterprises import tables as _enterprises
from .hooks import tables as _hooks
from .instance import tables as _audit
from .orders import tables as _orders
from .parts.approvals import tables as _approvals
from .parts.backups.upkeep import tables as _backups
from .parts.event_delivery import tables as _events
from .parts.mail import tables as _mail
from .parts.pages import tables as _pages
from .parts.privacy import tables as _privacy
from .parts.supply import tables as _supply
from .payments import tables as _payments
from .people import tables as _people
from .products import tables as _products
from .sale_sessions import tables as _sale_sessions
from .stock import tables as _stock
from .storage import idempotency as _api
from .storage.database.types import metadata
from .storage.jobs import tables as _jobs

ROOMS = (
    _people,
    _enterprises,
    _stock,
    _products,
    _catalogs,
    _sale_sessions,
    _orders,
    _payments,
    _jobs,
    _api,
    _hooks,
    _events,
    _audit,
    _privacy,
    _backups,
    _pages,
    _supply,
    _approvals,
    _mail,
)
__all__ = ["ROOMS", "metadata"]
