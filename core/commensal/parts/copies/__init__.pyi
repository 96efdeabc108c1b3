"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .catalogs import BroughtItem as BroughtItem
from .catalogs import bring_listing as bring_listing
from .catalogs import listing_stamp as listing_stamp
from .homes import HomeRights as HomeRights
from .homes import come_home as come_home
from .homes import leave_home as leave_home
from .homes import refuse_leaving as refuse_leaving
from .homes import stay_home as stay_home
from .lending import carry_stock as carry_stock
from .lending import count_copies as count_copies
from .lending import join_free_stock as join_free_stock
from .lending import lease_in as lease_in
from .lending import lend_stock as lend_stock
from .lending import sell_until as sell_until
from .lending import settle_here as settle_here
from .lending import settle_lent as settle_lent
from .lending import tell_beyond as tell_beyond
from .lending import tell_beyonds as tell_beyonds
from .lending import write_off as write_off
from .products import LotCopy as LotCopy
from .products import ProductCopy as ProductCopy
from .products import assign_lots as assign_lots
from .products import forget_copies as forget_copies
from .products import keep_lots as keep_lots
from .products import keep_products as keep_products
from .products import show_image as show_image

__all__: list[str]
