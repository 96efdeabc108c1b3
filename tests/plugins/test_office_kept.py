"""What a hub makes belongs to the hub: whoever runs it next runs its farms, and gets their mails."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, update

from commensal.enterprises.enterprises import addresses_of
from commensal.enterprises.tables import enterprise, enterprise_member
from commensal.people.people import add_person, new_person
from commensal.people.tables import person

from .conftest import PASSWORD, Browser, Stall
from .test_office import OFFICE, PLUGINS, a_member, owner

__all__ = ["PLUGINS", "owner"]  # fixtures

TEAM = f"{OFFICE}/settings/team"


@pytest.fixture
def farm(owner: Browser) -> str:
    """The id of a farm that the owner of the hub has added, without an address of its own."""
    owner.go(f"{OFFICE}/producers")
    owner.send("/producers", name="Ferme du Moulin")
    assert "The producer is added" in owner.page.text
    return owner.at.rpartition("/")[2].partition("?")[0]


@pytest.fixture
def follower(owner: Browser, stall: Stall) -> Browser:
    """Another owner of the hub, who follows the first."""
    browser = owner.another()
    browser.log_in(a_member(stall, "owner", "max@example.org"))
    return browser


def id_of(stall: Stall, email: str) -> str:
    with stall.instance.store.read() as tx:
        return str(tx.value(select(person.c.id).where(person.c.email == email)))


def mailed(stall: Stall, farm: str) -> tuple[str, ...]:
    """To whom the next order of the farm is mailed."""
    with stall.instance.store.read() as tx:
        return addresses_of(tx, farm).emails


def belongs_to(stall: Stall, farm: str, email: str) -> None:
    """The farm as it was made before hubs kept what they make: its only member is its owner."""
    with stall.instance.store.write() as tx:
        tx.execute(update(enterprise).where(enterprise.c.id == farm).values(kept_by=None))
        tx.execute(delete(enterprise_member).where(enterprise_member.c.enterprise_id == farm))
        tx.execute(
            enterprise_member.insert().values(
                enterprise_id=farm, person_id=id_of(stall, email), role="owner", since=tx.now
            )
        )


def opens(browser: Browser, farm: str) -> list[int]:
    """How the pages of the farm answer: its goods, its own page, its team and its grants."""
    statuses = []
    for page in ("products/import", "settings/profile", "settings/team", "hubs"):
        browser.go(f"/office/{farm}/{page}")
        statuses.append(browser.status)
    return statuses


def test_a_farm_that_a_coordinator_added_stays_with_the_hub_when_she_leaves(
    owner: Browser, farm: str, follower: Browser, stall: Stall
) -> None:
    assert opens(owner, farm) == [200] * 4
    follower.go(f"{TEAM}?ask={id_of(stall, 'olivia@example.org')}")
    assert "belongs to them alone" not in follower.page.text
    follower.send("then=remove")
    assert opens(follower, farm) == [200] * 4
    assert opens(owner, farm) == [404] * 4
    assert mailed(stall, farm) == ("shop@example.org",)
    packer = owner.another()
    packer.log_in(a_member(stall, "packer", "paul@example.org"))
    packer.go(f"/office/{farm}/settings/profile")
    assert packer.status == 403, "each by their role at the hub"
    assert "Change its page" in follower.go(f"{OFFICE}/producers/{farm}").text


def test_a_farm_made_before_is_given_to_the_hub_by_who_owns_it_and_nobody_else(
    owner: Browser, farm: str, follower: Browser, stall: Stall
) -> None:
    belongs_to(stall, farm, "olivia@example.org")
    page = f"{OFFICE}/producers/{farm}"
    assert opens(follower, farm)[1:3] != [200, 200]
    follower.go(f"{TEAM}?ask={id_of(stall, 'olivia@example.org')}")
    assert "1 producer belongs to them alone, and stays theirs: Ferme du Moulin." in follower.page.text
    follower.post(f"{page}?then=hand-over")
    assert follower.status == 404
    follower.post(f"{TEAM}?then=hand-over")
    assert mailed(stall, farm) == ("olivia@example.org",), "it is taken from nobody"

    assert "It belongs to you alone" in owner.go(page).text
    owner.send("then=hand-over")
    assert "It belongs to you alone" not in owner.page.text
    assert opens(follower, farm) == [200] * 4
    assert mailed(stall, farm) == ("shop@example.org",), "as the hub itself is mailed"


def test_who_leaves_gives_all_farms_to_the_hub_first(
    owner: Browser, farm: str, follower: Browser, stall: Stall
) -> None:
    belongs_to(stall, farm, "olivia@example.org")
    owner.go(f"{TEAM}?ask={id_of(stall, 'olivia@example.org')}")
    owner.send("then=hand-over")
    assert "The producers belong to Halle Saint-Jean now." in owner.page.text
    owner.go(f"{TEAM}?ask={id_of(stall, 'olivia@example.org')}")
    owner.send("then=remove")
    assert opens(follower, farm) == [200] * 4
    with stall.instance.store.write() as tx:
        tx.execute(update(enterprise).where(enterprise.c.id == "shop").values(email=""))
    assert mailed(stall, farm) == ("max@example.org",), "the owners of a hub that has no address"


def test_a_farmer_who_accepts_takes_the_farm_over_from_the_hub(owner: Browser, follower: Browser, stall: Stall) -> None:
    owner.go(f"{OFFICE}/producers")
    owner.send("/producers", name="Ferme du Puits", email="paul@example.org")
    farm = owner.at.rpartition("/")[2].partition("?")[0]
    with stall.instance.store.write() as tx:
        paul = new_person(email="paul@example.org", name="Paul", password=PASSWORD, language="en")
        add_person(tx, paul, confirmed=True)
    farmer = owner.another()
    farmer.log_in("paul@example.org")
    farmer.go("/account")
    form = next(form for form in farmer.page.forms if "invitations" in form.action)
    farmer.send(form.action, ("answer", "accept"))
    assert opens(farmer, farm) == [200] * 4
    assert opens(owner, farm) == [403] * 4
    owner.go(f"/office/{farm}/products")
    assert owner.status == 200, "what the farm lets the hub do stays"
    assert mailed(stall, farm) == ("paul@example.org",)


def test_who_is_removed_from_the_hub_has_invited_nobody_to_its_farms(
    owner: Browser, follower: Browser, stall: Stall
) -> None:
    """The second address could be their own."""
    owner.go(f"{OFFICE}/producers")
    owner.send("/producers", name="Ferme du Puits", email="paul@example.org")
    with stall.instance.store.write() as tx:
        paul = new_person(email="paul@example.org", name="Paul", password=PASSWORD, language="en")
        add_person(tx, paul, confirmed=True)
    second = owner.another()
    second.log_in("paul@example.org")
    assert any("invitations" in form.action for form in second.go("/account").forms)
    follower.go(f"{TEAM}?ask={id_of(stall, 'olivia@example.org')}")
    follower.send("then=remove")
    assert not any("invitations" in form.action for form in second.go("/account").forms)
