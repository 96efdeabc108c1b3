"""Every page of the shop in a browser: it fits, it can be read and used, and it does no harm."""

from __future__ import annotations

import io
from base64 import b64decode
from collections.abc import Iterator
from urllib.parse import quote

from pypdf import PdfReader
from selenium.webdriver.common.by import By
from sqlalchemy import update

from commensal.catalogs.tables import catalog_item
from commensal.enterprises.tables import enterprise
from commensal.orders.tables import customer_order, order_line
from commensal.products.tables import image, supplied_product
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.testing.placed import a_lot, an_item
from commensal_pickup.tables import pickup_place

from .conftest import PASSWORD, SALE, Shop
from .person import Person

SCREENS = ((320, "light"), (360, "dark"))  # pixels of a telephone
LONG = "une.adresse.electronique.d.une.longueur.que.personne.n.attend@cooperative-alimentaire.example.org"
WORD = "x" * 60  # that cannot be broken
HOSTILE = f"<script>window.__x=1</script>\"'><img src=x onerror=window.__x=1><svg/onload=window.__x=1>{WORD}"
BAD = """data:text/html,<title></title><style>::placeholder{color:silver}</style><body style="width:2000px">
<h2>Second</h2><h4>Fourth</h4><input id="bare" placeholder="pale"><img src=""><button></button>
<p style="color:gray">Gray on white</p><a href="x" style="outline:none">A link</a>
<a href="y" style="outline:2px solid silver">Another</a><a href="z">Below</a>
<button>Less</button><button>Less</button>
<a href="i" style="font:9px/9px serif">i</a><br><a href="j" style="font:9px/9px serif">j</a>
<div style="position:fixed;inset:0"></div>"""
BROKEN = (
    "html-has-lang",
    "document-title",
    "region",
    "heading-order",
    "button-name",
    "image-alt",
    "color-contrast",
    "target-size",
    "(1.4.10)",
    "(3.3.2)",
    "before typing (1.4.3)",
    "(2.4.7)",
    "(1.4.11)",
    "(2.4.11)",
    "Less names several controls",
)


def tour(person: Person, shop: Shop) -> Iterator[str]:
    """Shows the pages one after the other, in all states that differ, and yields their names."""
    for path in ("/", "/?q=rien", "/hubs/shop", SALE, f"{SALE}?q=rien", f"{SALE}/cart", "/nulle-part", "/login"):
        person.goes_to(path)
        yield path
    for path in ("/signup", "/forgot", "/reset/code", "/orders/guest/not-a-secret"):
        person.goes_to(path)
        yield path
    yield from _buys(person)
    with shop.instance.store.write() as tx:
        tx.execute(update(order_line).values(weighed=True))
    person.goes_to(person.path)
    yield "order by weight"
    yield from _changes(person)
    yield from _signs_in(person)
    for name, days in (("before", -2), ("after", 5)):
        shop.clock.advance(days=days)
        for path in ("/", "/hubs/shop", SALE, f"{SALE}/cart"):
            person.goes_to(path)
            yield f"{path} {name} the sale"


def _buys(person: Person) -> Iterator[str]:
    person.goes_to(SALE)
    person.takes("Carottes", "1 kg", 20000)
    _sends_anyway(person, "Mon panier")
    yield "a quantity beyond all measure"
    person.takes("Carottes", "1 kg", 30)
    person.takes("Carottes", "5 kg", 5)
    _sends_anyway(person, "Mon panier")
    yield "more than there is"
    person.goes_to(SALE)
    person.takes("Carottes", "1 kg", 12)
    person.takes("Carottes", "5 kg", 1)
    person.takes("Œufs", "6", 1)
    person.presses("Mon panier")
    yield "basket"
    person.goes_to(SALE)
    yield "sale with a basket"
    person.goes_to(f"{SALE}/checkout")
    yield "checkout"
    _sends_anyway(person, "Commander avec obligation")
    yield "checkout with all mistakes"
    person.writes(name="Bob Le Goff", email=LONG, note="Je viens\nà vélo.")
    person.chooses("Gare")
    person.presses("Commander avec obligation")
    if person.path.endswith("/checkout"):  # without scripts, the total did not follow the choice
        yield "checkout with another total"
        person.presses("Commander avec obligation")
    yield "order of a guest"


def _changes(person: Person) -> Iterator[str]:
    order_page = person.path
    person.goes_to(f"{order_page}/change")
    yield "change"
    person.takes_of_it("Œufs", 2)
    person.presses("Voir le nouveau total")
    yield "new total"
    person.takes_of_it("Œufs", 200)
    person.presses("Voir le nouveau total")
    yield "change that cannot be"
    person.goes_to(f"{order_page}/cancel")
    yield "cancel"
    person.presses("Oui, l’annuler")
    yield "cancelled order"


def _signs_in(person: Person) -> Iterator[str]:
    for path, button in (("/signup", "Créer un compte"), ("/login", "Se connecter"), ("/forgot", "Envoyer")):
        person.goes_to(path)
        _sends_anyway(person, button)
        yield f"{path} with all mistakes"
    person.goes_to("/reset/code")
    yield "link for a new password that was used already"
    person.goes_to("/login")
    person.writes(email="ada@example.org", password=PASSWORD)
    person.presses("Se connecter")
    person.goes_to("/orders")
    yield "no orders"
    person.goes_to("/confirm/code")
    person.waits_until(lambda: "Cela n’a pas encore fonctionné" in person.text, "the form to be sent by itself")
    yield "wrong code"
    person.goes_to(SALE)
    person.takes("Œufs", "6", 1)
    person.presses("Mon panier")
    person.presses("Passer la commande")
    person.chooses("Salle des fêtes")
    person.presses("Commander avec obligation")
    yield "order of a member"
    person.goes_to("/orders")
    yield "orders"


