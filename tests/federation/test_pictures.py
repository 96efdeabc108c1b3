"""Pictures come by reference: the address is told, and the hub's instance fetches it once from its peer."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import delete
from starlette.testclient import TestClient

from commensal import products_by_id
from commensal.interfaces.app import make_app
from commensal.storage.jobs.failed import failed_jobs
from commensal.storage.jobs.tables import job
from commensal.trade.products.copies import show_image
from commensal.trade.products.images import keep_picture, re_encode, read_picture
from commensal_federation.catalogue import grantor
from commensal_federation.dfc.vocabulary import DfcProduct
from commensal_federation.testing import Region
from commensal_federation.transport import Answer, Request

from .conftest import NewRegion
from .trading import Hub, Producer, a_region, clock_of

BASE = "https://a.example"


@pytest.fixture
def region(new_region: NewRegion) -> Region:
    """Whose wires reach not only the plugin, but also the core's pictures."""
    made = a_region(new_region, "ab")
    pages = TestClient(make_app(made["a"].instance), base_url=BASE)

    def picture(_: str, request: Request) -> Answer | None:
        if request.method != "GET" or "/api/images/" not in request.url:
            return None
        found = pages.get(request.url.removeprefix(BASE))
        return Answer(found.status_code, list(found.headers.items()), found.content)

    made.wires.before = picture
    return made


def shows(farm: Producer, colour: str) -> None:
    """The producer's apples have a picture of this colour."""
    drawn = BytesIO()
    Image.new("RGB", (60, 40), colour).save(drawn, "PNG")
    picture = re_encode(drawn.getvalue())
    keep_picture(farm.instance.images, picture)
    with farm.write() as tx:
        show_image(tx, farm.product.id, picture)
    farm.region.work()


def seen(hub: Hub, farm: Producer) -> tuple[int, int, int] | None:
    """The colour of the picture at the hub."""
    (listing,) = hub.received(farm)
    with hub.read() as tx:
        image_id = products_by_id(tx, [listing.product_id])[listing.product_id].image_id
        if image_id is None:
            return None
        shown = Image.open(BytesIO(read_picture(tx, hub.instance.images, image_id)))
    red, green, blue = shown.convert("RGB").resize((1, 1)).tobytes()
    return round(red / 255), round(green / 255), round(blue / 255)


def fetched(region: Region) -> int:
    return sum("/api/images/" in request.url for _, request, _ in region.wires.passed)


def test_a_hub_shows_the_producers_picture_as_one_of_its_own(farm: Producer, hub: Hub) -> None:
    shows(farm, "#ff0000")
    farm.grant(hub)
    assert seen(hub, farm) == (1, 0, 0)


def test_a_new_picture_is_fetched_and_one_that_is_known_is_not(farm: Producer, hub: Hub, region: Region) -> None:
    shows(farm, "#ff0000")
    farm.grant(hub)
    shows(farm, "#0000ff")
    assert seen(hub, farm) == (0, 0, 1)
    before = fetched(region)
    farm.grant(Hub(region, "b", "second"))
    assert fetched(region) == before


def one_failed_fetch(hub: Hub) -> str:
    """Why the picture did not come; whoever reads this has expected it, and the job is put away."""
    with hub.write() as tx:
        (failed,) = [failed_job for failed_job in failed_jobs(tx) if failed_job.kind == "federation.fetch_image"]
        tx.execute(delete(job).where(job.c.id == failed.id))
    return failed.error


def test_a_picture_that_cannot_be_had_is_tried_again_and_the_goods_are_there(
    farm: Producer, hub: Hub, region: Region
) -> None:
    shows(farm, "#ff0000")
    there, region.wires.before = region.wires.before, answers(Answer(404, [], b""))
    farm.grant(hub)
    assert seen(hub, farm) is None
    region.wires.before = there
    clock_of(region).advance(minutes=5)
    region.work()
    assert seen(hub, farm) == (1, 0, 0)


def test_what_is_no_picture_is_not_shown(farm: Producer, hub: Hub, region: Region) -> None:
    shows(farm, "#ff0000")
    region.wires.before = answers(Answer(200, [], b"<script>alert(1)</script>"))
    farm.grant(hub)
    assert seen(hub, farm) is None
    assert "JPEG, PNG or WebP" in one_failed_fetch(hub)


def answers(answer: Answer) -> Callable[[str, Request], Answer | None]:
    """Instead of pictures."""
    return lambda _, request: answer if "/api/images/" in request.url else None


@pytest.mark.parametrize(
    "elsewhere",
    ["http://169.254.169.254/latest", "https://a.example.evil.example/x", "https://a.example@evil.example/x"],
)
def test_a_picture_that_is_not_the_peers_own_is_not_fetched(
    farm: Producer, hub: Hub, region: Region, monkeypatch: pytest.MonkeyPatch, elsewhere: str
) -> None:
    monkeypatch.setattr(grantor, "DfcProduct", lambda **said: DfcProduct(**{**said, "images": (elsewhere,)}))
    asked = list[str]()
    region.wires.before = lambda _, request: asked.append(request.url)
    farm.grant(hub)
    assert seen(hub, farm) is None
    assert elsewhere not in asked
    assert asked, "messages went by the same wires"
