"""Every page of the shop, with its address."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import Instance, NotFound, hookimpl
from commensal.pages import Visit, page

from . import accounts, cart, change, checkout, elsewhere, front, myself, orders, sale, save, tell
from .added import routes_of_plugins
from .showing import on_error


def redirect_to_form(visit: Visit) -> Response:
    """Redirects a GET for the address of a form to the page with the form, one level up.

    Browsers send it on a reload when the answer is no longer kept, and after a change of language.
    """
    return visit.redirect(visit.request.url.path.rpartition("/")[0] or "/")


def raise_not_found(visit: Visit) -> Response:
    raise NotFound


_PAGES = (
    ("GET", "/", front.front_page),
    ("GET", "/hubs/{slug}", front.hub_page),
    ("GET", "/hubs/{slug}/distributions.ics", front.distributions_calendar),
    ("GET", "/hubs/{slug}/sales.atom", front.atom_feed),
    ("GET", "/hubs/{slug}/sales.json", front.json_feed),
    ("GET", "/hubs/{slug}/tell", tell.tell_page),
    ("POST", "/hubs/{slug}/tell", tell.post_tell_me),
    ("GET", "/tell/{secret}", tell.confirm_page),
    ("POST", "/tell/{secret}", tell.post_confirm),
    ("GET", "/tell/{secret}/stop", tell.stop_page),
    ("POST", "/tell/{secret}/stop", tell.post_stop),
    ("GET", "/producers/{slug}", front.producer_page),
    ("GET", "/hubs/{slug}/legal/{kind}", front.hub_text_page),
    ("GET", "/legal/{kind}", front.instance_text_page),
    ("GET", "/legal/versions/{text}", front.version_page),
    ("GET", "/sales/{session}", sale.sale_page),
    ("GET", "/sales/{session}/items/{item}", sale.product_page),
    ("GET", "/sales/{session}/frame", front.frame_page),
    ("GET", "/sales/{session}/cart", cart.cart_page),
    ("POST", "/sales/{session}/cart", save.save_cart),
    ("GET", "/sales/{session}/checkout", checkout.checkout_page),
    ("POST", "/sales/{session}/checkout", checkout.post_checkout),
    ("POST", "/sales/{session}/codes", checkout.post_add_code),
    ("GET", "/sales/{session}/join", save.join_page),
    ("POST", "/sales/{session}/join", save.post_join),
    ("GET", "/orders", orders.orders_page),
    ("GET", "/orders/guest/{secret}", orders.order_page),
    ("POST", "/orders/guest/{secret}/pay", orders.post_pay),
    ("POST", "/orders/guest/{secret}/mine", orders.post_prove),
    ("POST", "/orders/guest/{secret}/consents", orders.post_consent),
    ("POST", "/orders/guest/{secret}/again", save.post_order_again),
    ("GET", "/orders/guest/{secret}/change", change.change_page),
    ("POST", "/orders/guest/{secret}/change", change.post_change),
    ("GET", "/orders/guest/{secret}/receipt", orders.receipt_page),
    ("GET", "/orders/guest/{secret}/cancel", orders.cancel_page),
    ("POST", "/orders/guest/{secret}/cancel", orders.post_cancel),
    ("GET", "/orders/{order}", orders.order_page),
    ("POST", "/orders/{order}/pay", orders.post_pay),
    ("POST", "/orders/{order}/consents", orders.post_consent),
    ("POST", "/orders/{order}/phone", orders.post_prove_phone),
    ("POST", "/orders/{order}/again", save.post_order_again),
    ("GET", "/orders/{order}/change", change.change_page),
    ("POST", "/orders/{order}/change", change.post_change),
    ("GET", "/orders/{order}/receipt", orders.receipt_page),
    ("GET", "/orders/{order}/cancel", orders.cancel_page),
    ("POST", "/orders/{order}/cancel", orders.post_cancel),
    ("GET", "/login", accounts.log_in_page),
    ("POST", "/login", accounts.post_log_in),
    ("POST", "/login/code", accounts.post_code),
    ("POST", "/login/with/{plugin}/{provider}", elsewhere.post_leave),
    ("GET", "/login/with/{plugin}/{provider}/back", elsewhere.back_page),
    ("POST", "/logout", accounts.post_log_out),
    ("GET", "/logged-out/{plugin}/{provider}", elsewhere.left_page),
    ("GET", "/signup", accounts.sign_up_page),
    ("POST", "/signup", accounts.post_sign_up),
    ("POST", "/confirm", accounts.confirm_again),
    ("GET", "/confirm/{code}", accounts.confirm_page),
    ("POST", "/confirm/{code}", accounts.post_confirm),
    ("GET", "/forgot", accounts.forgot_page),
    ("POST", "/forgot", accounts.post_forgot),
    ("GET", "/reset/{code}", accounts.reset_page),
    ("POST", "/reset/{code}", accounts.post_reset),
    ("GET", "/account", myself.account_page),
    ("POST", "/account/me", myself.post_change_me),
    ("POST", "/account/password", myself.post_change_password),
    ("POST", "/account/sessions", myself.post_end_session),
    ("POST", "/account/mails", tell.post_stop_mine),
    ("POST", "/account/email", myself.post_new_email),
    ("POST", "/account/invitations/{invitation}", myself.post_answer_invitation),
    ("POST", "/account/household", myself.post_invite),
    ("POST", "/account/household/{customer}", myself.post_household),
    ("POST", "/account/household-invitations/{invitation}", myself.post_answer),
    ("GET", "/account/second-factor", accounts.second_factor_page),
    ("POST", "/account/second-factor", accounts.post_begin),
    ("POST", "/account/second-factor/confirm", accounts.post_confirm_second_factor),
    ("POST", "/account/second-factor/off", accounts.post_turn_off),
    ("POST", "/account/elsewhere", elsewhere.post_connect),
    ("POST", "/account/elsewhere/{identity}", elsewhere.post_disconnect),
    ("POST", "/account/data", myself.post_my_data),
    ("POST", "/account/forget", myself.post_forget_me),
    ("GET", "/email/{code}", myself.new_email_page),
    ("POST", "/email/{code}", myself.post_confirm_new_email),
    ("POST", "/language", accounts.choose_language),
    *(
        ("GET", path, redirect_to_form)
        for path in (
            "/sales/{session}/codes",
            "/orders/guest/{secret}/pay",
            "/orders/guest/{secret}/consents",
            "/orders/guest/{secret}/again",
            "/orders/{order}/again",
            "/orders/{order}/pay",
            "/orders/{order}/consents",
            "/orders/{order}/phone",
            "/login/code",
            "/logout",
            "/confirm",
            "/account/me",
            "/account/password",
            "/account/sessions",
            "/account/mails",
            "/account/email",
            "/account/household",
            "/account/second-factor/confirm",
            "/account/second-factor/off",
            "/account/elsewhere",
            "/account/data",
            "/account/forget",
            "/language",
        )
    ),
    ("GET", "/{nothing:path}", raise_not_found),
)
_SENDS_LINKS = (accounts.post_sign_up, accounts.post_forgot, accounts.confirm_again, tell.post_tell_me)
_GUESSABLE = (
    accounts.post_log_in,
    accounts.post_code,
    accounts.post_reset,
    elsewhere.post_leave,
    elsewhere.back_page,
    elsewhere.post_connect,
    myself.post_new_email,
    myself.post_change_password,
    myself.post_my_data,
    myself.post_forget_me,
    myself.post_invite,
    accounts.post_begin,
    accounts.post_confirm_second_factor,
    accounts.post_turn_off,
)


@hookimpl
def routes(instance: Instance) -> Sequence[BaseRoute]:
    own = [
        page(path, handler, on_error=on_error, methods=(method,), limit=_limit(handler))
        for method, path, handler in _PAGES
    ]
    return [*routes_of_plugins(instance, {path for _, path, _ in _PAGES}), *own]


def _limit(handler: Callable[[Visit], Response]) -> str:
    return "logins" if handler in _GUESSABLE else "signups" if handler in _SENDS_LINKS else ""
