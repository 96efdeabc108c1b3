"""Webhooks in the office: addresses with the events that each wants, a test, and what was sent there."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from commensal import (
    Conflict,
    Enterprise,
    Instance,
    NotFound,
    OfficePage,
    PageLine,
    PagePart,
    Screen,
    Transaction,
    hookimpl,
    plural,
    translate,
)
from commensal.pages import Visit, on_refusal

from .data import samples
from .deliveries import deliveries_of, delivery_by_id, messages_of, send_again, send_test
from .hooks import KINDS, Hook, add_hook, change_hook, hook_by_id, hooks_of, new_secret, remove_hook

_HERE = "settings/webhooks"
_SHOWN = 30  # messages on the page of an address


@hookimpl
def office_pages() -> Sequence[OfficePage]:
    scope = "plugins:write"
    return [
        OfficePage(path=_HERE, place="settings", scope=scope, show=hooks_page, send=post_hooks),
        OfficePage(path=f"{_HERE}/{{hook}}", place="settings", scope=scope, show=hook_page, send=post_hook),
    ]


@hookimpl
def page_parts(
    tx: Transaction, page: str, enterprise_id: str, scopes: frozenset[str], language: str
) -> Sequence[PagePart]:
    """The way to the addresses, in the settings."""
    if page != "settings" or "plugins:write" not in scopes:
        return []
    number = len(hooks_of(tx, enterprise_id))
    line = PageLine(
        text=translate(language, "What happens here is told to other software."),
        url=f"/office/{enterprise_id}/{_HERE}",
        detail=plural(language, "{number} address", "{number} addresses", number).format(number=number),
        action=translate(language, "Addresses"),
    )
    return [PagePart(title=translate(language, "Webhooks"), lines=[line])]


# ------------------------------------------------------------------------------------------------ all addresses


def hooks_page(visit: Visit, shop: Enterprise, *, added: Hook | None = None, secret: str = "") -> Screen:
    with visit.read() as tx:
        hooks = hooks_of(tx, shop.id)
    return _screen(
        shop,
        "hooks",
        hooks=hooks,
        typed={} if added else visit.form,
        added=added,
        secret=secret,
        kinds=KINDS,
        done=visit.query.get("done", ""),
        samples=visit.instance.state.of(_samples),
    )


@on_refusal(hooks_page, {"url"})
def post_hooks(visit: Visit, shop: Enterprise) -> Screen:
    """Adds an address. The page shows its secret, which no other page does."""
    form = visit.form
    events = [kind for kind in KINDS if form.get(f"event-{kind}")]
    with visit.write() as tx:
        url = form.get("url", "").strip()
        if url in {hook.url for hook in hooks_of(tx, shop.id)}:
            raise Conflict("same_address", "This address is in the list already.")
        added = add_hook(tx, visit.instance, shop.id, url=url, events=events, personal=bool(form.get("personal")))
    return hooks_page(visit, shop, added=added.hook, secret=added.secret)


def _samples(instance: Instance) -> dict[str, str]:
    return samples(personal=True)


# ------------------------------------------------------------------------------------------------ one address


def hook_page(visit: Visit, shop: Enterprise, *, secret: str = "") -> Screen:
    with visit.read() as tx:
        hook = hook_by_id(tx, shop.id, visit.path["hook"])
        sent = deliveries_of(tx, shop.id, hook.id, limit=_SHOWN)
        messages = messages_of(tx, [delivery.id for delivery in sent])
    done = visit.query.get("done", "")
    return _screen(shop, "hook", hook=hook, sent=sent, messages=messages, secret=secret, done=done)


@on_refusal(hook_page, ())
def post_hook(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Tries an address, switches it on or off, gives it a new secret, removes it, or sends a message again."""
    hook_id, then = visit.path["hook"], visit.query.get("then", "")
    here = f"/office/{shop.id}/{_HERE}"
    with visit.write() as tx:
        match then:
            case "test":
                send_test(tx, shop.id, hook_id)
            case "again":
                _send_again(tx, shop.id, hook_id, visit.form.get("delivery", ""))
            case "on" | "off":
                change_hook(tx, visit.instance, shop.id, hook_id, visit.form_version, enabled=then == "on")
            case "secret":
                renewed = new_secret(tx, shop.id, hook_id, visit.form_version)
            case "remove":
                remove_hook(tx, shop.id, hook_id)
                return visit.redirect(f"{here}?done=removed")
            case _:
                raise NotFound
    if then == "secret":
        return hook_page(visit, shop, secret=renewed.secret)
    return visit.redirect(f"{here}/{hook_id}?done={then}")


def _send_again(tx: Transaction, enterprise_id: str, hook_id: str, delivery_id: str) -> None:
    """Raises `NotFound`, also for a message to another address, and `Conflict`."""
    if delivery_by_id(tx, enterprise_id, delivery_id).hook_id != hook_id:
        raise NotFound("no_delivery", "There is no such message.")
    send_again(tx, enterprise_id, delivery_id)


def _screen(shop: Enterprise, template: str, **context: object) -> Screen:
    return Screen(template=f"webhooks/{template}.html", context={"here": f"/office/{shop.id}/{_HERE}", **context})
