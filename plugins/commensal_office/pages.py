"""Every page of the office, with its address. A form is sent to the page on which it stands; `?then=` says what for."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import Instance, NotFound, hookimpl
from commensal.pages import Visit, page
from commensal.parts.pictures import LARGEST_IMAGE

from .added import routes_of_plugins
from .frame.render import on_error
from .goods import bulk_changes, group_goods, group_prices, new_goods, pictures, product, products
from .handout import handout, pack, telephone
from .money import books, money, open, refunds, second_person, suppliers, till
from .orders import change, orders, repricing, take, withdraw
from .overview import begin, operator, week
from .people import customers, team
from .sales import new_sale, papers, sale
from .settings import plugins, profile, settings, trail
from .supply import away, bring, hubs, producers, receive


def raise_not_found(visit: Visit) -> Response:
    raise NotFound


_HERE = "/office/{enterprise}"
_PERSON = f"{_HERE}/handout/{{session}}/{{order}}"
_PAGES = (
    ("GET", "/office", begin.choose_page),
    ("GET", "/office/new", profile.found_page),
    ("POST", "/office/new", profile.post_found),
    ("GET", "/office/instance", operator.instance_page),
    ("POST", "/office/instance", operator.post_instance),
    ("GET", "/office/instance/history", trail.instance_trail_page),
    ("GET", _HERE, week.week_page),
    ("GET", f"{_HERE}/orders", orders.orders_page),
    ("GET", f"{_HERE}/orders/new", take.take_page),
    ("POST", f"{_HERE}/orders/new", take.post_take),
    ("GET", f"{_HERE}/orders/prices", repricing.prices_page),
    ("POST", f"{_HERE}/orders/prices", repricing.post_prices),
    ("GET", f"{_HERE}/orders/move", withdraw.move_page),
    ("POST", f"{_HERE}/orders/move", withdraw.post_move),
    ("GET", f"{_HERE}/orders/{{order}}", orders.order_page),
    ("POST", f"{_HERE}/orders/{{order}}", change.post_order),
    ("GET", f"{_HERE}/orders/{{order}}/change", change.change_page),
    ("POST", f"{_HERE}/orders/{{order}}/change", change.post_change),
    ("GET", f"{_HERE}/orders/{{order}}/substitute", change.substitute_page),
    ("POST", f"{_HERE}/orders/{{order}}/substitute", change.post_substitute),
    ("POST", f"{_HERE}/orders/{{order}}/price", repricing.post_price),
    ("GET", f"{_HERE}/orders/{{order}}/cancel", change.cancel_page),
    ("POST", f"{_HERE}/orders/{{order}}/cancel", change.post_cancel),
    ("GET", f"{_HERE}/orders/{{order}}/correct", repricing.correct_page),
    ("POST", f"{_HERE}/orders/{{order}}/correct", repricing.post_correct),
    ("GET", f"{_HERE}/orders/{{order}}/refund", refunds.refund_page),
    ("POST", f"{_HERE}/orders/{{order}}/refund", refunds.post_refund),
    ("GET", f"{_HERE}/orders/{{order}}/money/{{payment}}", refunds.take_back_page),
    ("POST", f"{_HERE}/orders/{{order}}/money/{{payment}}", refunds.post_take_back),
    ("GET", f"{_HERE}/handout", handout.current_page),
    ("GET", f"{_HERE}/handout/worker.js", telephone.worker_script),
    ("GET", f"{_HERE}/handout/{{session}}", handout.list_page),
    ("GET", f"{_HERE}/handout/{{session}}/list.json", telephone.list_json),
    ("GET", f"{_HERE}/handout/{{session}}/search.json", handout.search_json),
    ("GET", _PERSON, handout.person_page),
    ("POST", _PERSON, handout.post_person),
    ("GET", f"{_HERE}/pack", pack.pack_page),
    ("POST", f"{_HERE}/pack", pack.post_pack),
    ("GET", f"{_HERE}/away", away.away_page),
    ("POST", f"{_HERE}/away", away.post_away),
    ("GET", f"{_HERE}/pack/progress.json", pack.progress_json),
    ("GET", f"{_HERE}/bring", bring.bring_page),
    ("POST", f"{_HERE}/bring", bring.post_bring),
    ("GET", f"{_HERE}/bring/worker.js", bring.worker_script),
    ("GET", f"{_HERE}/bring/paid/{{session}}", bring.paid_page),
    ("GET", f"{_HERE}/bring/paid/{{session}}/statement.csv", bring.paid_csv),
    ("GET", f"{_HERE}/bring/{{purchase_order}}", bring.less_page),
    ("POST", f"{_HERE}/bring/{{purchase_order}}", bring.post_less),
    ("GET", f"{_HERE}/money", money.money_page),
    ("POST", f"{_HERE}/money", money.post_settle),
    ("GET", f"{_HERE}/money/till", till.till_page),
    ("POST", f"{_HERE}/money/till", till.post_till),
    ("GET", f"{_HERE}/money/suppliers", suppliers.suppliers_page),
    ("GET", f"{_HERE}/money/suppliers/{{session}}/{{supplier}}", suppliers.account_page),
    ("POST", f"{_HERE}/money/suppliers/{{session}}/{{supplier}}", suppliers.post_account),
    ("GET", f"{_HERE}/money/suppliers/{{session}}/{{supplier}}/statement.csv", suppliers.account_csv),
    ("GET", f"{_HERE}/money/second", second_person.second_page),
    ("POST", f"{_HERE}/money/second", second_person.post_second),
    ("GET", f"{_HERE}/money/close", books.books_page),
    ("POST", f"{_HERE}/money/close", books.post_books),
    ("GET", f"{_HERE}/money/open", open.open_page),
    ("GET", f"{_HERE}/money/{{order}}", money.record_page),
    ("POST", f"{_HERE}/money/{{order}}", money.post_record),
    ("GET", f"{_HERE}/money/{{order}}/write-off", open.write_off_page),
    ("POST", f"{_HERE}/money/{{order}}/write-off", open.post_write_off),
    ("GET", f"{_HERE}/products/import", new_goods.import_page),
    ("POST", f"{_HERE}/products/import", new_goods.post_import),
    ("GET", f"{_HERE}/products/new", new_goods.new_product_page),
    ("POST", f"{_HERE}/products/new", new_goods.post_new_product),
    ("GET", f"{_HERE}/products/{{product}}/picture", pictures.picture_page),
    ("POST", f"{_HERE}/products/{{product}}/picture", pictures.post_picture),
    ("GET", f"{_HERE}/products/not-offered", bulk_changes.hidden_page),
    ("POST", f"{_HERE}/products/not-offered", bulk_changes.post_offer_again),
    ("GET", f"{_HERE}/products/{{product}}/groups", group_prices.group_prices_page),
    ("POST", f"{_HERE}/products/{{product}}/groups", group_prices.post_group_prices),
    ("GET", f"{_HERE}/products/{{product}}", product.product_page),
    ("POST", f"{_HERE}/products/{{product}}", product.post_product),
    ("GET", f"{_HERE}/products", products.products_page),
    ("POST", f"{_HERE}/products", products.post_save),
    ("GET", f"{_HERE}/new-sale", new_sale.new_sale_page),
    ("POST", f"{_HERE}/new-sale", new_sale.post_new_sale),
    ("GET", f"{_HERE}/sale/{{session}}", sale.sale_page),
    ("POST", f"{_HERE}/sale/{{session}}", sale.post_sale),
    ("GET", f"{_HERE}/rules", settings.rules_page),
    ("POST", f"{_HERE}/rules", settings.post_rules),
    ("GET", f"{_HERE}/withdraw", withdraw.withdraw_page),
    ("POST", f"{_HERE}/withdraw", withdraw.post_withdraw),
    ("GET", f"{_HERE}/papers", papers.papers_page),
    ("GET", f"{_HERE}/receive", receive.receive_page),
    ("POST", f"{_HERE}/receive/sales/{{session}}", receive.post_tell),
    ("GET", f"{_HERE}/receive/{{purchase_order}}", receive.order_page),
    ("POST", f"{_HERE}/receive/{{purchase_order}}", receive.post_order),
    ("GET", f"{_HERE}/producers", producers.producers_page),
    ("POST", f"{_HERE}/producers", producers.post_producers),
    ("GET", f"{_HERE}/producers/{{supplier}}", producers.producer_page),
    ("POST", f"{_HERE}/producers/{{supplier}}", producers.post_producer),
    ("GET", f"{_HERE}/hubs", hubs.hubs_page),
    ("POST", f"{_HERE}/hubs", hubs.post_hubs),
    ("GET", f"{_HERE}/customers", customers.customers_page),
    ("GET", f"{_HERE}/customers/import", customers.customers_import_page),
    ("POST", f"{_HERE}/customers/import", customers.post_customers_import),
    ("GET", f"{_HERE}/customers/new", customers.new_page),
    ("POST", f"{_HERE}/customers/new", customers.post_new),
    ("GET", f"{_HERE}/customers/{{customer}}", customers.customer_page),
    ("POST", f"{_HERE}/customers/{{customer}}", customers.post_customer),
    ("POST", f"{_HERE}/customers/{{customer}}/people", customers.post_leave),
    ("GET", f"{_HERE}/groups", customers.groups_page),
    ("POST", f"{_HERE}/groups", customers.post_groups),
    ("GET", f"{_HERE}/groups/{{category}}", group_goods.group_goods_page),
    ("POST", f"{_HERE}/groups/{{category}}", group_goods.post_group_goods),
    ("GET", f"{_HERE}/settings/texts", settings.texts_page),
    ("GET", f"{_HERE}/settings/texts/{{kind}}", settings.text_page),
    ("POST", f"{_HERE}/settings/texts/{{kind}}", settings.post_text),
    ("GET", f"{_HERE}/settings/profile", profile.profile_page),
    ("POST", f"{_HERE}/settings/profile", profile.post_profile),
    ("GET", f"{_HERE}/settings/pictures", pictures.pictures_page),
    ("POST", f"{_HERE}/settings/pictures", pictures.post_pictures),
    ("GET", f"{_HERE}/settings/team", team.team_page),
    ("POST", f"{_HERE}/settings/team", team.post_team),
    ("GET", f"{_HERE}/settings/team/invite", team.team_page),
    ("POST", f"{_HERE}/settings/team/invite", team.post_invite),
    ("GET", f"{_HERE}/settings/team/roles/{{role}}", team.role_page),
    ("POST", f"{_HERE}/settings/team/roles/{{role}}", team.post_role),
    ("GET", f"{_HERE}/settings", settings.settings_page),
    ("GET", f"{_HERE}/settings/history", trail.trail_page),
    ("GET", f"{_HERE}/settings/closing", settings.closing_page),
    ("POST", f"{_HERE}/settings/closing", settings.save_closing),
    ("GET", f"{_HERE}/settings/plugins/{{plugin}}", plugins.plugin_page),
    ("POST", f"{_HERE}/settings/plugins/{{plugin}}", plugins.post_plugin),
    ("GET", "/office/{nothing:path}", raise_not_found),
)


_FILES = {
    new_goods.post_import: new_goods.LARGEST_FILE,
    customers.post_customers_import: customers.LARGEST_FILE,
    pictures.post_picture: LARGEST_IMAGE,
    pictures.post_pictures: LARGEST_IMAGE,
}
_SENDS_MAIL = (team.post_invite, producers.post_producers)  # to addresses that somebody types


@hookimpl
def fixed_routes(instance: Instance) -> Sequence[BaseRoute]:
    own = [
        page(
            path,
            handler,
            on_error=on_error,
            methods=(method,),
            limit="signups" if handler in _SENDS_MAIL else "",
            largest_file=_FILES.get(handler, 0),
        )
        for method, path, handler in _PAGES
    ]
    taken = {path for _, path, _ in _PAGES}
    return [*routes_of_plugins(instance, _HERE, taken), *own]  # theirs are longer, and some of ours end with any name
