"""The checkout: contact, collecting, paying, and the button that obliges. The same cart sent twice is one order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from commensal import (
    Address,
    Checkout,
    Choices,
    Conflict,
    Invalid,
    Money,
    NotFound,
    Offered,
    Order,
    PaymentMethod,
    Problem,
    Refused,
    ShippingOption,
    Transaction,
    Visit,
    Wish,
    cart_items,
    cart_of,
    fingerprint,
    note_checkout,
    noted_checkout,
    order_by_id,
    order_by_secret,
    payment_methods,
    person_by_id,
    place_order,
    quote_order,
    read_email,
    read_text,
    say,
    start_payment,
)

from .cart import Cart, look_into_cart
from .choices import ADDRESS_FIELDS, CODE, address_fields, address_typed, codes_typed, missing_of, ticked, with_codes
from .guest import order_secret, owner
from .places import Place, by_place
from .sale import MEMBER
from .showing import NONE, Mistakes, mistakes, show, status_of

_LONGEST = {"name": 200, "email": 320, "phone": 40, "note": 2000, "shipping": 200, "payment_method": 100}
_FIELDS = (*_LONGEST, CODE, *ADDRESS_FIELDS)


@dataclass(frozen=True, kw_only=True)
class Counter:
    """The cart, what it costs with the choices that were made, and what else there is to choose.

    `shipping` is the option that was chosen, or else costs least; `codes` are those that count, `refused` says why the
    others do not.
    """

    cart: Cart
    offered: Offered
    options: Mapping[str, ShippingOption]
    shipping: str
    methods: list[PaymentMethod]
    method: str
    address: Address | None
    codes: tuple[str, ...]
    refused: tuple[Problem, ...]

    @property
    def brings(self) -> bool:
        """Whether there is a way that needs an address; also where the one that was typed has made it vanish."""
        return self.address is not None or any(one.needs_address for one in self.options.values())

    @property
    def unserved(self) -> str:
        """The postcode that was typed, where nothing is brought there."""
        typed = self.address.postcode if self.address else ""
        return "" if any(one.needs_address for one in self.options.values()) else typed

    @property
    def places(self) -> Sequence[Place]:
        return by_place(self.options)

    @property
    def choice(self) -> str:
        """Everything that the total depends on and the customer may choose on this page."""
        where = self.address.postcode if self.address else ""
        return "|".join((self.shipping, self.method, where, *self.codes))


def checkout_page(visit: Visit) -> Response:
    """With what was typed here before: stock that fell, another page or another language does not lose it."""
    known, codes = _known_of(visit)
    counter = _counter(visit, known, codes)
    return _to_cart(visit) if counter is None else _page(visit, counter, known)


def checkout_now(visit: Visit) -> Response:
    """Places the order, then begins its payment; any other button shows the total with what has been chosen."""
    typed = {name: visit.form.get(name, "") for name in _FIELDS}
    placed = _placed_before(visit)
    if placed:
        return visit.redirect(placed)
    if visit.actor.person_id is None and visit.form.get(MEMBER):  # they were logged in when the page was shown
        return visit.redirect(f"/login?next={quote(visit.request.url.path)}&lost=1")
    counter = _counter(visit, typed, codes_typed(visit.form))
    if counter is None:
        return _to_cart(visit, typed)
    if visit.form.get("then") != "order" or counter.refused:
        _keep(visit, typed, counter.codes)
        return _page(visit, counter, typed)
    try:
        with visit.guessing(counter.codes):
            order = _place(visit, _read(counter, typed, visit))
    except Refused as error:
        again = _counter(visit, typed, codes_typed(visit.form))
        if again is None:
            return _to_cart(visit, typed)
        _keep(visit, typed, again.codes)
        wrong = mistakes(visit, _plainer(error, visit, again), {*_FIELDS}.__contains__)
        return _page(visit, again, typed, wrong, status_of(error))
    if order is not None:
        _begin_payment(visit, order)
    return visit.redirect(_placed_before(visit) or f"/sales/{visit.path['session']}/cart")


def _place(visit: Visit, wish: Wish) -> Order | None:
    """None where another request has placed the order from this cart meanwhile, or it is another cart by now."""
    session_id, cart_id = visit.path["session"], visit.form.get("cart", "")
    secret = order_secret(visit, cart_id)

    def act(tx: Transaction) -> Order | None:
        if cart_of(tx, session_id, **owner(visit, session_id), lock=True) != cart_id:
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


def _placed_before(visit: Visit) -> str | None:
    """Where the order is that this cart became, if it did: its id is the cart's."""
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
    """After the commit, and never in its way: the order stands, and its page lets the customer pay another way."""
    if order.payment_method and order.total:
        try:
            start_payment(
                visit.instance, order.id, order.payment_method, f"order:{order.id}", visit.language,
                return_url=visit.address(_placed_before(visit) or f"/orders/{order.id}"),
            )  # fmt: skip
        except Conflict:
            return  # it is paid or cancelled already; the page of the order says so


