"""The office: the team, customers and their groups, and who we are; a new hub by pages alone."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from commensal.enterprises.access import may_make_producers
from commensal.enterprises.customers import create_customer, customer_by_email, list_customers
from commensal.enterprises.enterprises import enterprise_by_id
from commensal.enterprises.households import household_invitations_to
from commensal.enterprises.members import add_member, change_role, list_members
from commensal.enterprises.roles import create_role, list_roles
from commensal.enterprises.tables import enterprise
from commensal.orders.tables import customer_order as order_table
from commensal.parts.accounts.joining import accept_household_invitation, invite_to_household
from commensal.parts.membership.invitations import accept_invitation, invitations_of, invitations_to, invite
from commensal.people.actor import ENTERPRISE_SCOPES, GIVEN_BY_ROLES, READ, SCOPE_WORDS, Actor
from commensal.people.people import NewPerson, Person, add_person
from commensal.people.tables import person
from commensal.storage.jobs.tables import job
from commensal_office.people.team import scope_groups

from .conftest import Browser, Stall
from .test_office import OFFICE, PLUGINS, a_member, an_order, owner

__all__ = ["PLUGINS", "owner"]  # fixtures

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

TEAM = f"{OFFICE}/settings/team"
CUSTOMERS = f"{OFFICE}/customers"


# ------------------------------------------------------------------------------------------------ the team


def test_somebody_is_invited_joins_gets_another_role_and_leaves(owner: Browser, stall: Stall, ada: Person) -> None:
    owner.go(TEAM)
    owner.send("/team/invite", email="ada@example.org", role="packer")
    assert "invitation is on its way" in owner.page.text
    assert "invited, has not answered" in owner.page.text
    with stall.instance.store.write() as tx:
        (invitation,) = invitations_to(tx, ada.id)
        accept_invitation(tx, ada.id, invitation.id)
    owner.go(TEAM)
    assert "Ada Martin" in owner.page.text
    owner.post(f"{TEAM}?then=role", person=ada.id, role="manager")
    assert "Give Ada Martin the role “Coordinator”? Sales, goods, orders" in owner.page.text
    assert roles(stall)["ada@example.org"] == "packer", "nothing has changed yet"
    assert owner.page.form("/team/invite").fields["role"] == "packer", "who is invited next gets no role of hers"
    owner.send("?then=role")
    assert roles(stall)["ada@example.org"] == "manager"
    owner.go(f"{TEAM}?ask={ada.id}")
    assert "Remove Ada Martin from the team?" in owner.page.text
    assert "ada@example.org" in roles(stall)
    owner.send("?then=remove")
    assert list(roles(stall)) == ["olivia@example.org"]


def test_who_accepts_an_invitation_comes_to_the_office(browser: Browser, stall: Stall, ada: Person) -> None:
    with stall.instance.store.write() as tx:
        invite(tx, "shop", email=ada.email, role="packer", language="en", person_id=None)
    browser.log_in()
    (form,) = (form for form in browser.go("/account").forms if form.action.startswith("/account/invitations/"))
    browser.send(form.action, ("answer", "accept"))
    assert browser.at.startswith(OFFICE)
    assert "Pack" in browser.page.text


def test_members_hear_by_mail_what_an_owner_changes_and_nothing_of_what_they_do_themselves(
    owner: Browser, stall: Stall, ada: Person
) -> None:
    with stall.instance.store.write() as tx:
        add_member(tx, "shop", email="ada@example.org", role="packer")
        (olivia,) = [each.person_id for each in list_members(tx, "shop") if each.email == "olivia@example.org"]
    owner.post(f"{TEAM}?then=role", person=ada.id, role="manager", sure="1")
    owner.post(f"{TEAM}?then=remove", person=ada.id)
    with stall.instance.store.write() as tx:
        add_member(tx, "shop", email="ada@example.org", role="owner")
    owner.post(f"{TEAM}?then=role", person=olivia, role="owner", takes_money="1")
    owner.post(f"{TEAM}?then=remove", person=olivia)
    assert list(roles(stall)) == ["ada@example.org"]
    with stall.instance.store.read() as tx:
        mails = [row["payload"] for row in tx.all(select(job.c.payload).where(job.c.kind == "mail").order_by(job.c.id))]
    assert [(mail["kind"], mail["to"]) for mail in mails] == [
        ("role_changed", "ada@example.org"),
        ("member_removed", "ada@example.org"),
    ]


def test_an_invitation_is_taken_back(owner: Browser, stall: Stall) -> None:
    owner.go(TEAM)
    owner.send("/team/invite", email="bob@example.org", role="owner")
    with stall.instance.store.read() as tx:
        (invitation,) = invitations_of(tx, "shop")
        (mail,) = tx.all(select(job.c.payload).where(job.c.kind == "mail"))
    assert (mail["payload"]["kind"], mail["payload"]["to"]) == ("member_invitation", "bob@example.org")
    owner.send("?then=withdraw", ("invitation", invitation.id))
    with stall.instance.store.read() as tx:
        assert not invitations_of(tx, "shop")


def test_a_wrong_address_is_shown_at_its_field_and_nobody_is_invited(owner: Browser, stall: Stall) -> None:
    owner.go(TEAM)
    owner.send("/team/invite", email="nobody", role="packer")
    assert owner.status == 422
    assert "email-problem" in owner.page.ids()
    assert owner.page.form("/team/invite").fields["email"] == "nobody"


def test_the_last_owner_stays(owner: Browser, stall: Stall) -> None:
    with stall.instance.store.read() as tx:
        (olivia,) = list_members(tx, "shop")
    for action in ("role", "remove"):
        owner.post(f"{TEAM}?then={action}", person=olivia.person_id, role="packer")
        assert "They are the only owner" in owner.page.text
    assert roles(stall) == {"olivia@example.org": "owner"}


def test_a_coordinator_reads_the_team_and_changes_nothing(browser: Browser, stall: Stall, ada: Person) -> None:
    browser.log_in(a_member(stall, "manager"))
    browser.go(TEAM)
    assert "Owners invite people" in browser.page.text
    for action, fields in (("invite", {"email": "bob@example.org"}), ("?then=role", {"person": ada.id})):
        browser.post(f"{TEAM}/{action}" if action == "invite" else f"{TEAM}{action}", role="owner", **fields)
        assert browser.status == 403
    assert roles(stall) == {"olivia@example.org": "manager"}


def test_an_owner_makes_a_role_gives_it_and_takes_it_away(owner: Browser, stall: Stall, ada: Person) -> None:
    owner.go(TEAM)
    owner.go(f"{TEAM}/roles/new")
    form = owner.page.form("/roles/new?then=save")
    assert not [box for box in form.boxes if box in form.fields], "nothing is given until it is ticked"
    owner.send("/roles/new?then=save", name="Market stall", **{"scope/orders:pack": "1"})
    assert "Pack and hand out" in owner.page.text
    with stall.instance.store.write() as tx:
        (role,) = list_roles(tx, "shop")
        add_member(tx, "shop", email="ada@example.org", role=role.id)
        invite(tx, "shop", email="bob@example.org", role=role.id, language="en", person_id=None)
    page = f"{TEAM}/roles/{role.id}"
    assert "1 person has it: Ada Martin" in owner.go(page).text
    assert owner.page.form("?then=save").fields["scope/orders:read"] == "1", "who packs sees orders"
    owner.go(f"{page}?ask=1")
    text = " ".join(owner.page.text.split())
    assert "Take the role Market stall away? 1 person has it: Ada Martin" in text
    assert "Accounts They lose: Pack and hand out. They gain: See what is to be brought, in sums" in text
    owner.send("?then=remove")
    assert owner.status == 409
    assert "say which role they get instead" in owner.page.text
    owner.send("?then=remove", instead="accountant")
    assert "The role is taken away" in owner.page.text
    assert roles(stall)["ada@example.org"] == "accountant"
    history = " ".join(owner.go(f"{OFFICE}/settings/history").text.split())
    assert "Role of the team" in history


def test_what_was_typed_of_a_role_stays_when_it_is_refused(owner: Browser, stall: Stall) -> None:
    owner.go(f"{TEAM}/roles/new")
    owner.send("?then=save", name=" ", **{"scope/audit:read": "1"})
    assert owner.status == 422
    assert owner.page.form("?then=save").fields["scope/audit:read"] == "1"
    owner.post(f"{TEAM}/roles/new?then=save", name="Boss", **{"scope/members:write": "1"})
    assert owner.status == 422
    with stall.instance.store.read() as tx:
        assert list_roles(tx, "shop") == []


def test_whoever_has_a_role_of_the_hub_sees_what_it_gives(browser: Browser, stall: Stall, ada: Person) -> None:
    browser.log_in(a_member(stall, "manager"))
    assert browser.go(f"{TEAM}/roles/new").text
    assert browser.status == 403, "coordinators make no roles"
    with stall.instance.store.write() as tx:
        (member,) = list_members(tx, "shop")
        holder = Actor(person_id=member.person_id, confirmed=True)
        change_role(tx, "shop", member.person_id, role="owner")
        role = create_role(tx, holder, "shop", name="Legal texts", scopes=["enterprise:write"])
        add_member(tx, "shop", email=ada.email, role="owner")
        change_role(tx, "shop", member.person_id, role=role.id)
    links = browser.go(f"{OFFICE}/settings").links()
    assert f"{OFFICE}/settings/texts" in links
    assert {f"{OFFICE}/settings/team", f"{OFFICE}/rules", f"{OFFICE}/orders", f"{OFFICE}/money"}.isdisjoint(links)
    for closed in ("orders", "money", "customers", "settings/team", "rules"):
        browser.go(f"{OFFICE}/{closed}")
        assert browser.status == 403, closed
    assert "Legal texts" in browser.go("/office?choose").text


def test_every_scope_that_a_role_may_give_has_words(stall: Stall) -> None:
    with stall.instance.store.read() as tx:
        told = {scope for _, labels in scope_groups(tx, "en", "shop") for scope in labels}
    assert told == GIVEN_BY_ROLES - READ
    assert SCOPE_WORDS.keys() == ENTERPRISE_SCOPES - READ


def roles(stall: Stall) -> dict[str, str]:
    with stall.instance.store.read() as tx:
        return {member.email: member.role for member in list_members(tx, "shop")}


# ------------------------------------------------------------------------------------------------ customers


def test_a_customer_is_added_found_and_changed(owner: Browser, stall: Stall) -> None:
    owner.go(f"{OFFICE}/groups")
    owner.send("?then=add", name="Members")
    owner.go(f"{CUSTOMERS}/new")
    (group,) = owner.page.form("/new").boxes
    owner.send("/new", ("name", "Corinne Clerc"), email="Corinne@Example.org", code="M-12", **{group: "1"})
    assert "The customer is added" in owner.page.text
    owner.go(f"{CUSTOMERS}?q=m-12")
    assert "Corinne Clerc" in owner.page.text
    owner.go(f"{CUSTOMERS}?q=nobody")
    assert "No customer fits" in owner.page.text
    with stall.instance.store.read() as tx:
        corinne = customer_by_email(tx, "shop", "corinne@example.org")
    assert corinne.categories == {group.removeprefix("group/")}
    owner.go(f"{CUSTOMERS}/{corinne.id}")
    form = owner.page.form(f"/{corinne.id}")
    assert form.fields[group] == "1"
    owner.post(owner.at, **{**form.fields, "note": "Rings twice.", group: "1"})
    owner.post(owner.at, **{**form.fields, "note": "Never comes."})
    assert owner.status == 422  # the version of the first form is over
    with stall.instance.store.read() as tx:
        assert customer_by_email(tx, "shop", "corinne@example.org").note == "Rings twice."


def test_a_customers_page_shows_their_own_orders(owner: Browser, stall: Stall) -> None:
    corinnes, others = an_order(stall), an_order(stall, "Somebody Else")
    with stall.instance.store.write() as tx:
        tx.execute(update(order_table).values(identity="proven").where(order_table.c.id == corinnes.id))
        corinne = customer_by_email(tx, "shop", "corinne@example.org")
    links = owner.go(f"{CUSTOMERS}/{corinne.id}").links()
    assert f"{OFFICE}/orders/{corinnes.id}" in links
    assert f"{OFFICE}/orders/{others.id}" not in links


def test_deleting_a_group_says_who_leaves_it(owner: Browser, stall: Stall) -> None:
    owner.go(f"{OFFICE}/groups")
    owner.send("?then=add", name="Members")
    group = next(link for link in owner.page.links() if link.startswith("?ask=")).removeprefix("?ask=")
    with stall.instance.store.write() as tx:
        create_customer(tx, "shop", email="ada@example.org", categories=[group])
    owner.go(f"{OFFICE}/groups?ask={group}")
    assert "1 customer leaves it" in owner.page.text
    owner.send("?then=delete")
    assert "No groups yet" in owner.page.text
    with stall.instance.store.read() as tx:
        assert [customer.categories for customer in list_customers(tx, "shop")] == [frozenset()]


def test_a_list_of_customers_is_shown_before_it_is_saved(owner: Browser, stall: Stall) -> None:
    owner.go(f"{CUSTOMERS}/import")
    owner.send("/import", cells="email;name\nnobody;A\nada@example.org;Ada")
    assert "1 mistake: nothing was saved" in owner.page.text
    assert "Row 2: nobody is not an e-mail address." in owner.page.text
    owner.send("/import", cells="email;name;groups\nada@example.org;Ada;Members")
    assert "1 new customer" in owner.page.text
    assert "New groups: Members." in owner.page.text
    with stall.instance.store.read() as tx:
        assert not list_customers(tx, "shop")
    owner.send("?then=save")
    assert "1 customer was taken over" in owner.page.text
    with stall.instance.store.read() as tx:
        assert [customer.name for customer in list_customers(tx, "shop")] == ["Ada"]


def test_packers_see_no_customers(browser: Browser, stall: Stall) -> None:
    browser.log_in(a_member(stall, "packer"))
    assert CUSTOMERS not in browser.go(OFFICE).links()
    for path in (CUSTOMERS, f"{CUSTOMERS}/new", f"{OFFICE}/groups", TEAM):
        browser.go(path)
        assert browser.status == 403
        assert "Your role does not include this: " in browser.page.text
    assert "this: See who works here." in browser.page.text, "in words"


# ------------------------------------------------------------------------------------------------ who we are


def test_what_others_read_is_changed_on_a_page(owner: Browser, stall: Stall) -> None:
    owner.go(f"{OFFICE}/settings/profile")
    form = owner.page.form("/profile").fields
    story = "We are <em>twelve</em> families.\r\n\r\n<script>alert(1)</script>Come on Thursday."
    owner.post(
        owner.at,
        **{**form, "description": story, "coordinates": "47.3941, 0.6848", "is_producer": "1", "country": "BE"},
    )
    with stall.instance.store.read() as tx:
        shop = enterprise_by_id(tx, "shop")
    assert shop.description == "<p>We are <em>twelve</em> families.</p><p>Come on Thursday.</p>"
    assert (str(shop.latitude), str(shop.longitude)) == ("47.3941", "0.6848")
    assert (shop.is_hub, shop.is_producer, form["country"], shop.country) == (True, True, "FR", "BE")
    again = owner.go(f"{OFFICE}/settings/profile").form("/profile").fields
    assert again["description"] == "We are <em>twelve</em> families.\n\nCome on Thursday."
    owner.post(owner.at, **{**form, "name": ""})
    assert owner.status == 422
    assert "name-problem" in owner.page.ids()


def test_who_agrees_with_producers_for_a_hub_adds_them(owner: Browser, stall: Stall, ada: Person) -> None:
    assert "Add a producer of your own" in owner.go(f"{OFFICE}/producers").text
    owner.send("/producers", name="Ferme du Moulin", email="moulin@example.org")
    assert "The producer is added" in owner.page.text
    with stall.instance.store.write() as tx:
        (member,) = (each for each in list_members(tx, "shop") if each.role == "owner")
        rules = ("operators", "hubs", "everybody")
        for person_id, may in ((member.person_id, [False, True, True]), (ada.id, [False, False, True])):
            actor = Actor(person_id=person_id)
            assert [may_make_producers(tx, actor, "shop", rule) for rule in rules] == may
        tx.execute(update(enterprise).where(enterprise.c.id == "shop").values(is_hub=False))
    assert "is added by those who run this site" in owner.go(f"{OFFICE}/producers").text
    owner.post(f"{OFFICE}/producers", name="Ferme du Bois")
    assert owner.status == 403


def test_only_who_may_begins_a_hub(browser: Browser, stall: Stall, ada: Person) -> None:
    browser.log_in()
    assert "here only those who do begin a hub" in browser.go("/office").text, "and nobody runs this site yet"
    browser.post("/office/new", name="Le Potager", is_hub="1")
    assert browser.status == 403
    with stall.instance.store.write() as tx:
        tx.execute(update(person).where(person.c.id == ada.id).values(is_operator=True))
    browser.go("/office")
    assert "/office/new" in browser.page.links()
    browser.go("/office/new")
    browser.send("/office/new", name="Le Potager", city="Tours")
    assert browser.status == 200
    assert browser.at.startswith("/office/")
    assert "Le Potager" in browser.page.text


# ------------------------------------------------------------------------------------------------ households


def test_the_hub_sees_who_shares_the_account_of_a_customer_and_ends_it(
    owner: Browser, stall: Stall, ada: Person
) -> None:
    new = NewPerson(email="bob@example.org", name="Bob Petit", phone="", language="en", password_hash="")
    with stall.instance.store.write() as tx:
        record = create_customer(tx, "shop", email=ada.email, name="Ada").id
        bob = add_person(tx, new, confirmed=True)
        assert bob is not None
        invite_to_household(tx, ada.id, record, email=bob.email)
        (invitation,) = household_invitations_to(tx, bob.id)
        accept_household_invitation(tx, bob.id, invitation.id)
    owner.go(f"{CUSTOMERS}/{record}")
    assert "Shared account" in owner.page.text
    assert "bob@example.org" in owner.page.text
    owner.send(f"{CUSTOMERS}/{record}/people", ("person", bob.id))
    assert "They no longer share this account." in owner.page.text
    assert "bob@example.org" not in owner.page.text
