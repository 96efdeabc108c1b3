"""When a shopper sees the page of a sale of 300 items on a slow phone: Chromium at a quarter of its speed and slow 4G.

    python -m tests.benchmarks.first_sight

The network is the slow 4G of Lighthouse: 150 ms there and back, 1.6 Mbit/s down, 750 kbit/s up. Nothing is in the
browser's cache. LCP is the moment of the largest paint, CLS how much moves afterwards, both as web.dev defines them.
Beside it stands the same browser without a brake, and the quickest round beside the median: other work on the machine
slows the browser, its brake and the server.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic

from selenium.webdriver import ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver

from .machine import machine
from .stand import ITEMS, serving, set_up

ROUNDS = 9
_SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
_NO_BRAKE = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
_SEEN = """
const done = arguments[0], types = ["largest-contentful-paint", "layout-shift"], seen = {lcp: 0, cls: 0};
const note = entry => {
  if (entry.entryType == types[0]) seen.lcp = entry.startTime;
  else if (!entry.hadRecentInput) seen.cls += entry.value;
};
const observer = new PerformanceObserver(list => list.getEntries().forEach(note));
for (const type of types) observer.observe({type, buffered: true});
setTimeout(() => {
  const loads = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  done({...seen, requests: loads.length, bytes: loads.reduce((sum, load) => sum + load.transferSize, 0)});
}, 200);
"""


@dataclass(frozen=True)
class Sight:
    """LCP in milliseconds after the navigation began; bytes over the wire."""

    lcp: float
    cls: float
    requests: int
    bytes: int


@contextmanager
def a_phone(folder: Path) -> Iterator[WebDriver]:
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for option in ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={folder}"):
        options.add_argument(option)
    driver = WebDriver(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
        )
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
        yield driver
    finally:
        driver.quit()


def look(phone: WebDriver, address: str, *, slow: bool) -> Sight:
    """Opens the page once, on the slow phone or without a brake."""
    phone.get("about:blank")
    phone.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": 4 if slow else 1})
    phone.execute_cdp_cmd("Network.emulateNetworkConditions", dict(_SLOW_4G if slow else _NO_BRAKE))
    phone.get(address)
    return Sight(**phone.execute_async_script(_SEEN))


def _line(name: str, sights: Sequence[Sight]) -> str:
    lcp = sorted(sight.lcp for sight in sights)
    last = sights[-1]
    return (
        f"{name:20} LCP {median(lcp):6,.0f} ms ({lcp[0]:,.0f} to {lcp[-1]:,.0f}), "
        f"CLS {max(sight.cls for sight in sights):.3f}, {last.requests} requests, {last.bytes / 1000:.1f} KB"
    )


def main() -> None:
    print(machine("starlette", "selenium"))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        set_up(root / "instance")
        with serving(root / "instance") as server, a_phone(root / "browser") as phone:
            address = f"{server.address.rstrip('/')}/sales/shop-session"
            look(phone, address, slow=False)  # the first one fills caches of the server
            slow, unbraked = list[Sight](), list[Sight]()
            began = monotonic()
            for _ in range(ROUNDS):
                slow.append(look(phone, address, slow=True))
                unbraked.append(look(phone, address, slow=False))
        print(f"a sale of {ITEMS} items, {ROUNDS} rounds in turns, {monotonic() - began:.0f} s")
        print(_line("slow phone, slow 4G", slow))
        print(_line("the same, no brake", unbraked))


if __name__ == "__main__":
    main()
