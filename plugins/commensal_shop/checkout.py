"""The checkout: contact, shipping, payment and the order button. Sending the same cart twice makes one order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from commensal import (
    Address,
    Conflict,
    Invalid,
    Money,
    NotFound,
    Order,
    PaymentMethod,
    Problem,
    Refused,
    ShippingOption,
    Transaction,
    enabled_plugins,
    fingerprint,
    order_by_id,
    order_by_secret,
    person_by_id,
    read_email,
    read_phone,
    read_text,
    read_whole,
    say,
    start_payment,
)
from commensal.orders import (
    Checkout,
    Choices,
    Offered,
    Wish,
    asks_for_codes,
    cart_items,
    cart_of,
    names_of_lines,
    note_checkout,
    noted_checkout,
    open_cart,
    place_order,
    quote_order,
)
from commensal.pages import Visit, status_of
from commensal.payments import payment_methods
from commensal.sale_sessions import sale_for

from .cart import ShownCart, added_parts, load_cart
from .choices import (
    ADDRESS_FIELDS,
    CODE,
    AskedField,
    address_fields,
    fields_to_ask,
    group_by_place,
    missing_fields,
    texts_kept,
    texts_to_keep,
    ticked_consents,
    try_codes,
    typed_address,
    typed_codes,
    typed_texts,
    typed_values,
)
from .guest import cart_owner, has_merged, new_owner, order_secret, set_guest_secret
from .sale import MEMBER
from .showing import NONE, Mistakes, is_script, mistakes, show

_LONGEST = {
    "name": 200,
    "email": 320,
    "phone": 40,
    "collector": 200,
    "note": 2000,
    "shipping": 200,
    "payment_method": 100,
}
_MOST_CODES = 5  # that are kept
_FIELDS = (*_LONGEST, CODE, *ADDRESS_FIELDS)


@dataclass(frozen=True, kw_only=True)
class CheckoutState:
    """The cart, its price with the customer's choices, and the available options.

    `shipping` is the chosen option, or else the cheapest; `codes` are the accepted codes, `refused` the problems with
    the others, and `asks_for_codes` says whether customers may have any. `fields` are those of plugins. `own_email` is
    the confirmed address of the account that is logged in, which its order takes; "": there is none.
    """

    cart: ShownCart
    offered: Offered
    options: Mapping[str, ShippingOption]
    shipping: str
    methods: list[PaymentMethod]
    method: str
    address: Address | None
    codes: tuple[str, ...]
    refused: tuple[Problem, ...]
    asks_for_codes: bool
    fields: Sequence[AskedField]
    own_email: str

    @property
    def brings(self) -> bool:
        """Whether to ask for an address: there is an option with delivery, or a typed address has ruled it out."""
        return self.address is not None or any(option.needs_address for option in self.options.values())

    @property
    def unserved(self) -> str:
        """The typed postcode, if there is no delivery to it; else ""."""
        postcode = self.address.postcode if self.address else ""
        return "" if any(option.needs_address for option in self.options.values()) else postcode

    @property
    def choice(self) -> str:
        """All choices on this page that change the total, as one text."""
        postcode = self.address.postcode if self.address else ""
        filled_in = self.offered.quote.draft.plugin_fields
        texts = (f"{plugin}.{name}={value}" for plugin in filled_in for name, value in filled_in[plugin].items())
        return "|".join((self.shipping, self.method, postcode, *self.codes, *texts))


def checkout_page(visit: Visit) -> Response:
    """Shows the checkout with the values typed before, which are kept when the visitor leaves the page."""
    typed, codes = _initial_values(visit)
    state = _load_state(visit, typed, codes)
    return _to_cart(visit) if state is None else _page(visit, state, typed)


def post_checkout(visit: Visit) -> Response:
    """Places the order and starts its payment; any other button shows the total with the new choices.

    Redirects to the order if it is placed, also where the other of two clicks has placed it while this one was priced.
    """
    response = None if _url_of_placed_order(visit) else _order_or_show(visit)
    order_url = _url_of_placed_order(visit)
    return visit.redirect(order_url or _cart_url(visit)) if order_url or response is None else response


def _order_or_show(visit: Visit) -> Response | None:
    """The page to show instead of the order; None once the order is placed or the cart is no longer the form's."""
    typed = {name: visit.form.get(name, "") for name in _FIELDS} | typed_texts(visit.form)
    if visit.actor.person_id is None and visit.form.get(MEMBER):  # they were logged in when the page was shown
        return visit.redirect(f"/login?next={quote(visit.request.url.path)}&lost=1")
    state = _load_state(visit, typed, typed_codes(visit.form))
    if state is None:
        return _to_cart(visit, typed)
    typed["email"] = state.own_email or typed["email"]
    if visit.form.get("then") != "order" or state.refused:
        _save_form(visit, typed, state.codes, state.fields)
        page = _page(visit, state, typed)
        return JSONResponse({"page": bytes(page.body).decode()}) if is_script(visit) else page
    try:
        with visit.guessing(state.codes):
            order = _place(visit, _read_wish(state, typed, visit))
    except Refused as error:
        new_state = _load_state(visit, typed, typed_codes(visit.form))
        if new_state is None:
            return _to_cart(visit, typed)
        _save_form(visit, typed, new_state.codes, new_state.fields)
        errors = mistakes(visit, _explain(error, visit, new_state), {*_FIELDS, *typed, *_names(new_state)}.__contains__)
        return _page(visit, new_state, typed, errors, status_of(error))
    if order is not None:
        _begin_payment(visit, order)
    return None


