"""All tables of the core, collected for migrations and exports."""

from .hooks import tables as _hooks
from .instance import tables as _audit
from .interfaces.mail import tables as _mail
from .interfaces.pages import tables as _pages
from .storage.backups import tables as _backups
from .storage.database.types import metadata
from .storage.idempotency import tables as _api
from .storage.jobs import tables as _jobs
from .trade.approvals import tables as _approvals
from .trade.catalogs import tables as _catalogs
from .trade.enterprises import tables as _enterprises
from .trade.events import tables as _events
from .trade.orders import tables as _orders
from .trade.payments import tables as _payments
from .trade.people import tables as _people
from .trade.privacy import tables as _privacy
from .trade.products import tables as _products
from .trade.sale_sessions import tables as _sale_sessions
from .trade.stock import tables as _stock
from .trade.supply import tables as _supply

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
