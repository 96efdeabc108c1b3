"""A new hub runs its first week by pages alone: from signing up to the second week.

What people do at a desk is done at 1280 pixels in French, what they do standing at 360 in English, in dark colours.
Forty people order, one of them what is weighed when it is handed over. One
sits at a browser and one calls; the others send the forms of the shop without a browser, which is faster.
"""

from __future__ import annotations

import email
import email.policy
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.keys import Keys

from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.instance.settings import LimitSettings, SecuritySettings
from commensal.parts.checks import broken_invariants
from commensal.parts.demo.story import live
from commensal.payments.journal import journal_entries
from commensal.sale_sessions.tables import sale_session
from commensal.storage.database import Store
from commensal.testing.instances import RunJobs

from ..plugins.conftest import Browser
from ..ports import free_port
from .conftest import PASSWORD, a_browser
from .person import Person
from .telephone import closes_and_opens_again, forget_everything, has_sent_everything, is_ready

pytestmark = pytest.mark.long
MINUTE = timedelta(minutes=1)
FARMS = {"Ferme du Moulin": "Carotte", "Les Vergers": "Pomme", "La Laiterie": "Yaourt nature"}
GOODS = 43  # of each farm
WEIGHED = f"Carotte {GOODS}"
FORMS_ONLY = [f"Client {number:02}" for number in range(3, 41)]  # who order without a browser
PLUGINS = ["shop", "office", "cash", "pickup", "distribution_lists", "sales", "fees", "solidarity", "bank_transfer"]
DESK, STANDING = 1280, 360  # pixels


