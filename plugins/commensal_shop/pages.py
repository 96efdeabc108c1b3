"""Every page of the shop, with its address."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import Instance, NotFound, hookimpl
from commensal.pages import Visit, page

from . import (
    accounts,
    cart,
    change,
    checkout,
    elsewhere,
    feeds,
    front,
    household,
    joining,
    myself,
    orders,
    sale,
    save,
    second_factor,
    tell,
)
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
    ("GET", "/hubs/{slug}/distributions.ics", feeds.distributions_calendar),
    ("GET", "/hubs/{slug}/sales.atom", feeds.atom_feed),
    ("GET", "/hubs/{slug}/sales.json", feeds.json_feed),
    ("GET", "/hubs/{slug}/tell", tell.tell_page),
    ("POST", "/hubs/{slug}/tell", tell.tell_me_now),
    ("GET", "/tell/{secret}", tell.confirm_page),
    ("POST", "/tell/{secret}", tell.confirm_now),
    ("GET", "/tell/{secret}/stop", tell.stop_page),
    ("POST", "/tell/{secret}/stop", tell.stop_now),
    ("GET", "/producers/{slug}", front.producer_page),
    ("GET", "/hubs/{slug}/legal/{kind}", front.hub_text_page),
    ("GET", "/legal/{kind}", front.instance_text_page),
    ("GET", "/legal/versions/{text}", front.version_page),
    ("GET", "/sales/{session}", sale.sale_page),
    ("GET", "/sales/{session}/items/{item}", sale.product_page),
    ("GET", "/sales/{session}/frame", feeds.frame_page),
    ("GET", "/sales/{session}/cart", cart.cart_page),
    ("POST", "/sales/{session}/cart", save.save_cart),
    ("GET", "/sales/{session}/checkout", checkout.checkout_page),
    ("POST", "/sales/{session}/checkout", checkout.checkout_now),
    ("POST", "/sales/{session}/codes", checkout.add_code_now),
    ("GET", "/sales/{session}/join", joining.join_page),
    ("POST", "/sales/{session}/join", joining.join_now),
    ("GET", "/orders", orders.orders_page),
    ("GET", "/orders/guest/{secret}", orders.order_page),
    ("POST", "/orders/guest/{secret}/pay", orders.pay_now),
    ("POST", "/orders/guest/{secret}/mine", orders.prove_now),
    ("POST", "/orders/guest/{secret}/consents", orders.consent_now),
    ("POST", "/orders/guest/{secret}/again", joining.order_again_now),
    ("GET", "/orders/guest/{secret}/change", change.change_page),
    ("POST", "/orders/guest/{secret}/change", change.change_now),
    ("GET", "/orders/guest/{secret}/receipt", orders.receipt_page),
    ("GET", "/orders/guest/{secret}/cancel", orders.cancel_page),
    ("POST", "/orders/guest/{secret}/cancel", orders.cancel_now),
    ("GET", "/orders/{order}", orders.order_page),
    ("POST", "/orders/{order}/pay", orders.pay_now),
    ("POST", "/orders/{order}/consents", orders.consent_now),
    ("POST", "/orders/{order}/phone", orders.prove_phone_now),
    ("POST", "/orders/{order}/again", joining.order_again_now),
    ("GET", "/orders/{order}/change", change.change_page),
    ("POST", "/orders/{order}/change", change.change_now),
    ("GET", "/orders/{order}/receipt", orders.receipt_page),
    ("GET", "/orders/{order}/cancel", orders.cancel_page),
    ("POST", "/orders/{order}/cancel", orders.cancel_now),
    ("GET", "/login", accounts.log_in_page),
    ("POST", "/login", accounts.log_in_now),
    ("POST", "/login/code", accounts.code_now),
    ("POST", "/login/with/{plugin}/{provider}", elsewhere.leave_now),
    ("GET", "/login/with/{plugin}/{provider}/back", elsewhere.back_page),
    ("POST", "/logout", accounts.log_out_now),
    ("GET", "/logged-out/{plugin}/{provider}", elsewhere.left_page),
    ("GET", "/signup", accounts.sign_up_page),
    ("POST", "/signup", accounts.sign_up_now),
    ("POST", "/confirm", accounts.confirm_again),
    ("GET", "/confirm/{code}", accounts.confirm_page),
    ("POST", "/confirm/{code}", accounts.confirm_now),
    ("GET", "/forgot", accounts.forgot_page),
    ("POST", "/forgot", accounts.forgot_now),
    ("GET", "/reset/{code}", accounts.reset_page),
    ("POST", "/reset/{code}", accounts.reset_now),
    ("GET", "/account", myself.account_page),
    ("POST", "/account/me", myself.change_me_now),
    ("POST", "/account/password", myself.change_password_now),
    ("POST", "/account/sessions", myself.end_session_now),
    ("POST", "/account/mails", tell.stop_mine_now),
    ("POST", "/account/email", myself.new_email_now),
    ("POST", "/account/invitations/{invitation}", myself.answer_invitation_now),
    ("POST", "/account/household", household.invite_now),
    ("POST", "/account/household/{customer}", household.household_now),
    ("POST", "/account/household-invitations/{invitation}", household.answer_now),
    ("GET", "/account/second-factor", second_factor.second_factor_page),
    ("POST", "/account/second-factor", second_factor.begin_now),
    ("POST", "/account/second-factor/confirm", second_factor.confirm_now),
    ("POST", "/account/second-factor/off", second_factor.turn_off_now),
    ("POST", "/account/elsewhere", elsewhere.connect_now),
    ("POST", "/account/elsewhere/{identity}", elsewhere.disconnect_now),
    ("POST", "/account/data", myself.my_data_now),
    ("POST", "/account/forget", myself.forget_me_now),
    ("GET", "/email/{code}", myself.new_email_page),
    ("POST", "/email/{code}", myself.confirm_new_email_now),
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
_SENDS_LINKS = (accounts.sign_up_now, accounts.forgot_now, accounts.confirm_again, tell.tell_me_now)
_GUESSABLE = (
    accounts.log_in_now,
    accounts.code_now,
    accounts.reset_now,
    elsewhere.leave_now,
    elsewhere.back_page,
    elsewhere.connect_now,
    myself.new_email_now,
    myself.change_password_now,
    myself.my_data_now,
    myself.forget_me_now,
    household.invite_now,
    second_factor.begin_now,
    second_factor.confirm_now,
    second_factor.turn_off_now,
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
