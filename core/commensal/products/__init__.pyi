"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .fields import PRODUCT_FIELDS as PRODUCT_FIELDS
from .products import change_product as change_product
from .products import create_product as create_product
from .products import set_product_image as set_product_image
from .questions import count_products as count_products
from .questions import products_by_id as products_by_id
from .questions import products_of as products_of
from .questions import stocked_by_id as stocked_by_id
from .values import StockedProduct as StockedProduct
from .vat import set_rate as set_rate

__all__: list[str]
