"""Pages on which people ask to be told of the next sale of a hub, confirm that by a mailed link, and stop it."""

from __future__ import annotations

from starlette.responses import Response

from commensal import enterprise_by_id, translate
from commensal.enterprises import find_enterprise
from commensal.pages import Visit

from .myself import person_of
from .showing import on_refusal, show
from .watching import confirm_watch, stop_watch, stop_watch_of_person, watch_as_guest, watch_as_person, watch_by_secret


def tell_page(visit: Visit) -> Response:
    with visit.read() as tx:
        hub = find_enterprise(tx, visit.path["slug"], person_id=visit.actor.person_id)
    return show(visit, "tell", hub=hub, email=visit.form.get("email", ""))


@on_refusal(tell_page)
def post_tell_me(visit: Visit) -> Response:
    """Notes the wish of a person, or mails a link to the address that a guest has typed."""
    with visit.write() as tx:
        hub = find_enterprise(tx, visit.path["slug"], person_id=visit.actor.person_id)
        if visit.actor.person_id is not None:
            watch_as_person(tx, hub, visit.actor.person_id)
        else:
            watch_as_guest(tx, hub, visit.form.get("email", ""), visit.language)
    if visit.actor.confirmed:
        heading = translate(visit.language, "You will get a mail")
        text = translate(
            visit.language, "As soon as the next sale of {hub} opens. On the page of your account you can stop it."
        )
    else:
        heading = translate(visit.language, "Check your e-mail")
        text = translate(
            visit.language,
            "A link was sent to this address. Follow it, and you are told when the next sale of {hub} opens.",
        )
    return show(visit, "message", heading=heading, text=text.format(hub=hub.name), next_url=f"/hubs/{hub.slug}")


def confirm_page(visit: Visit) -> Response:
    """Shows a button: machines follow links in e-mails too, so a link alone must not confirm or stop anything."""
    return _by_link(visit, stops=False)


def stop_page(visit: Visit) -> Response:
    return _by_link(visit, stops=True)


def _by_link(visit: Visit, *, stops: bool) -> Response:
    with visit.read() as tx:
        watch = watch_by_secret(tx, visit.path["secret"])
        hub = enterprise_by_id(tx, watch.enterprise_id)
    return show(visit, "tell_by_link", hub=hub, stops=stops, secret=visit.path["secret"])


def post_confirm(visit: Visit) -> Response:
    with visit.write() as tx:
        watch = confirm_watch(tx, visit.path["secret"])
        hub = enterprise_by_id(tx, watch.enterprise_id)
    heading = translate(visit.language, "You will get a mail")
    text = translate(visit.language, "As soon as the next sale of {hub} opens. Each mail has a link that stops them.")
    return show(visit, "message", heading=heading, text=text.format(hub=hub.name), next_url=f"/hubs/{hub.slug}")


def post_stop(visit: Visit) -> Response:
    """Stops the mails; programs for mail send this by themselves when their user presses a button (RFC 8058)."""
    with visit.write() as tx:
        stop_watch(tx, visit.path["secret"])
    heading = translate(visit.language, "No more mails about sales")
    text = translate(visit.language, "Mails about your orders still come.")
    return show(visit, "message", heading=heading, text=text, next_url="/")


def post_stop_mine(visit: Visit) -> Response:
    """Stops the mails about a hub's sales, on the page of one's account."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    with visit.write() as tx:
        stop_watch_of_person(tx, person_of(visit), visit.form.get("hub", ""))
    return visit.redirect("/account?done=mails")