def _sends_anyway(person: Person, button: str) -> None:
    """Sends a form without the browser's own check of the fields."""
    person.script("for (const form of document.forms) form.noValidate = true")
    person.presses(button)


def test_every_page_fits_a_telephone_and_can_be_read_and_used_by_everybody(person: Person, shop: Shop) -> None:
    faults = []
    for name in tour(person, shop):
        for width, scheme in SCREENS:
            person.on_a_screen(width, scheme)
            person.leaves_a_picture(f"shop {name}", width, scheme)
            faults += [f"{name}, {width} px, {scheme}: {fault}" for fault in person.faults()]
        faults += [f"{name}: {fault}" for fault in person.faults_of_large_letters()]
        faults += [f"{name}: {complaint}" for complaint in person.complaints()]
    assert not faults, "\n".join(faults)


def test_a_printed_sale_shows_its_products(person: Person, shop: Shop) -> None:
    """A printed sale hangs on the wall of the hall, to order from. It has goods of shelves that nobody has opened."""
    with shop.instance.store.write() as tx:
        for name, kind in (*((f"Radis {number}", "radish") for number in range(40)), ("Cidre brut", "cider")):
            an_item(tx, a_lot(tx, name=name), name=name, product_type=kind)
    person.goes_to(SALE)
    assert "Cidre brut" not in person.text
    pdf = PdfReader(io.BytesIO(b64decode(person.driver.print_page())))
    words = " ".join(" ".join(page.extract_text() for page in pdf.pages).split())
    assert "Carottes" in words
    assert "Cidre brut" in words
    assert "2,40" in words
    assert "Mettre dans le panier" not in words, "buttons cannot be pressed on paper"


def test_what_looks_at_the_pages_sees_each_fault(person: Person) -> None:
    person.goes_to(BAD)
    faults = " ".join(person.faults())
    for rule in BROKEN:
        assert rule in faults, rule


# ------------------------------------------------------------------------------------------------ hostile words


def test_what_people_write_stays_text_and_does_not_break_a_page(person: Person, shop: Shop) -> None:
    _write_everywhere(shop, HOSTILE)
    person.on_a_screen(320, "light")
    pages_with_script = []
    for name in _pages_with_their_words(person, shop):
        assert person.script("return window.__x") is None, name
        assert person.complaints() == [], name
        assert [fault for fault in person.faults() if "names several" not in fault] == [], name  # all are called alike
        assert not person.driver.find_elements(By.CSS_SELECTOR, "[href^=javascript]"), name
        pages_with_script.append(name if "<script>window.__x=1</script>" in person.text else "")
    assert len(pages_with_script) == len(set(pages_with_script)) == 9, "each page shows it"


def _write_everywhere(shop: Shop, words: str) -> None:
    html = f"<p>{words}</p><a href='javascript:window.__x=1'>x</a><a href='//elsewhere.example'>y</a>"
    with shop.instance.store.write() as tx:
        tx.execute(update(supplied_product).values(name=words, description=html))
        tx.execute(update(catalog_item).values(name=words))
        tx.execute(update(image).values(alt=words))
        tx.execute(update(coordination).values(name=words))
        tx.execute(update(sale_session).values(note=words))
        tx.execute(update(pickup_place).values(name=words, street=words, city=words, note=words))
        tx.execute(
            update(enterprise).values(name=words, city=words, street=words, phone=words, email=words, description=html)
        )


def _pages_with_their_words(person: Person, shop: Shop) -> Iterator[str]:
    for path in ("/", f"/?q={quote(HOSTILE)}", "/hubs/shop", SALE):
        person.goes_to(path)
        yield path
    person.takes("script", "1 kg", 1)
    person.presses("Mon panier")
    yield "basket"
    person.presses("Passer la commande")
    yield "checkout"
    person.writes(name=HOSTILE, email=LONG, note=HOSTILE)
    person.chooses("17:00")
    person.presses("Commander avec obligation")
    with shop.instance.store.write() as tx:
        tx.execute(update(customer_order).values(email=HOSTILE, phone=HOSTILE))
    person.goes_to(person.path)
    yield "order"
    person.follows("Modifier la commande")
    yield "change"
    person.presses("Voir le nouveau total")
    yield "new total"


def test_a_script_in_a_page_would_not_run_and_the_browser_would_tell(person: Person) -> None:
    person.goes_to(SALE)
    person.script(
        """
        document.cookie = "spy=1";
        const script = document.createElement("script");
        script.textContent = "window.__x = 1";
        document.body.append(script);
        document.body.insertAdjacentHTML("beforeend", "<button id=trap onclick='window.__x=1'>trap</button>");
        document.getElementById("trap").click();
        fetch("https://elsewhere.example/").catch(() => (document.title = "refused"));
        """
    )
    person.waits_until(lambda: person.driver.title == "refused", "the refusal")
    assert person.script("return window.__x") is None
    complaints = " ".join(person.complaints())
    print(complaints)
    for path in (
        "inline script",
        "inline event handler",
        "Connecting to",
        "cookie spy",
        "cookie for scripts or others: spy",
    ):
        assert path in complaints
    person.goes_to("data:text/html,<img src='http://127.0.0.2:9/' onerror='document.title=1'>")
    person.waits_until(lambda: person.driver.title == "1", "the refusal")
    assert "request to http://127.0.0.2:9/" in person.complaints()
    person.driver.delete_all_cookies()
