"""Groups of customers, who may see other goods and other prices."""

from __future__ import annotations

from starlette.responses import Response

from commensal import NotFound, list_categories
from commensal.enterprises import count_customers, create_category, delete_category, rename_category
from commensal.pages import Visit, on_refusal

from ..frame.desk import open_desk
from ..frame.render import show


def groups_page(visit: Visit) -> Response:
    leaving_id = visit.query.get("ask", "")
    with visit.read() as tx:
        desk = open_desk(tx, visit, "customers:read")
        groups = list_categories(tx, desk.enterprise.id)
        leaving = next((group for group in groups if group.id == leaving_id), None)
        members = count_customers(tx, desk.enterprise.id, category_id=leaving.id) if leaving else 0
    return show(
        visit,
        desk,
        "groups",
        at="customers",
        groups=groups,
        typed=visit.form.get("name", "") if visit.query.get("then") == "add" else "",
        leaving=leaving,
        members=members,
        done=visit.query.get("done", ""),
        may_write=desk.may("customers:write"),
        may_price=desk.may("catalogs:write"),
    )


def _is_field_of_new(visit: Visit, name: str) -> bool:
    return name == "name" and visit.query.get("then") == "add"


@on_refusal(groups_page, _is_field_of_new)
def post_groups(visit: Visit) -> Response:
    """Adds, renames or deletes a group."""
    action, name, group = visit.query.get("then", ""), visit.form.get("name", ""), visit.form.get("group", "")
    with visit.write() as tx:
        desk = open_desk(tx, visit, "customers:write")
        shop = desk.enterprise.id
        if action == "add":
            create_category(tx, shop, name=name)
        elif action == "rename":
            rename_category(tx, shop, group, visit.form_version, name=name)
        elif action == "delete":
            delete_category(tx, shop, group, visit.form_version)
        else:
            raise NotFound
    return visit.redirect(f"{desk.address}/groups?done={action}")
