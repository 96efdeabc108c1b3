"""Checks shipping options: they have names, are booked once, released, and never overbooked."""

from __future__ import annotations

from collections.abc import Mapping

from ...base.errors import Refused
from ...base.languages.catalogs import LANGUAGES
from ...hooks.values import ShippingOption
from ...pricing.values import Address
from ..shop import Shop
from .check import Nonconforming, Subject, check, demand

ADDRESS = Address(street="1 rue Nationale", postcode="37000", city="Tours")
_MOST = 60  # orders that are placed to fill an option


@check("shipping_options")
def its_ways_to_receive_have_ids_labels_and_times(subject: Subject) -> None:
    with subject.shop() as shop:
        for language in LANGUAGES:
            options = shop.shipping_options(language, ADDRESS)
            demand(options, "it offers nothing at a shop that uses it; prepare the shop so that it does")
            labels = [option.label.strip() for option in options.values()]
            demand(all(labels) and len(set(labels)) == len(labels), f"labels must differ, and say something: {labels}")
            for name, option in options.items():
                aware = option.begins_at.tzinfo is not None and option.ends_at.tzinfo is not None
                demand(aware and option.begins_at < option.ends_at, f"{name} must begin before it ends, in aware times")
                demand(option.price >= 0, f"{name}: a price cannot be negative")
                demand(option.left is None or option.left >= 0, f"{name}: {option.left} cannot be left")


@check("book_shipping")
def what_is_booked_is_given_back(subject: Subject) -> None:
    """Booked, kept by a change of something else, released by another choice and by a cancellation."""
    with subject.shop() as shop:
        before = _left(shop)
        demand(before, "it offers nothing to book; prepare the shop so that it does")
        first, *others = [name for name, places in before.items() if places is None or places > 0]
        order = shop.order(shipping=first, address=ADDRESS)
        demand(order.shipping_label.strip(), f"{first}: what was booked has no label")
        _expect(shop, before, first, "after it was booked")
        shop.change({"carrots": 6})
        _expect(shop, before, first, "after its order was changed")
        for other in others[:1]:
            shop.change(shipping=other, address=ADDRESS)
            _expect(shop, before, other, f"after its order chose {other} instead of {first}")
        shop.cancel()
        _expect(shop, before, None, "after its order was cancelled")


@check("book_shipping")
def what_is_full_takes_no_more(subject: Subject) -> None:
    with subject.shop() as shop:
        limited = {name: places for name, places in _left(shop).items() if places is not None and 0 < places <= _MOST}
        if not limited:
            return  # it takes any number, or more than a test can place
        name = min(limited, key=lambda option_name: limited[option_name])
        for _ in range(limited[name]):
            shop.order({"carrots": 1}, shipping=name, address=ADDRESS)
        demand(_left(shop).get(name, 0) == 0, f"{name} should have nothing left after {limited[name]} orders")
        demand(_refuses(shop, name), f"{name} was full, and took another order")


@check("book_shipping")
def what_it_does_not_offer_it_refuses(subject: Subject) -> None:
    """With `Refused`, whatever is sent to it: options are chosen by strangers."""
    with subject.shop() as shop:
        for name in (f"{subject.plugin}:no-such-option", f"{subject.plugin}:", f"{subject.plugin}:'%\x00é"):
            demand(_refuses(shop, name), f"it booked {name!r}, which it does not offer")


def _left(shop: Shop) -> Mapping[str, int | None]:
    options: Mapping[str, ShippingOption] = shop.shipping_options(address=ADDRESS)
    return {name: option.left for name, option in options.items()}


def _refuses(shop: Shop, name: str) -> bool:
    try:
        shop.order({"carrots": 1}, shipping=name, address=ADDRESS)
    except Refused:
        return True
    return False


def _expect(shop: Shop, before: Mapping[str, int | None], booked: str | None, when: str) -> None:
    """Checks that one place of the booked option is taken, and none of the others."""
    after = _left(shop)
    for name, places in before.items():
        booked_places = 1 if name == booked and places is not None else 0
        expected = None if places is None else places - booked_places
        if after.get(name, 0) != expected:
            raise Nonconforming(f"{name} should have {expected} left {when}, not {after.get(name, 0)}")