def _keep(visit: Visit, typed: Mapping[str, str], codes: Sequence[str]) -> None:
    """Writes what was typed into the cart that the form was for. Codes that do not count are not kept."""
    session_id = visit.path["session"]
    noted = Checkout(
        **{name: typed[name].strip()[:most] for name, most in _LONGEST.items()},
        codes=tuple(codes),
        address=address_typed(typed),
    )

    def act(tx: Transaction) -> None:
        cart_id = cart_of(tx, session_id, **owner(visit, session_id))
        if cart_id is not None and cart_id == visit.form.get("cart"):
            note_checkout(tx, cart_id, noted)

    visit.instance.store.transact(act)


def _counter(visit: Visit, typed: Mapping[str, str], codes: Sequence[str]) -> Counter | None:
    """None for a cart that cannot be ordered as it is: its own page says why."""
    address = address_typed(typed)
    with visit.read() as tx:
        cart = look_into_cart(tx, visit, Choices(address=address))
    if not cart.ready or cart.priced is None:
        return None
    options = cart.priced.shipping_options
    methods = payment_methods(visit.instance, cart.sale.shop.id, visit.language, person_id=visit.actor.person_id)
    shipping = typed["shipping"] if typed["shipping"] in options else _cheapest(options)
    brought = bool(shipping) and options[shipping].needs_address
    chosen = Choices(
        shipping=shipping,
        payment_method=_method(methods, typed["payment_method"]),
        address=address if brought else None,
    )
    tried = with_codes(visit, codes, lambda left: _quote(visit, cart, replace(chosen, codes=left)))
    return Counter(
        cart=cart, offered=tried.value, options=options, shipping=shipping, methods=methods,
        method=chosen.payment_method, address=address, codes=tried.codes, refused=tried.refused,
    )  # fmt: skip


def _quote(visit: Visit, cart: Cart, chosen: Choices) -> Offered:
    with visit.read() as tx:
        return quote_order(
            tx, visit.instance.hooks, cart.sale.session.id, cart.items, language=visit.language,
            person_id=visit.actor.person_id, chosen=chosen,
        )  # fmt: skip


def _cheapest(options: Mapping[str, ShippingOption]) -> str:
    """Of those that have room; what is collected before what is brought."""
    free = {name: (option.needs_address, option.price) for name, option in options.items() if option.left != 0}
    return min(free, key=lambda name: free[name], default="")


def _method(methods: Sequence[PaymentMethod], typed: str) -> str:
    known = [one.id for one in methods]
    return typed if typed in known else known[0] if len(known) == 1 else ""


