"""Groups of customers, who may see other goods and other prices."""

from __future__ import annotations

from starlette.responses import Response

from commensal import NotFound, Refused, Stale, list_categories
from commensal.enterprises import count_customers, create_category, delete_category, rename_category
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of

from ..frame.desk import open_desk
from ..frame.render import show


def groups_page(visit: Visit, typed: str = "", errors: Mistakes = NO_MISTAKES, status: int = 200) -> Response:
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
        status=status,
        groups=groups,
        typed=typed,
        mistakes=errors,
        leaving=leaving,
        members=members,
        done=visit.query.get("done", ""),
        may_write=desk.may("customers:write"),
        may_price=desk.may("catalogs:write"),
    )


def post_groups(visit: Visit) -> Response:
    """Adds, renames or deletes a group."""
    action, name, group = visit.query.get("then", ""), visit.form.get("name", ""), visit.form.get("group", "")
    try:
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
    except Stale as error:
        return groups_page(visit, errors=mistakes(visit, error), status=status_of(error))
    except NotFound:
        raise
    except Refused as error:
        typed = name if action == "add" else ""
        is_of_form = {"name"}.__contains__ if action == "add" else lambda field: False
        return groups_page(visit, typed, mistakes(visit, error, is_of_form), status_of(error))
    return visit.redirect(f"{desk.address}/groups?done={action}")