def _place(visit: Visit, wish: Wish) -> Order | None:
    """Places the order. None if another request has placed it meanwhile, or the visitor has another cart by now."""
    session_id, cart_id = visit.path["session"], visit.form.get("cart", "")
    secret = order_secret(visit, cart_id)

    def act(tx: Transaction) -> Order | None:
        if cart_of(tx, session_id, **cart_owner(visit, session_id), lock=True) != cart_id:
            return None
        return place_order(
            tx,
            visit.instance.hooks,
            session_id,
            replace(wish, items=cart_items(tx, cart_id)),
            person_id=visit.actor.person_id,
            secret=secret,
            cart_id=cart_id,
            client_address=visit.actor.address,
        )

    return visit.instance.transact(act)


def _url_of_placed_order(visit: Visit) -> str | None:
    """The address of the order that was placed from this cart (it has the cart's id); None if there is none."""
    cart_id, person_id = visit.form.get("cart", ""), visit.actor.person_id
    secret = order_secret(visit, cart_id)
    try:
        with visit.read() as tx:
            if person_id is not None:
                order = order_by_id(tx, cart_id, person_id=person_id)
            elif secret is not None:
                order = order_by_secret(tx, fingerprint(secret))
            else:
                return None
    except NotFound:
        return None
    if order.state == "Draft":
        return None
    return f"/orders/{order.id}" if secret is None else f"/orders/guest/{secret}"


def _begin_payment(visit: Visit, order: Order) -> None:
    """Starts the payment after the commit. If it fails the order stands, and its page offers other payment methods."""
    if order.payment_method and order.total:
        try:
            start_payment(
                visit.instance,
                order.id,
                order.payment_method,
                f"order:{order.id}",
                visit.language,
                return_url=visit.address(_url_of_placed_order(visit) or f"/orders/{order.id}"),
            )
        except Conflict:
            return  # the order is paid or cancelled already; its page says so


def _names(state: CheckoutState) -> list[str]:
    return [entry.name for entry in state.fields]


def _save_form(visit: Visit, typed: Mapping[str, str], codes: Sequence[str], fields: Sequence[AskedField] = ()) -> None:
    """Stores the typed values in the cart of the form, with the accepted codes only."""
    session_id = visit.path["session"]
    texts: dict[str, str] = {name: typed[name].strip()[:most] for name, most in _LONGEST.items()}
    checkout = Checkout(
        **texts, codes=tuple(codes), address=typed_address(typed), plugin_fields=texts_to_keep(fields, typed)
    )

    def act(tx: Transaction) -> None:
        cart_id = cart_of(tx, session_id, **cart_owner(visit, session_id))
        if cart_id is not None and cart_id == visit.form.get("cart"):
            note_checkout(tx, cart_id, checkout)

    visit.instance.store.transact(act)