def _read(counter: Counter, typed: Mapping[str, str], visit: Visit) -> Wish:
    """Raises `Invalid` with every mistake at once."""
    problems: list[Problem] = []
    name = read_text(typed["name"], "/name", problems, least=1)
    phone = read_text(typed["phone"], "/phone", problems, most=40)
    note = read_text(typed["note"], "/note", problems, most=2000, lines=True)
    email = read_text(typed["email"], "/email", problems, least=1)
    if email and isinstance(wrong := read_email(email), Problem):
        problems.append(wrong)
    if counter.options and typed["shipping"] not in counter.options:
        problems.append(Problem("shipping_missing", "Choose how you will receive your order.", "/shipping"))
    shown = visit.form.get("total", "")
    if not (shown.isascii() and shown.isdigit() and len(shown) < 16):
        problems.append(Problem("total_missing", "Please check the total once more."))
    if counter.methods and typed["payment_method"] not in {one.id for one in counter.methods}:
        problems.append(Problem("payment_missing", "Choose how you will pay.", "/payment_method"))
    brought = counter.options[counter.shipping].needs_address if counter.shipping else False
    if brought:
        problems += missing_of(counter.address)
    if problems:
        raise Invalid(problems)
    return Wish(
        items={},
        name=name,
        email=email,
        phone=phone,
        note=note,
        language=visit.language,
        shipping=typed["shipping"],
        payment_method=typed["payment_method"],
        total=int(shown),
        codes=counter.codes,
        address=counter.address if brought else None,
        consents=ticked(visit.form),
    )


def _plainer(error: Refused, visit: Visit, counter: Counter) -> Refused:
    """A slot that is full is said where slots are chosen; a total that they changed themselves by another choice."""
    if error.code == "slot_full":
        return Invalid([Problem(error.code, error.text, "/shipping", dict(error.values))])
    if error.code == "total_changed" and visit.form.get("with") != counter.choice:
        total = Money(counter.offered.quote.totals.total, counter.offered.quote.draft.currency)
        return Conflict(
            "total_changed", "With this choice the total is {total}. Please confirm your order.", total=total
        )
    return error


def _known_of(visit: Visit) -> tuple[dict[str, str], tuple[str, ...]]:
    """What stands in the fields, and the codes: as noted in the cart, or else as the person's account has it."""
    session_id, typed, noted = visit.path["session"], dict.fromkeys(_FIELDS, ""), Checkout()
    with visit.read() as tx:
        cart_id = cart_of(tx, session_id, **owner(visit, session_id))
        if cart_id is not None:
            noted = noted_checkout(tx, cart_id)
        if visit.actor.person_id is not None and not noted.email:
            known = person_by_id(tx, visit.actor.person_id)
            noted = replace(noted, name=known.name, email=known.email, phone=known.phone)
    kept = {name: getattr(noted, name) for name in _LONGEST}
    return {**typed, **kept, **address_fields(noted.address)}, noted.codes


def _page(
    visit: Visit, counter: Counter, typed: Mapping[str, str], wrong: Mistakes = NONE, status: int = 200
) -> Response:
    choices: dict[str, Any] = {**typed, "payment_method": counter.method}
    if len(counter.options) == 1:
        choices["shipping"] = choices["shipping"] or counter.shipping
    refused = 422 if status == 200 and visit.request.method == "POST" else status
    if counter.refused:
        status = refused
        said = " ".join(say(visit.language, one) for one in counter.refused)
        wrong = replace(wrong, fields={**wrong.fields, CODE: said})
    else:
        choices[CODE] = ""  # it stands among those that count
    if counter.unserved:
        status = refused
        nowhere = Problem("no_delivery", "We do not deliver to {postcode}.", values={"postcode": counter.unserved})
        wrong = replace(wrong, fields={**wrong.fields, "address/postcode": say(visit.language, nowhere)})
    return show(
        visit,
        "checkout",
        status=status,
        counter=counter,
        sale=counter.cart.sale,
        typed=choices,
        ticked=ticked(visit.form),
        prices_differ=len({option.price for option in counter.options.values()}) > 1,
        mistakes=wrong,
    )


def _to_cart(visit: Visit, typed: Mapping[str, str] | None = None) -> Response:
    """Its page says why the cart cannot be ordered; what was `typed` stands at the checkout when they come back."""
    if typed is not None:
        _keep(visit, typed, ())
    return visit.redirect(f"/sales/{visit.path['session']}/cart")
