"""A form that is refused: its page is shown again, with the reasons at the fields and the status of the refusal."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from commensal import Conflict, Instance, Invalid, NotFound, Problem, Refused, Unauthorised
from commensal.hooks.values import Screen
from commensal.pages import Visit, any_field, on_refusal
from commensal.people.actor import Actor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

TYPED = {"name": "", "city": "Tours"}
EMPTY_NAME = Problem("required", "Say a name.", "/name")
WRONG_DAY = Problem("day", "Give a day.", "/day")


def a_visit(instance: Instance) -> Visit:
    request = Request({"type": "http", "method": "POST", "path": "/farms", "headers": [], "query_string": b""})
    return Visit(instance=instance, request=request, actor=Actor(), language="en", form=TYPED)


def page(visit: Visit, shop: str, at: str = "") -> Screen:
    return Screen(template="farms.html", context={"shop": shop, "at": at, "typed": visit.form})


def shown(instance: Instance, error: Refused | None) -> Screen:
    @on_refusal(page)
    def post(visit: Visit, shop: str) -> Screen:
        if error is not None:
            raise error
        return Screen(template="thanks.html")

    return post(a_visit(instance), "shop")


def test_what_is_not_refused_is_answered(instance: Instance) -> None:
    assert shown(instance, None) == Screen(template="thanks.html")


def test_a_reason_stands_at_its_field_if_that_was_sent_and_else_above_the_form(instance: Instance) -> None:
    again = shown(instance, Invalid([EMPTY_NAME, WRONG_DAY]))
    assert (again.template, again.status) == ("farms.html", 422)
    assert again.context["typed"] == TYPED, "nobody types it twice"
    assert again.context["mistakes"].fields == {"name": "Say a name."}
    assert again.context["mistakes"].general == ("Give a day.",)


def test_a_page_can_say_which_fields_it_has(instance: Instance) -> None:
    @on_refusal(page, any_field, at="add")
    def post(visit: Visit, shop: str) -> Screen:
        raise Invalid([WRONG_DAY])

    again = post(a_visit(instance), "shop")
    assert again.context["mistakes"].fields == {"day": "Give a day."}
    assert again.context["at"] == "add", "the page takes what the form says of it"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Conflict("taken", "Somebody else has it."), 409),
        (NotFound(), 404),
        (Unauthorised(), 422),  # at 401 browsers ask for a password themselves
    ],
)
def test_the_page_has_the_status_of_the_refusal(instance: Instance, error: Refused, status: int) -> None:
    again = shown(instance, error)
    assert (again.status, len(again.context["mistakes"].general)) == (status, 1)