def _load_state(visit: Visit, typed: Mapping[str, str], codes: Sequence[str]) -> CheckoutState | None:
    """Loads the state of the checkout; None if the cart cannot be ordered as it is, for a reason its page shows."""
    address = typed_address(typed)
    with visit.read() as tx:
        cart = load_cart(tx, visit, Choices(address=address))
        if not cart.rows and codes:
            cart = load_cart(tx, visit, Choices(codes=tuple(codes)))
        declared = visit.instance.store.plugin_fields.orders.of(enabled_plugins(tx, cart.sale.shop.id))
        has_codes = asks_for_codes(tx, visit.instance.hooks, cart.sale.shop.id)
    if not cart.ready or cart.priced is None:
        return None
    options = cart.priced.shipping_options
    methods = payment_methods(visit.instance, cart.sale.shop.id, visit.language, person_id=visit.actor.person_id)
    shipping = typed["shipping"] if typed["shipping"] in options else _cheapest(options)
    needs_address = bool(shipping) and options[shipping].needs_address
    fields = fields_to_ask(declared, visit.language, delivery=any(option.needs_address for option in options.values()))
    choices = Choices(
        shipping=shipping,
        payment_method=_method(methods, typed["payment_method"]),
        address=address if needs_address else None,
        plugin_fields=typed_values(fields, typed, delivered=needs_address),
    )
    result = try_codes(visit, codes, lambda accepted: _quote(visit, cart, replace(choices, codes=accepted)))
    return CheckoutState(
        cart=cart,
        offered=result.value,
        options=options,
        shipping=shipping,
        methods=methods,
        method=choices.payment_method,
        address=address,
        codes=result.codes,
        refused=result.refused,
        asks_for_codes=has_codes,
        fields=fields,
        own_email=visit.actor.email if visit.actor.confirmed else "",
    )


def _quote(visit: Visit, cart: ShownCart, choices: Choices) -> Offered:
    with visit.read() as tx:
        return quote_order(
            tx,
            visit.instance.hooks,
            cart.sale.session.id,
            cart.items,
            language=visit.language,
            person_id=visit.actor.person_id,
            chosen=choices,
        )


def _cheapest(options: Mapping[str, ShippingOption]) -> str:
    """The cheapest option with free capacity, pickup before delivery; "" if there is none."""
    free = {name: (option.needs_address, option.price) for name, option in options.items() if option.left != 0}
    return min(free, key=lambda name: free[name], default="")


def _method(methods: Sequence[PaymentMethod], typed: str) -> str:
    method_ids = [method.id for method in methods]
    return typed if typed in method_ids else method_ids[0] if len(method_ids) == 1 else ""


def _read_wish(state: CheckoutState, typed: Mapping[str, str], visit: Visit) -> Wish:
    """Reads the form into a wish. Raises `Invalid` with every mistake."""
    problems: list[Problem] = []
    name = read_text(typed["name"], "/name", problems, least=1)
    phone = read_phone(typed["phone"], "/phone", problems)
    note = read_text(typed["note"], "/note", problems, most=2000, lines=True)
    collector = read_text(typed["collector"], "/collector", problems)
    email = read_text(typed["email"], "/email", problems, least=1)
    if email and isinstance(email_problem := read_email(email), Problem):
        problems.append(email_problem)
    if state.options and typed["shipping"] not in state.options:
        problems.append(Problem("shipping_missing", "Choose how you will receive your order.", "/shipping"))
    shown_total = read_whole(visit.form.get("total", ""), 15)
    if shown_total is None:
        problems.append(Problem("total_missing", "Please check the total once more."))
    if state.methods and typed["payment_method"] not in {method.id for method in state.methods}:
        problems.append(Problem("payment_missing", "Choose how you will pay.", "/payment_method"))
    needs_address = state.options[state.shipping].needs_address if state.shipping else False
    if needs_address:
        problems += missing_fields(state.address)
    if problems:
        raise Invalid(problems)
    return Wish(
        items={},
        name=name,
        email=email,
        phone=phone,
        note=note,
        collector=collector,
        language=visit.language,
        shipping=typed["shipping"],
        payment_method=typed["payment_method"],
        total=shown_total,
        codes=state.codes,
        address=state.address if needs_address else None,
        consents=ticked_consents(visit.form),
        plugin_fields=typed_values(state.fields, typed, delivered=needs_address),
        terms_id=visit.form.get("terms", ""),
    )


