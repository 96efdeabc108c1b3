"""A person at a real browser, who sees pages, and reads, writes and presses what is on them."""

from __future__ import annotations

import base64
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

TALLEST = 4000  # pixels of a picture
PATIENCE = 40  # seconds for one page; the machine may be busy
COOKIES = {"session", "cart", "language", "browser"}
OWN = ("data", "about")  # schemes of addresses without a request
_FAULTS = Path(__file__).with_name("faults.js").read_text(encoding="utf-8")
# Roles of the browser's accessibility tree: what people use, and what is read out before it.
_CONTROLS = {
    *("button", "checkbox", "combobox", "radio", "searchbox", "slider", "spinbutton", "switch", "textbox"),
    *("Date", "DateTime", "DisclosureTriangle", "InputTime"),
}
_GROUPS = {"form", "group", "radiogroup", "region"}
_AXE = Path(__file__).with_name("axe") / "node_modules" / "axe-core" / "axe.min.js"
PLAIN = str.maketrans("\u00a0\u202f", "  ")  # non-breaking spaces, as in French texts
_WORDS = 'translate(normalize-space(), "\u00a0\u202f", "  ")'  # the same in XPath


def axe() -> str:
    """The accessibility checker of Deque. Without it, a test skips, but not where CI=true."""
    if _AXE.is_file():
        return _AXE.read_text(encoding="utf-8")
    message = "No axe to look at pages with: cd tests/browser/axe && npm ci --ignore-scripts"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


