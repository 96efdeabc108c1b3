"""A telephone at work without a network: what people do with it, and how a test waits for what it does."""

from __future__ import annotations

from selenium.webdriver.common.by import By

from .conftest import PASSWORD
from .person import Person


def forget_everything(person: Person) -> None:
    person.driver.execute_cdp_cmd(
        "Storage.clearDataForOrigin", {"origin": person.url.rstrip("/"), "storageTypes": "all"}
    )


def opens_and_keeps(person: Person, page: str, email: str) -> None:
    """Logs in, opens the page, and waits until the telephone has its list and the page."""
    person.goes_to(f"/login?next={page}")
    person.writes(email=email, password=PASSWORD)
    person.presses("Se connecter")
    is_ready(person)
    person.waits_until(
        lambda: person.script(
            "const page = arguments[0]; return caches.match(page).then((kept) => Boolean(kept))", page
        ),
        "the page in the telephone's own store",
    )


def is_ready(person: Person) -> None:
    person.waits_until(
        lambda: person.driver.find_elements(By.CSS_SELECTOR, "#main[data-ready]"), "the telephone's list"
    )


def has_sent_everything(person: Person) -> None:
    person.waits_until(
        lambda: any(text in person.text for text in ("tout est envoyé", "everything sent")), "everything sent"
    )


def closes_and_opens_again(person: Person, page: str) -> None:
    """The browser's tab is gone, as if the telephone had killed it, and the page is opened in a new one."""
    person.driver.switch_to.new_window("tab")
    fresh = person.driver.current_window_handle
    for handle in person.driver.window_handles:
        if handle != fresh:
            person.driver.switch_to.window(handle)
            person.driver.close()
    person.driver.switch_to.window(fresh)
    person.driver.get(f"{person.url.rstrip('/')}{page}")
    is_ready(person)


def stored(person: Person) -> list[list[object]]:
    """Databases, stores of pages and service workers of the browser."""
    return list(
        person.script(
            "return Promise.all([indexedDB.databases(), caches.keys(), navigator.serviceWorker.getRegistrations()])"
        )
    )