def _explain(error: Refused, visit: Visit, state: CheckoutState) -> Refused:
    """A clearer error: a full slot beside the shipping options, a total that changed by the customer's own choice."""
    if error.code == "slot_full":
        return Invalid([Problem(error.code, error.text, "/shipping", dict(error.values))])
    if error.code == "total_changed" and visit.form.get("with") != state.choice:
        total = Money(state.offered.quote.totals.total, state.offered.quote.draft.currency)
        return Conflict(
            "total_changed", "With this choice the total is {total}. Please confirm your order.", total=total
        )
    return error


def post_add_code(visit: Visit) -> Response:
    """Keeps one more code for the checkout of this sale, in a basket that may be empty, and leads there."""
    session_id, code = visit.path["session"], visit.query.get("code", "").strip()[:40]
    owner, secret = new_owner(visit, session_id)

    def act(tx: Transaction) -> None:
        sale_for(tx, session_id, visit.actor.person_id)
        cart_id = open_cart(tx, session_id, language=visit.language, **owner)
        checkout = noted_checkout(tx, cart_id)
        codes = dict.fromkeys((*checkout.codes, code))
        note_checkout(tx, cart_id, replace(checkout, codes=tuple(codes)[-_MOST_CODES:]))

    if code:
        visit.instance.store.transact(act)
    return set_guest_secret(visit.redirect(f"/sales/{session_id}/checkout"), visit, secret)


def _initial_values(visit: Visit) -> tuple[dict[str, str], tuple[str, ...]]:
    """The initial values of the fields and the codes: as stored in the cart, or else from the person's account."""
    session_id, typed, checkout = visit.path["session"], dict.fromkeys(_FIELDS, ""), Checkout()
    with visit.read() as tx:
        cart_id = cart_of(tx, session_id, **cart_owner(visit, session_id))
        if cart_id is not None:
            checkout = noted_checkout(tx, cart_id)
        if visit.actor.person_id is not None and not checkout.email:
            account = person_by_id(tx, visit.actor.person_id)
            checkout = replace(checkout, name=account.name, email=account.email, phone=account.phone)
    values = {name: getattr(checkout, name) for name in _LONGEST}
    kept_texts = texts_kept(checkout.plugin_fields)
    return {**typed, **values, **address_fields(checkout.address), **kept_texts}, checkout.codes


def _page(
    visit: Visit, state: CheckoutState, typed: Mapping[str, str], errors: Mistakes = NONE, status: int = 200
) -> Response:
    values: dict[str, object] = {**typed, "payment_method": state.method}
    if len(state.options) == 1:
        values["shipping"] = values["shipping"] or state.shipping
    refused_status = 422 if status == 200 and visit.request.method == "POST" else status
    if state.refused:
        status = refused_status
        message = " ".join(say(visit.language, problem) for problem in state.refused)
        errors = replace(errors, fields={**errors.fields, CODE: message})
    else:
        values[CODE] = ""  # the code is accepted, and shown in the list of codes
    if state.unserved:
        status = refused_status
        no_delivery = Problem("no_delivery", "We do not deliver to {postcode}.", values={"postcode": state.unserved})
        errors = replace(errors, fields={**errors.fields, "address/postcode": say(visit.language, no_delivery)})
    shop, lines = state.cart.sale.shop, state.offered.quote.draft.lines
    with visit.read() as tx:
        line_names = names_of_lines(tx, lines, reader=visit.language, own=shop.language)
    return show(
        visit,
        "checkout",
        status=status,
        line_names=line_names,
        added_parts=added_parts(visit, "shop/checkout", state.cart, state.offered),
        checkout=state,
        merged=has_merged(visit, state.cart.id),
        sale=state.cart.sale,
        places=group_by_place(state.options, shop.timezone, visit.language),
        typed=values,
        ticked=ticked_consents(visit.form),
        prices_differ=len({option.price for option in state.options.values()}) > 1,
        mistakes=errors,
    )


def _to_cart(visit: Visit, typed: Mapping[str, str] | None = None) -> Response:
    """Redirects to the cart's page, which says why it cannot be ordered. Keeps `typed` for a return to the checkout."""
    if typed is not None:
        _save_form(visit, typed, ())
    return visit.redirect(_cart_url(visit))


def _cart_url(visit: Visit) -> str:
    return f"/sales/{visit.path['session']}/cart"