class Hub:
    """An instance with nothing in it, and its clock."""

    def __init__(self, instance: Instance, clock: ManualClock) -> None:
        self.instance, self.clock, self.run_jobs = instance, clock, RunJobs(instance, clock)

    def served(self) -> AbstractContextManager[str]:
        """Serves while a block runs, always at the same address."""
        return live(self.instance, port=urlsplit(self.instance.settings.base_url).port or 0)

    def waits_until(self, moment: datetime) -> None:
        """Lets hours pass until `moment`, as a worker lives through them."""
        while self.clock.now() < moment:
            self.run_jobs(hours=min(12.0, (moment - self.clock.now()) / timedelta(hours=1)))

    def moment(self, column: str, week: int = 0) -> datetime:
        with self.instance.store.read() as tx:
            rows = tx.all(sale_session.select().order_by(sale_session.c.opens_at))
        moment: datetime = rows[week][column]
        return moment

    def letters(self, to: str) -> list[str]:
        """The texts of the e-mails to an address, the oldest first."""
        self.run_jobs()
        messages = [
            email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            for file in sorted((self.instance.folder / "mail").glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        ]
        return [
            f"{message['Subject']}\n{body.get_content()}"
            for message in messages
            if to in message["To"] and (body := message.get_body(("plain",))) is not None
        ]

    def link_to(self, address: str, path: str) -> str:
        """The newest link with this path in an e-mail to the address."""
        links = re.findall(rf"{re.escape(self.instance.settings.base_url)}{path}\S*", "\n".join(self.letters(address)))
        return str(links[-1])


@pytest.fixture
def hub(sqlite_template: Path, tmp_path: Path, clock: ManualClock, ids: SeededIds) -> Iterator[Hub]:
    port, file = free_port(), tmp_path / "commensal.db"
    shutil.copyfile(sqlite_template, file)
    settings = InstanceSettings(
        name="Les Paniers",
        base_url=f"http://127.0.0.1:{port}",
        limits=LimitSettings(reads=100_000, writes=100_000, logins=100_000),
        security=SecuritySettings(new_enterprises="everybody"),
        plugins={"enabled": PLUGINS},
    )
    store = Store(f"sqlite:///{file}", clock=clock, ids=ids)
    with Instance(tmp_path, settings, store, load_plugins(settings, clock=clock), clock, ids) as instance:
        yield Hub(instance, clock)


@pytest.fixture
def marie(browser: WebDriver, hub: Hub) -> Iterator[Person]:
    """The coordinator."""
    marie = Person(browser, hub.instance.settings.base_url)
    marie.on_a_screen(DESK, "light")
    yield marie
    forget_everything(marie)
    assert marie.complaints() == []


@pytest.fixture
def shopper(programs: tuple[str, str], hub: Hub, tmp_path: Path) -> Iterator[Person]:
    with a_browser(programs, tmp_path / "shopper's browser") as driver:
        shopper = Person(driver, hub.instance.settings.base_url)
        yield shopper
        assert shopper.complaints() == []


def signs_up(person: Person, hub: Hub, name: str, address: str) -> None:
    person.goes_to("/signup")
    person.writes(name=name, email=address, password=PASSWORD)
    person.presses("Créer un compte")
    person.goes_to(hub.link_to(address, "/confirm/"))
    person.writes(email=address, password=PASSWORD)
    person.presses("Se connecter")
    person.waits_until(lambda: "Votre adresse est confirmée" in person.text, "the confirmation")


def begins_a_hub(marie: Person) -> str:
    """Returns the path of the new hub's office."""
    marie.goes_to("/office")
    marie.follows("Créer un groupement")
    marie.writes(name="Le Potager de Tours", street="1 rue Haute", postcode="37000", city="Tours")
    marie.presses("Commencer")
    assert "Premiers pas" in marie.text
    assert "1/6" in marie.text, "a new hub takes cash"
    return marie.path


def fills_the_catalogue(marie: Person, office: str) -> None:
    """Adds three farms with a list of goods each, and takes them over with a margin."""
    for farm, kind in FARMS.items():
        marie.goes_to(f"{office}/producers")
        marie.writes(name=farm, email=f"{farm.split()[-1].lower()}@example.org")
        marie.chooses("Afficher cette adresse à tous")
        marie.presses("Ajouter")
        page = marie.path
        marie.follows(f"Ajouter des produits de {farm}")
        names = [f"{kind} {number}" for number in range(1, GOODS + 1)]
        rows = [f"{farm}\t{name}\t{kind}\t1\tkg\t2,40\t50\t5,5\t{'x' if name == WEIGHED else ''}" for name in names]
        head = "producer\tname\tcategory\tunits\tunit_type\tprice\ton_hand\ttax_category\tweighed"
        cells = "\n".join([head, *rows])
        marie.script("document.querySelector('textarea[name=cells]').value = arguments[0]", cells)
        marie.presses("La vérifier")
        assert f"{GOODS} nouveaux produits" in marie.text
        marie.presses("Enregistrer")
        marie.goes_to(f"{page}?margin=20&step=10")
        marie.presses(f"Reprendre {GOODS} produits")
        assert f"{GOODS} produits sont maintenant dans votre catalogue." in marie.text


def test_a_hub_runs_its_first_week_by_pages_alone(marie: Person, shopper: Person, hub: Hub) -> None:
    with hub.served():
        office, sale = sets_a_hub_up(marie, hub)
        hub.waits_until(hub.moment("opens_at") + MINUTE)
        reference, amount = sells(marie, shopper, hub, office, sale)
        marie.goes_to(office)
        assert "Commandes 40" in marie.text
        hub.waits_until(hub.moment("closes_at") + MINUTE)
        assert "5 × Pomme 1" in hub.letters("vergers@example.org")[-1]
        hands_a_statement_in(marie, hub, office, reference, amount)
        tells_that_less_came(marie, office, "Les Vergers", "Pomme 1", 4, "La grêle")
        assert "Ali" not in hub.letters("ali@example.org")[-1].splitlines()[0]
        hub.waits_until(hub.moment("begins_at") + MINUTE)
        keeps_the_list(marie, office)
    hands_out_without_a_network(marie, office)
    with hub.served():
        hands_the_rest_out(marie, office)
        hub.waits_until(hub.moment("ends_at") + MINUTE)
        assert "Carotte 43, 1,04" in hub.letters("client40@example.org")[-1]
        marie.on_a_screen(DESK, "light")
        settles_the_week(marie, office)
        hub.waits_until(hub.moment("opens_at", week=1) + MINUTE)
        shopper.goes_to("/")
        assert "Paniers du jeudi" in shopper.text
    with hub.instance.store.read() as tx:
        assert broken_invariants(tx) == []
        payments = journal_entries(tx, office.rpartition("/")[2], limit=200)
    assert len({entry.order_id for entry in payments if entry.method == "cash:cash"}) == 39, "all but the transfer"
    assert sum(entry.method == "cash:cash" for entry in payments) == 39, "none twice"


def sets_a_hub_up(marie: Person, hub: Hub) -> tuple[str, str]:
    """Returns the paths of the office, and of the planned sale for customers."""
    signs_up(marie, hub, "Marie Le Gall", "marie@example.org")
    office = begins_a_hub(marie)
    marie.goes_to(f"{office}/settings/profile")
    marie.writes(description="Douze familles, trois fermes.")
    marie.presses("Enregistrer")
    asks_for_transfers_and_a_fee(marie, office)
    helps_a_family(marie, office)
    fills_the_catalogue(marie, office)
    marie.goes_to(office)
    assert "4/6" in marie.text, "the place comes with the sale"
    return office, plans_a_sale(marie, office)


def asks_for_transfers_and_a_fee(marie: Person, office: str) -> None:
    marie.goes_to(f"{office}/settings/plugins/bank_transfer")
    marie.writes(**{"settings/holder": "Le Potager de Tours", "settings/iban": "FR7630006000011234567890189"})
    marie.presses("Activer")
    marie.goes_to(f"{office}/settings/plugins/fees")
    marie.presses("Pourcentage par pièce")
    marie.writes(**{"settings/fees/0/name": "Frais de salle", "settings/fees/0/percent": "4"})
    marie.enters(Keys.ENTER)


def helps_a_family(marie: Person, office: str) -> None:
    """A group whose customers pay half, up to a budget, and Zoé as its first customer."""
    marie.goes_to(f"{office}/groups")
    marie.writes(name="Familles aidées")
    marie.presses("Ajouter")
    marie.goes_to(f"{office}/customers/new")
    marie.writes(name="Zoé", email="zoe@example.org")
    marie.chooses("Familles aidées")
    marie.presses("Ajouter")
    marie.goes_to(f"{office}/settings/plugins/solidarity")
    marie.presses("Dispositif")
    marie.find("//select[contains(@name, 'category')]/option[. = 'Familles aidées']").click()
    fields = {"id": "aide", "payer": "Fonds d’entraide", "budget": "500", "percent": "50"}
    marie.writes(**{f"settings/programmes/0/{name}": text for name, text in fields.items()})
    marie.enters(Keys.ENTER)


def sells(marie: Person, shopper: Person, hub: Hub, office: str, sale: str) -> tuple[str, str]:
    """Forty orders. Returns the reference and the amount of the one that is paid by transfer."""
    orders(shopper, hub, "Zoé", sale, {"Carotte 1": 2, "Pomme 1": 3}, "Virement")
    assert "Frais de salle" in shopper.text
    assert "Fonds d’entraide" in shopper.text
    reference = re.search(r"RF\d\d[\dA-Z ]*\d", shopper.text)
    amount = re.search(r"(\d+,\d\d) €", shopper.text[shopper.text.index("Comment payer") :])
    assert reference
    assert amount
    takes_an_order_by_telephone(marie, office, "Ali", "Pomme 1", 2)
    for name in FORMS_ONLY:
        orders_by_forms(hub, name, sale, WEIGHED if name == FORMS_ONLY[-1] else "Yaourt nature 1")
    return reference[0].replace(" ", ""), amount[1]


def plans_a_sale(marie: Person, office: str) -> str:
    """Adds a place, plans the first sale, and cuts slots of an hour. Returns the path of the sale for customers."""
    marie.goes_to(f"{office}/places/new")
    marie.writes(name="Salle des fêtes", street="3 rue du Lavoir", city="Tours", note="Sonner deux fois.")
    marie.writes(**dict.fromkeys(("MO", "TU", "WE", "TH", "FR", "SA", "SU"), "17:00-19:00"))
    marie.presses("Enregistrer")
    marie.goes_to(f"{office}/new-sale")
    marie.writes(name="Paniers du jeudi")
    marie.presses("La prévoir")
    assert "Cette vente est prévue" in marie.text
    page = marie.path
    marie.goes_to(f"{page}/slots")
    marie.writes(minutes="60")
    marie.presses("Découper")
    assert "Salle des fêtes · 0 commande" in marie.text
    return f"/sales/{page.rpartition('/')[2]}"


def orders(shopper: Person, hub: Hub, name: str, sale: str, takes: Mapping[str, int], pays: str) -> None:
    shopper.driver.delete_all_cookies()
    signs_up(shopper, hub, name, f"{name.lower().replace('é', 'e')}@example.org")
    for product, pieces in takes.items():
        shopper.goes_to(f"{sale}?q={product}")
        shopper.takes(product, "1 kg", pieces)
        shopper.presses("Mon panier")
    shopper.presses("Passer la commande")
    shopper.chooses("Salle des fêtes")
    shopper.chooses(pays)
    shopper.presses("Commander avec obligation de paiement")
    assert "Commande" in shopper.text


def takes_an_order_by_telephone(marie: Person, office: str, name: str, product: str, pieces: int) -> None:
    marie.goes_to(f"{office}/orders/new?new=1")
    marie.writes(name=name, email=f"{name.lower()}@example.org", phone="06 39 98 58 66")
    marie.writes(**{"pieces/1": str(pieces), "add/1": f"{product} · 1 kg"})
    for choice in ("Salle des fêtes", "En espèces"):
        marie.find(f"//option[contains(., '{choice}')]").click()
    marie.presses("Voir le total")
    marie.presses("Oui, la prendre")
    assert name in marie.text


def orders_by_forms(hub: Hub, name: str, sale: str, product: str) -> None:
    """Signs up and orders one piece, by the forms that pages have, as a browser without scripts sends them."""
    address = f"{name.lower().replace(' ', '')}@example.org"
    url = hub.instance.settings.base_url
    with httpx.Client(base_url=url, follow_redirects=True, timeout=60) as client:
        visitor = Browser(client)  # type: ignore[arg-type]  # a TestClient is one of these
        client.headers["Origin"] = url
        visitor.reads("fr")
        visitor.go("/signup")
        visitor.send("/signup", name=name, email=address, password=PASSWORD)
        visitor.go(hub.link_to(address, "/confirm/"))
        visitor.send("/login", email=address, password=PASSWORD)
        visitor.send("/confirm/" + visitor.at.rpartition("/")[2])
        page = visitor.go(f"{sale}?q={product}")
        (field,) = [name for name in page.form("/cart").fields if name.startswith("items/")][:1]
        visitor.send("/cart", **{field: "1"})
        visitor.send("/cart", ("then", "checkout"))
        place = visitor.page.values("shipping")[0]
        visitor.send("", ("then", "order"), shipping=place, payment_method="cash:cash")
        assert "/orders/" in visitor.at, visitor.page.text


def hands_a_statement_in(marie: Person, hub: Hub, office: str, reference: str, amount: str) -> None:
    file = hub.instance.folder / "releve.csv"
    row = f"{hub.clock.now():%d/%m/%Y};{amount};ZOE;{reference}"
    file.write_text(f"date;montant;émetteur;libellé\n{row}\n", encoding="utf-8")
    marie.goes_to(f"{office}/money/statement")
    marie.find("//input[@name = 'statement']").send_keys(str(file))
    marie.presses("Lire le relevé")
    assert "Virements reçus : 1 enregistré" in marie.text


def keeps_the_list(marie: Person, office: str) -> None:
    """Opens the list on the telephone, which then has it and the page without a network."""
    marie.goes_to(f"{office}/handout")
    marie.on_a_screen(STANDING, "dark")
    marie.presses("English")
    is_ready(marie)
    kept = "const page = arguments[0]; return caches.match(page).then((kept) => Boolean(kept))"
    marie.waits_until(lambda: marie.script(kept, marie.path), "the page in the telephone's own store")


def hands_out_without_a_network(marie: Person, office: str) -> None:
    """Twenty people; after ten of them the telephone kills the page, and it is opened again."""
    page = marie.path
    for name in ("Zoé", "Ali", *FORMS_ONLY[:8]):
        hands_out(marie, name)
    assert "10 to send" in marie.text
    closes_and_opens_again(marie, page)
    marie.on_a_screen(STANDING, "dark")
    assert "10/40" in marie.text
    for name in FORMS_ONLY[8:18]:
        hands_out(marie, name)
    assert "20 to send" in marie.text


def hands_the_rest_out(marie: Person, office: str) -> None:
    marie.goes_to(f"{office}/handout")
    marie.complaints()  # about the network that was away
    is_ready(marie)
    has_sent_everything(marie)
    for name in FORMS_ONLY[18:]:
        hands_out(marie, name, kilograms="1.04" if name == FORMS_ONLY[-1] else "")
    assert "40/40" in marie.text
    has_sent_everything(marie)
    marie.presses("Français")


def settles_the_week(marie: Person, office: str) -> None:
    """Counts the till, pays the farms, and closes the books, each from where the office asks for it."""
    marie.goes_to(f"{office}/money")
    assert "Tout ce qui a été remis est payé" in marie.text
    marie.follows("Compter la caisse")
    clicks(marie, "//summary[. = 'Ce qui devrait être en caisse']")  # folded, so that people count first
    expected = re.search(r"devrait contenir ([\d ]+,\d\d) €", marie.text)
    assert expected
    marie.writes(counted=expected[1])
    marie.presses("Enregistrer le comptage")
    for farm in FARMS:
        marie.goes_to(f"{office}/money/suppliers")
        marie.follows(farm)
        assert ("pesé : 1,04 kg" in marie.text) == (farm == "Ferme du Moulin")
        marie.presses("Enregistrer le paiement")
    marie.goes_to(office)
    marie.follows("Clôturer la semaine")
    assert "Tous les fournisseurs sont payés" in marie.text
    marie.presses("Clôturer les comptes")
    marie.goes_to(office)
    assert "Clôturer la semaine" not in marie.text


def hands_out(marie: Person, name: str, *, kilograms: str = "") -> None:
    """Opens the person on the telephone's own list, weighs their goods if they are weighed, presses its large button,
    and is back at the list."""
    marie.waits_until(lambda: marie.find("//*[@id = 'main' and @data-ready]"), "the telephone's list")
    clicks(marie, f"//a[.//strong[text() = '{name}']]")
    if kilograms:
        marie.find("//input[@inputmode = 'decimal']").send_keys(kilograms)
        marie.waits_until(lambda: "To pay €3.24" in marie.text, "the amount of 1.04 kg, as the server works it out")
    clicks(marie, "//div[@class = 'pay']//button[@class = 'wide']")
    marie.waits_until(lambda: f"{name} handed over at" in marie.text, "the list")


def clicks(marie: Person, xpath: str) -> None:
    """Clicks what is there, as soon as it is: the telephone draws its list anew when news arrive."""

    def click() -> bool:
        marie.find(xpath).click()
        return True

    marie.waits_until(click, xpath)


def tells_that_less_came(marie: Person, office: str, farm: str, product: str, came: int, why: str) -> None:
    marie.goes_to(f"{office}/receive")
    marie.follows(farm)
    field = marie.find(f"//input[@id = //label[contains(., '{product}')]/@for]")
    field.clear()
    field.send_keys(str(came))
    marie.presses("Voir ce qui change")
    assert "1 commande change" in marie.text
    marie.presses("Oui, noter")
