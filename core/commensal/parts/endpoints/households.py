"""Households over the API: people who share one customer of an enterprise, as they and the enterprise see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from ...api.authenticate import prove_own_password
from ...api.endpoint import Body, Call, Routes
from ...enterprises.access import demand_session
from ...enterprises.customers import customer_by_id
from ...enterprises.households import (
    Household,
    HouseholdInvitation,
    HouseholdPerson,
    household_invitations_to,
    households_of,
    people_of_households,
)
from ..accounts import joining

routes = Routes("households")

_MINE = "/me/households/{customer}"
_PEOPLE = "/enterprises/{enterprise}/customers/{customer}/people"


class NewHouseholdPerson(Body, frozen=True, kw_only=True):
    """The password, once more: whoever joins orders at your prices and from your account. `customer_id` is your own
    customer at an enterprise."""

    customer_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    email: Annotated[str, msgspec.Meta(min_length=1, max_length=254)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


@dataclass(frozen=True)
class InvitedToHousehold:
    """A mail was promised to this address."""

    to: str


@routes.get("/me/households", scope="self")
def my_households(call: Call) -> list[Household]:
    """My customer at each enterprise, and who shares it; also those of others that I share."""
    return households_of(call.tx, call.person_id)


@routes.post("/me/households", scope="self", status=202, limit="logins", keeps=False, proves=prove_own_password)
def invite_to_my_household(call: Call, body: NewHouseholdPerson) -> InvitedToHousehold:
    """Invites somebody to share my customer. The answer is the same whether the address has an account or not. A token
    is not enough for this."""
    to = joining.invite_to_household(call.tx, call.person_id, body.customer_id, email=body.email)
    return InvitedToHousehold(to=to)


@routes.delete(f"{_MINE}/invitations/{{invitation}}", scope="self")
def withdraw_invitation_to_my_household(call: Call, customer: str, invitation: str) -> None:
    """Withdraws an invitation that nobody has accepted yet."""
    joining.withdraw_household_invitation(call.tx, call.person_id, customer, invitation)


@routes.delete(f"{_MINE}/people/{{person}}", scope="self")
def leave_my_household(call: Call, customer: str, person: str) -> None:
    """Removes somebody from my household, or myself from that of somebody else. Their unsettled orders for it pass to
    its founder. A token is not enough for this."""
    joining.leave_household(call.tx, demand_session(call.actor), customer, person)


@routes.get("/me/household-invitations", scope="self")
def my_household_invitations(call: Call) -> list[HouseholdInvitation]:
    """Invitations to my confirmed address to share the customer of somebody else."""
    return household_invitations_to(call.tx, call.person_id)


@routes.post("/me/household-invitations/{invitation}", scope="self")
def join_household(call: Call, invitation: str) -> list[Household]:
    """Accepts an invitation, and returns my households. A token is not enough for this."""
    person_id = demand_session(call.actor)
    joining.accept_household_invitation(call.tx, person_id, invitation)
    return households_of(call.tx, person_id)


@routes.delete("/me/household-invitations/{invitation}", scope="self")
def decline_to_join_household(call: Call, invitation: str) -> None:
    """Declines an invitation."""
    joining.decline_household_invitation(call.tx, call.person_id, invitation)


@routes.get(_PEOPLE, scope="customers:read")
def household_of_customer(call: Call, enterprise: str, customer: str) -> list[HouseholdPerson]:
    """The people who share a customer of the enterprise, beside the person whose address it has."""
    customer_id = customer_by_id(call.tx, enterprise, customer).id
    return list(people_of_households(call.tx, [customer_id]).get(customer_id, ()))


@routes.delete(f"{_PEOPLE}/{{person}}", scope="customers:write")
def remove_from_household_of_customer(call: Call, enterprise: str, customer: str, person: str) -> None:
    """Removes a person from the household of a customer of the enterprise."""
    joining.remove_from_household(call.tx, enterprise, customer, person)
