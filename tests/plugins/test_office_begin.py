"""A new hub by pages alone: from its name over places, ways to pay, producers and goods to its first order."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from commensal.enterprises.enterprises import Enterprise, enterprise_by_id
from commensal.enterprises.grants import grants_of, grants_received
from commensal.enterprises.tables import enterprise_grant
from commensal.instance import Instance, InstanceSettings
from commensal.instance.settings import SecuritySettings
from commensal.parts.accounts.operators import add_operator
from commensal.parts.mail.render import render
from commensal.parts.membership.invitations import invitations_of
from commensal.parts.serving.app import make_app
from commensal.people.people import Person
from commensal.products.questions import products_of
from commensal.sale_sessions.questions import sessions_of_shop
from commensal.storage.jobs.tables import job

from .conftest import PASSWORD, Browser, Page, Stall
from .test_office import OFFICE, a_member, owner

__all__ = ["owner"]  # a fixture

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

GOODS = (
    "producer\tname\tcategory\tunits\tunit_type\tprice\ton_hand\ttax_category\n"
    "{producer}\tCarottes\tCarotte\t1\tkg\t2,40\t50\t5,5\n"
    "{producer}\tPommes\tPomme\t1\tkg\t3,00\t80\t5,5\n"
)


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    return InstanceSettings(
        name="Les Paniers",
        base_url=settings.base_url,
        language="en",
        limits=settings.limits,
        security=SecuritySettings(new_enterprises="everybody"),
        plugins={"enabled": ["shop", "office", "bank_transfer", "cash", "delivery", "pickup"]},
    )


@pytest.fixture
def founder(browser: Browser, ada: Person) -> Browser:
    browser.log_in()
    return browser


def test_a_hub_sells_after_six_steps_without_a_command(founder: Browser, instance: Instance) -> None:
    founder.go("/office")
    assert "/office/new" in founder.page.links()
    founder.go("/office/new")
    founder.send("/office/new", name="Le Potager", city="Tours", street="1 rue Haute")
    home = founder.at
    hub_id = home.removeprefix("/office/")
    assert "1/6" in founder.page.text, "a new hub takes cash"
    assert "/office/new" in founder.page.links(), "to begin another one"
    offered = founder.go(f"{home}/settings").text
    headings = ("Ways to pay that", "Bank transfer", "Ways to get goods", "Delivery")
    assert sorted(headings, key=offered.index) == list(headings)

    founder.go(f"{home}/settings/profile")
    founder.send("/profile", description="Twelve families.")
    assert "2/6" in founder.go(home).text
    assert "No place has hours yet" in founder.page.text, "it has the hub's own address"

    founder.go(f"{home}/producers")
    founder.send("/producers", name="Ferme du Moulin", email="moulin@example.org", email_shown="1")
    assert "The producer is added" in founder.page.text
    farm_id = founder.at.rpartition("/")[2].partition("?")[0]
    assert "3/6" in founder.go(home).text
    assert "No product yet." in founder.go(f"{home}/producers/{farm_id}").text

    founder.go(f"/office/{farm_id}/products/import")
    founder.send("/products/import", cells=GOODS.format(producer="Ferme du Moulin"))
    assert "2 new products" in founder.page.text
    assert not goods_of(instance, farm_id)
    founder.send("?then=save")
    assert len(goods_of(instance, farm_id)) == 2

    founder.go(f"{home}/producers/{farm_id}?margin=20&step=10")
    assert "€3.00" in founder.page.text  # 2.40 and a fifth of the selling price
    founder.send("?then=list")
    assert "2 products are in your catalogue now" in founder.page.text
    assert "4/6" in founder.go(home).text

    founder.go(f"{home}/places/new")
    founder.send(
        "/places/new",
        name="Hall",
        street="1 rue Haute",
        **dict.fromkeys(("MO", "TU", "WE", "TH", "FR", "SA", "SU"), "8-20"),
    )
    assert "5/6" in founder.go(home).text
    founder.go(f"{home}/new-sale")
    founder.send("/new-sale", name="Thursday baskets", opens_at=f"{instance.clock.now():%Y-%m-%dT%H:%M}")
    assert (founder.status, "Open it all the same" in founder.page.text) == (409, True), "it would open at once"
    with instance.store.read() as tx:
        assert sessions_of_shop(tx, hub_id) == []
    later = instance.clock.now() + timedelta(days=1)
    typed = founder.page.form("/new-sale").fields
    early = datetime.fromisoformat(typed["closes_at"]) - timedelta(hours=1)
    founder.send("/new-sale", opens_at=f"{later:%Y-%m-%dT%H:%M}", begins_at=f"{early:%Y-%m-%dT%H:%M}")
    begins_early = "The hand-out begins before the sale closes"
    assert (founder.status, begins_early in founder.page.text) == (409, True)
    founder.send("/new-sale")
    assert "This sale is planned" in founder.page.text
    missing = "Customers cannot choose how they get their goods"
    assert (begins_early in founder.page.text, missing in founder.page.text) == (True, True)
    assert begins_early in founder.go(home).text
    assert missing in founder.go(home).text
    with instance.store.read() as tx:
        (session,) = sessions_of_shop(tx, hub_id)
    founder.go(f"{home}/sale/{session.id}/slots")
    founder.send("?then=cut", minutes="60")  # of the hall: the hub's own address has no hours, so it comes second
    assert "No slots yet" not in founder.page.text
    assert missing not in founder.go(home).text
    assert "Opening" in founder.page.text  # the week instead of the first steps
    assert "Thursday baskets" in founder.page.text


HERE_NOBODY = "Nobody runs it yet."
LOG_IN, BEGIN = "/login?next=/office", "/office/new"


@pytest.fixture
def for_operators(instance: Instance) -> Instance:
    """The instance as `init` makes it: only operators make hubs."""
    security = replace(instance.settings.security, new_enterprises="hubs")
    return replace(instance, settings=replace(instance.settings, security=security))


def test_the_front_page_of_an_empty_instance_leads_to_the_first_hub(for_operators: Instance) -> None:
    visitor = Browser(TestClient(make_app(for_operators), raise_server_exceptions=False))
    assert "commensal user ADDRESS --operator" in visitor.go("/").text
    assert HERE_NOBODY in visitor.page.text

    add_people(for_operators, "bob@example.org")
    shopper = visitor.another()
    shopper.log_in("bob@example.org")
    for page in ("/", "/office"):
        assert "commensal user bob@example.org --operator" in shopper.go(page).text, page

    add_people(for_operators, "ada@example.org", is_operator=True)
    assert LOG_IN in visitor.go("/").links()
    assert "Come back when there is a sale" in shopper.go("/").text
    assert "ask those who run this site" in shopper.go("/office").text

    visitor.go(LOG_IN)
    visitor.send("/login", email="ada@example.org", password=PASSWORD)
    assert visitor.at == "/office"
    assert BEGIN in visitor.go("/").links()
    visitor.go(BEGIN)
    assert visitor.page.form(BEGIN).fields["email"] == "", "the address of a log-in is nobody's business"
    visitor.send(BEGIN, name="Le Potager")
    assert BEGIN not in visitor.go("/").links(), "now the page shows sales and hubs"
    assert "/hubs/le-potager" in visitor.page.links()


def add_people(instance: Instance, email: str, *, is_operator: bool = False) -> None:
    add_operator(instance.store, email=email, name=email[:3], password=PASSWORD, language="en", operator=is_operator)


def goods_of(instance: Instance, producer_id: str) -> list[str]:
    with instance.store.read() as tx:
        return [stocked.product.name for stocked in products_of(tx, producer_id)]


def test_a_list_with_mistakes_names_each_and_saves_nothing(founder: Browser, instance: Instance) -> None:
    founder.go("/office/new")
    founder.send("/office/new", name="Le Potager")
    home = founder.at
    founder.go(f"{home}/products/import")
    pasted = GOODS.format(producer="Le Potager").replace("2,40", "dear")
    founder.send("/products/import", cells=pasted)
    assert "nothing was saved" in founder.page.text
    assert "price" in founder.page.text
    assert "dear" in founder.page.form("/products/import").fields["cells"], "it is mended where it was pasted"
    founder.send("/products/import", cells=pasted.replace("producer", "who"))
    assert founder.page.form("/products/import").fields["cells"].startswith("who")
    founder.post(f"{home}/products/import?then=save", cells=GOODS.format(producer="Le Potager").replace("50", "few"))
    assert founder.status == 422
    assert not goods_of(instance, home.removeprefix("/office/"))
    founder.client.post(f"{home}/products/import", files={"file": ("list.csv", b"\xff\xfe\x00")})
    assert not goods_of(instance, home.removeprefix("/office/"))


def test_an_uploaded_file_is_read_as_pasted_cells_are(founder: Browser, instance: Instance) -> None:
    founder.go("/office/new")
    founder.send("/office/new", name="Le Potager")
    home = founder.at
    pasted = GOODS.format(producer="Le Potager").replace("producer\t", "").replace("Le Potager\t", "")
    content = pasted.replace("Pomme\t1\tkg", "Pomme\t500\tg").replace("\t", ";").encode("utf-8-sig")
    founder._see(founder.client.post(f"{home}/products/import", files={"file": ("list.csv", content)}))
    assert "2 new products" in founder.page.text
    assert "Pommes 500 g · new€3.0080 × 500 g = 40 kg" in founder.page.text, (
        "names, prices and stock are looked at before"
    )
    founder.send("?then=save")
    assert goods_of(instance, home.removeprefix("/office/")) == ["Carottes", "Pommes"]
    slip = content.replace(b"2,40", b"240")
    founder._see(founder.client.post(f"{home}/products/import", files={"file": ("list.csv", slip)}))
    assert "Is this price right? Nothing is saved yet." in founder.page.text
    founder.send("?then=save")
    assert "Is this price right? Nothing is saved yet." in founder.page.text, "the box was not ticked"
    (box,) = founder.page.values("prices_right")
    founder.send("?then=save", prices_right=box)
    assert "1 change saved." in founder.page.text


def test_one_product_is_added_with_price_and_stock(founder: Browser, instance: Instance) -> None:
    founder.go("/office/new")
    founder.send("/office/new", name="Le Potager")
    home = founder.at
    founder.go(f"{home}/products/new")
    founder.send("/products/new", name="Leeks", kind="Nothing known", price="2,10", vat_rate="")
    wrong = {id.removesuffix("-problem") for id in founder.page.ids() if id.endswith("-problem")}
    assert wrong == {"kind", "vat_rate"}
    assert "bakery" in founder.page.values("kind_chosen"), "a wide type is always right"
    founder.send("/products/new", kind="vegetables of ours", kind_chosen="", vat_rate="5.5")
    assert founder.page.values("kind_chosen")[0] == "vegetable", "the nearest ones come first"
    founder.send("/products/new", kind_chosen="vegetable", price="0", quantity="150", unit="Gram", stock="20")
    assert "Leeks: €0.00" in founder.page.text
    founder.send("/products/new", price="2,10")
    assert "Leeks" in founder.page.text
    assert "= 20 × 150 g" in founder.page.text, "the stock is said in pieces too"
    assert goods_of(instance, home.removeprefix("/office/")) == ["Leeks"]


def test_a_double_click_makes_one_of_each(founder: Browser, instance: Instance) -> None:
    def press_twice(path: str, **typed: str) -> None:
        form = founder.go(path.partition("?")[0]).form(path).fields
        with ThreadPoolExecutor(2) as clicks:
            answers = list(clicks.map(lambda _: founder.client.post(path, data=form | typed), range(2)))
        assert len({answer.url.path for answer in answers}) == 1, "both clicks lead to the same page"
        assert {answer.status_code for answer in answers} == {200}, path
        founder.at = answers[0].url.path

    press_twice("/office/new", name="Le Potager")
    home = founder.at
    hub_id = home.removeprefix("/office/")
    press_twice(f"{home}/products/new", name="Leeks", kind="Leek", price="2,10", vat_rate="5.5", stock="12")
    assert goods_of(instance, hub_id) == ["Leeks"]
    press_twice(f"{home}/new-sale", name="Thursday baskets")
    with instance.store.read() as tx:
        (_,) = sessions_of_shop(tx, hub_id)
    press_twice(f"{home}/customers/new", name="Zoé", email="zoe@example.org")
    press_twice(f"{home}/groups?then=add", name="Helpers")
    founder.go(f"{home}/settings/plugins/pickup")
    founder.send("/plugins/pickup")
    press_twice(f"{home}/places/new", name="Hall", street="1 rue Haute", city="Tours", postcode="37000")
    (_,) = [link for link in founder.go(f"{home}/places").links() if link.startswith(f"{home}/places/0")]


def test_every_form_of_the_office_has_a_key_with_which_it_acts_once(owner: Browser, stall: Stall) -> None:
    links, seen, forms = ["/office/shop"], set[str](), 0
    while links:
        path = links.pop().partition("#")[0]
        shape = re.sub("[0-9a-f]{8}-[0-9a-f-]{27}|=[^&]*", "*", path)
        if shape in seen or not path.startswith("/office/") or path.endswith((".csv", ".pdf")):
            continue
        seen.add(shape)
        answer = owner.client.get(path)
        if answer.headers["content-type"].startswith("text/html"):
            page = Page(answer.text)
            posted = [form for form in page.forms if form.method == "post"]
            assert all("form_key" in form.fields for form in posted), path
            forms += len(posted)
            links += page.links()
    assert forms > 100


# ------------------------------------------------------------------------------------------------ producers and hubs


def test_a_producer_made_here_lets_the_hub_keep_its_goods_and_is_invited(founder: Browser, instance: Instance) -> None:
    founder.go("/office/new")
    founder.send("/office/new", name="Le Potager")
    home, hub_id = founder.at, founder.at.removeprefix("/office/")
    founder.go(f"{home}/producers")
    form = founder.page.form("/producers").fields
    for _ in range(2):  # a double click
        typed = {"name": "Ferme du Moulin", "email": "ada@example.org", "language": "fr"}
        founder.post(f"{home}/producers", **form | typed)
        assert "The producer is added" in founder.page.text
    with instance.store.read() as tx:
        (mail,) = [row["payload"] for row in tx.all(select(job.c.payload).where(job.c.kind == "mail"))]
        assert mail["values"]["invited_by"] == "Le Potager", "the hub that the farm knows"
        assert (mail["language"], mail["values"]["by"]) == ("fr", "Ada Martin"), "the language chosen, and who invites"
        written = render(
            "member_invitation",
            "fr",
            "Europe/Paris",
            {"name": mail["name"], **mail["values"], "instance": "Val", "home": "/", "link": "/account"},
        )
        assert written.subject == "Le Potager vous invite à tenir la page de Ferme du Moulin"
        assert "Le Potager vend les produits de Ferme du Moulin sur Val" in written.text
        assert "Votre rôle serait\u00a0: Responsable." in written.text
        assert "ceux qui la tenaient pour vous ne la tiennent plus" in written.text
        (farm_id,) = {grant.grantor_id for grant in grants_received(tx, hub_id)}
        assert grants_of(tx, farm_id, hub_id) == {"ReadProducts", "WriteProducts", "WriteOrders"}
        assert grants_of(tx, hub_id, farm_id) == {"ReadOrders"}
        assert [invitation.email for invitation in invitations_of(tx, farm_id)] == ["ada@example.org"]
        farm = enterprise_by_id(tx, farm_id)
    assert (farm.email, "@" in founder.go(f"/producers/{farm.slug}").text) == ("", False), "nobody has ticked that"
    invited = "Le Potager sells the goods of Ferme du Moulin, and invites you to keep its page."
    assert invited in founder.go("/account").text
    founder.go(f"{home}/producers/{farm_id}?ask=stop")
    assert "Stop selling the goods of Ferme du Moulin?" in founder.page.text
    founder.send("?then=stop")
    with instance.store.read() as tx:
        assert not grants_received(tx, hub_id)
    founder.go(f"{home}/producers/{farm_id}")
    assert founder.status == 404


def other_hub(founder: Browser, instance: Instance, name: str, kind: str) -> Enterprise:
    founder.go("/office/new")
    both = {"is_hub": "1"} if kind == "is_hub" else {"is_hub": "1", "is_producer": "1"}
    founder.send("/office/new", name=name, email=f"{name.lower()}@example.org", **both)
    with instance.store.read() as tx:
        return enterprise_by_id(tx, founder.at.removeprefix("/office/"))


def test_a_hub_asks_by_mail_and_the_producer_ticks_what_it_allows(founder: Browser, instance: Instance) -> None:
    hub = other_hub(founder, instance, "Potager", "is_hub")
    farm = other_hub(founder, instance, "Moulin", "is_producer")
    founder.go(f"/office/{hub.id}/producers?q=moulin")
    founder.send("?then=ask", ("producer", farm.slug))
    assert "The question is on its way" in founder.page.text
    with instance.store.read() as tx:
        mails = [row["payload"] for row in tx.all(select(job.c.payload).where(job.c.kind == "mail"))]
    (mail,) = (mail for mail in mails if mail["kind"] == "office_asks_to_sell")
    assert mail["to"] == "moulin@example.org"
    founder.go(mail["values"]["url"].removeprefix(instance.settings.base_url.rstrip("/")))
    assert "Potager asks to sell your goods" in founder.page.text
    founder.send("/hubs", sells="1")
    with instance.store.read() as tx:
        assert grants_of(tx, farm.id, hub.id) == {"ReadProducts", "WriteOrders"}
    founder.post(f"/office/{farm.id}/hubs", hub=hub.slug)
    with instance.store.read() as tx:
        assert grants_of(tx, farm.id, hub.id) == frozenset()


def test_only_owners_decide_who_sells(browser: Browser, stall: Stall) -> None:
    browser.log_in(a_member(stall, "manager"))
    for path in ("producers", "producers?then=ask", "hubs"):
        browser.post(f"{OFFICE}/{path}", name="Mine", hub="shop", producer="shop")
        assert browser.status == 403
    assert (
        "Producers are added, and asked to let this hub sell, by its owners." in browser.go(f"{OFFICE}/producers").text
    )
    with stall.instance.store.read() as tx:
        assert not tx.all(select(enterprise_grant))