class Person:
    """`driver` is the person's browser, `url` the address of the instance."""

    def __init__(self, driver: WebDriver, url: str) -> None:
        self.driver, self.url = driver, url
        self._scripts = True
        self._cdp("Network.clearBrowserCookies")
        self._cdp("Emulation.setScriptExecutionDisabled", value=False)
        self._cdp("Emulation.clearDeviceMetricsOverride")
        self._cdp("Emulation.setScrollbarsHidden", hidden=False)
        self._cdp("Emulation.setEmulatedMedia", features=[])
        self._cdp("Emulation.setFocusEmulationEnabled", enabled=True)  # whatever window the machine has in front
        self._asked: list[tuple[str, str]] = []  # method and address of each request
        self._refused: list[str] = []  # addresses of pages that came with an error
        self._console: list[str] = []
        self._to("about:blank")
        self.complaints()

    # -------------------------------------------------------------------------------------------- what they do

    def goes_to(self, address: str) -> None:
        """Goes to a path of the instance, or to a whole address."""
        self._to(self.url + address if address.startswith("/") else address)

    def follows(self, link: str) -> None:
        self._to_another_page(self._in_sight(self.find(f"//a[{_says(link)}]")).click, link)

    def presses(self, button: str) -> None:
        self._to_another_page(self._in_sight(self.button(button)).click, button)

    def goes_back(self) -> None:
        self._to_another_page(self.driver.back, "the way back")

    def opens_a_tab(self, address: str) -> None:
        self.driver.switch_to.new_window("tab")
        self.goes_to(address)

    def closes_the_tab(self) -> None:
        """Closes the tab and returns to the one before."""
        self.driver.close()
        self.driver.switch_to.window(self.driver.window_handles[0])

    def double_clicks(self, button: str, between: Callable[[], object]) -> None:
        """Clicks twice without waiting for the first click's effect; `between` runs in between."""
        place = (
            "const box = arguments[0].getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]"
        )
        self.script("arguments[0].scrollIntoView({block: 'center'})", self.button(button))
        x, y = self.script(place, self.button(button))
        self._click(x, y, 1)
        between()
        self._click(x, y, 2)

    def writes(self, **texts: str) -> None:
        """Replaces the texts of the fields with these names."""
        for name, text in texts.items():
            field = self.driver.find_element(By.NAME, name)
            field.clear()
            field.send_keys(text)

    def takes(self, product: str, size: str, pieces: int) -> None:
        """Writes so many pieces of a size into its field on the page of a sale."""
        xpath = f"//li[.//h3[{_says(product)}]]//input[@id = //label[{_says(size)}]/@for]"
        field = self.find(xpath)
        field.clear()
        field.send_keys(str(pieces))

    def takes_of_it(self, product: str, pieces: int) -> None:
        """The same if each product has only one field: in the basket, and where an order is changed."""
        field = self.find(f"//li//input[@id = //label[{_says(product)}]/@for]")
        field.clear()
        field.send_keys(str(pieces))

    def chooses(self, label: str) -> None:
        self.find(f"//label[{_says(label)}]").click()

    def presses_keys(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def enters(self, key: str) -> None:
        """Presses a key that leads to another page."""
        self._to_another_page(lambda: self.presses_keys(key), "a key")

    # -------------------------------------------------------------------------------------------- what they see

    @property
    def path(self) -> str:
        return urlsplit(self.driver.current_url).path

    @property
    def text(self) -> str:
        """The visible text of the page, with plain spaces."""
        words = self.driver.find_element(By.TAG_NAME, "body").text.translate(PLAIN)
        return " ".join(words.split())

    @property
    def focused(self) -> WebElement:
        return self.driver.switch_to.active_element

    def find(self, xpath: str) -> WebElement:
        return self.driver.find_element(By.XPATH, xpath)

    def button(self, words: str) -> WebElement:
        return self.find(f"//button[{_says(words)}]")

    def script(self, code: str, *args: Any) -> Any:
        return self.driver.execute_script(code, *args)

    def faults(self) -> list[str]:
        """What axe and `faults.js` find on the page as it is shown now."""
        self._cdp("Emulation.setScriptExecutionDisabled", value=False)  # axe waits for timers; the page's own never ran
        if not self.script("return 'axe' in window"):
            self.script(f"{axe()}\nwindow.axe = axe;")
        tells = "const tell = arguments[0]; faults().then(tell, (error) => tell([`${error.stack}`]));"
        messages: list[str] = self.driver.execute_async_script(f"{_FAULTS}\n{tells}")
        messages += [f"{name} names several controls" for name in self.names_used_twice()]
        self._cdp("Emulation.setScriptExecutionDisabled", value=not self._scripts)
        return messages

    def names_used_twice(self) -> list[str]:
        """Names that more than one control has for a screen reader: who hears them cannot tell the controls apart. The
        name of a group or form that stands around it belongs to a control's name, as it is read out before."""
        tree = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        nodes = {node["nodeId"]: node for node in tree}

        def heard(node: dict[str, Any], roles: Collection[str]) -> str:
            is_heard = node["role"]["value"] in roles and not node["ignored"]
            return str(node.get("name", {}).get("value", "")) if is_heard else ""

        def around(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
            while (parent := nodes.get(node.get("parentId", ""))) is not None:
                yield (node := parent)

        names = Counter(
            " > ".join([node["role"]["value"], *(heard(outer, _GROUPS) for outer in around(node)), name])
            for node in tree
            if (name := heard(node, _CONTROLS)) and not any(heard(outer, _CONTROLS) for outer in around(node))
        )
        return sorted(name for name, number in names.items() if number > 1)

    def faults_of_large_letters(self) -> list[str]:
        """What does not fit a telephone whose owner has letters twice as large (WCAG 2.2, 1.4.4 with 1.4.10)."""
        self.on_a_screen(360, "light")
        self.script("document.documentElement.style.fontSize = '200%'")
        overflow = self.script("return document.documentElement.scrollWidth - window.innerWidth")
        faults = [f"letters twice as large: {overflow} px too wide for {self.too_wide()}"] if overflow > 0 else []
        self.script("document.documentElement.style.fontSize = ''")
        return faults

    def too_wide(self) -> list[str]:
        """The innermost parts that are wider than the screen."""
        sticks_out = (
            "const out = (one) => one.getBoundingClientRect().right > window.innerWidth + 1;"
            "return [...document.querySelectorAll('main *, header *, footer *')]"
            ".filter((one) => out(one) && one.checkVisibility() && !one.closest('.table-frame, .scrolls, .unseen')"
            " && ![...one.children].some(out))"
            ".map((one) => `<${one.localName} class=${one.className}> ${one.textContent.trim().slice(0, 30)}`)"
        )
        return list(self.script(sticks_out))

    def sees_the_focus(self) -> bool:
        return bool(self.script(f"{_FAULTS}\nreturn focusShown(document.activeElement);"))

    # -------------------------------------------------------------------------------------------- their browser

    def without_scripts(self) -> None:
        self._scripts = False
        self._cdp("Emulation.setScriptExecutionDisabled", value=True)

    @contextmanager
    def without_a_connection(self) -> Iterator[None]:
        """Takes the network away while a block runs."""
        for offline in (True, False):
            self._cdp(
                "Network.emulateNetworkConditions",
                offline=offline,
                latency=0,
                downloadThroughput=-1,
                uploadThroughput=-1,
            )
            if offline:
                yield

    def on_a_screen(self, width: int, scheme: str) -> None:
        """Sets the width in pixels, without scroll bars as on a telephone, and the scheme "light" or "dark"."""
        self._cdp("Emulation.setDeviceMetricsOverride", width=width, height=640, deviceScaleFactor=1, mobile=False)
        self._cdp("Emulation.setScrollbarsHidden", hidden=True)
        self._cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        check = "return innerWidth === arguments[0] && matchMedia(`(prefers-color-scheme: ${arguments[1]})`).matches"
        self.waits_until(lambda: self.script(check, width, scheme), f"a screen of {width} pixels")

    def takes_a_picture(self, file: Path, width: int, height: int) -> None:
        """Writes what is on a screen of this size into a PNG file."""
        self._cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.script("scrollTo(0, 0)")
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {})
        file.write_bytes(base64.b64decode(shot["data"]))

    def leaves_a_picture(self, page: str, width: int, scheme: str) -> None:
        """Writes the whole page as it stands on this screen into the folder that COMMENSAL_PICTURES names, if any."""
        folder = os.environ.get("COMMENSAL_PICTURES")
        if folder:
            name = re.sub(r"\W+", "-", page).strip("-") or "front"
            height = min(self.script("return document.documentElement.scrollHeight"), TALLEST)
            self.takes_a_picture(Path(folder) / f"{name}-{width}-{scheme}.png", width, height)
            self.on_a_screen(width, scheme)

    def waits_until(self, condition: Callable[[], object], description: str) -> None:
        """Waits for the condition. A page that is being left raises errors; then it is checked again."""
        wait = WebDriverWait(self.driver, PATIENCE, 0.02, ignored_exceptions=[WebDriverException])
        wait.until(lambda _: condition(), f"waited in vain for {description}")

    @property
    def posts(self) -> int:
        """Counts forms sent since the last call of `complaints`."""
        self._read_logs()
        return [method for method, _ in self._asked].count("POST")

    def complaints(self) -> list[str]:
        """What the browser saw since the last call and should not have: foreign requests, errors, other cookies."""
        self._read_logs()
        host = urlsplit(self.url).netloc
        foreign_urls = [
            url for _, url in self._asked if urlsplit(url).scheme not in OWN and urlsplit(url).netloc != host
        ]
        # The browser also logs pages that report an error themselves.
        known_errors = tuple(f"{page} - Failed to load" for page in self._refused)
        errors = [error for error in self._console if not error.startswith(known_errors)]
        cookies = self.driver.get_cookies()
        unknown_cookies = sorted({cookie["name"] for cookie in cookies} - COOKIES)
        exposed_cookies = [
            cookie["name"] for cookie in cookies if not cookie["httpOnly"] or cookie.get("sameSite") != "Lax"
        ]
        for log in (self._asked, self._refused, self._console):
            log.clear()
        findings = {
            "request to": foreign_urls,
            "console:": errors,
            "cookie": unknown_cookies,
            "cookie for scripts or others:": exposed_cookies,
        }
        return [f"{kind} {finding}" for kind, items in findings.items() for finding in items]

    def _read_logs(self) -> None:
        for entry in self.driver.get_log("performance"):  # type: ignore[no-untyped-call]
            message = json.loads(entry["message"])["message"]
            params = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                self._asked.append((params["request"]["method"], params["request"]["url"]))
            if message["method"] == "Network.responseReceived" and params["type"] == "Document":
                self._refused += [params["response"]["url"]] if 400 <= params["response"]["status"] < 500 else []
        levels = ("SEVERE", "WARNING")
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        self._console += [entry["message"] for entry in entries if entry["level"] in levels]

    def _in_sight(self, element: WebElement) -> WebElement:
        """The element, once the menu is open that it stands in."""
        if not element.is_displayed() and element.find_elements(By.XPATH, "ancestor::nav[@popover]"):
            self.driver.find_element(By.CSS_SELECTOR, "[popovertarget]").click()
        return element

    def _click(self, x: float, y: float, count: int) -> None:
        for event_type in ("mousePressed", "mouseReleased"):
            self._cdp("Input.dispatchMouseEvent", type=event_type, x=x, y=y, button="left", clickCount=count)

    def _to(self, url: str) -> None:
        self._to_another_page(lambda: self.driver.get(url), url)

    def _to_another_page(self, action: Callable[[], object], description: str) -> None:
        time_of_page = "return document.readyState === 'complete' ? performance.timeOrigin : null"
        time_before = self.script(time_of_page)
        action()
        self.waits_until(lambda: self.script(time_of_page) not in (time_before, None), f"what comes of {description!r}")

    def _cdp(self, command: str, **params: object) -> None:
        self.driver.execute_cdp_cmd(command, params)


def _says(words: str) -> str:
    return f'contains({_WORDS}, "{words}")'
