"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .catalogs import RangeSize as RangeSize
from .catalogs import catalog_by_id as catalog_by_id
from .catalogs import catalogs_of as catalogs_of
from .catalogs import count_ranges as count_ranges
from .catalogs import create_catalog as create_catalog
from .catalogs import first_catalog as first_catalog
from .catalogs import sellable_products as sellable_products
from .items import change_item as change_item
from .items import hidden_items as hidden_items
from .items import hide_items as hide_items
from .items import hide_producer as hide_producer
from .items import item_by_id as item_by_id
from .items import items_by_id as items_by_id
from .items import items_of as items_of
from .items import items_of_category as items_of_category
from .items import show_items as show_items
from .listings import Listed as Listed
from .listings import ListedName as ListedName
from .listings import PriceSpan as PriceSpan
from .listings import listed_for as listed_for
from .listings import listed_names as listed_names
from .listings import listings_of as listings_of
from .listings import price_spans as price_spans
from .listings import products_of_items as products_of_items
from .listings import unlisted_names as unlisted_names
from .offers import PurchaseTerms as PurchaseTerms
from .offers import purchase_terms_of_items as purchase_terms_of_items
from .offers import remove_price as remove_price
from .offers import set_category_prices as set_category_prices
from .offers import set_price as set_price
from .offers import set_prices as set_prices
from .offers import set_purchase_terms as set_purchase_terms
from .product_listing import Listing as Listing
from .product_listing import list_products as list_products
from .values import Catalog as Catalog
from .values import CatalogItem as CatalogItem
from .values import Offer as Offer

__all__: list[str]
