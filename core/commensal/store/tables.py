"""All tables of the core, gathered where migrations and exports look for them."""

from ..api import tables as _api
from ..audit import tables as _audit
from ..catalogs import tables as _catalogs
from ..enterprises import tables as _enterprises
from ..events import tables as _events
from ..hooks import tables as _hooks
from ..jobs import tables as _jobs
from ..keeping import tables as _keeping
from ..orders import tables as _orders
from ..pages import tables as _pages
from ..payments import tables as _payments
from ..people import tables as _people
from ..privacy import tables as _privacy
from ..products import tables as _products
from ..sale_sessions import tables as _sale_sessions
from ..stock import tables as _stock
from .types import metadata

ROOMS = (
    _people, _enterprises, _stock, _products, _catalogs, _sale_sessions, _orders, _payments, _jobs, _api, _hooks,
    _events, _audit, _privacy, _keeping, _pages,
)  # fmt: skip
__all__ = ["ROOMS", "metadata"]
