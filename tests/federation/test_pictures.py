"""Pictures come by reference: a message has the address, and the hub's instance fetches it once from its peer."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import delete
from starlette.testclient import TestClient

from commensal.parts.copies.products import show_image
from commensal.parts.pictures.images import (
    Picture,
    add_image,
    enterprise_pictures,
    keep_picture,
    re_encode,
    read_picture,
    set_enterprise_picture,
)
from commensal.parts.serving.app import make_app
from commensal.products import products_by_id
from commensal.storage.jobs.failed import failed_jobs
from commensal.storage.jobs.tables import job
from commensal_federation.catalogue import grantor
from commensal_federation.dfc.vocabulary import DfcProduct
from commensal_federation.testing import Region
from commensal_federation.transport import Answer, Request

from .conftest import NewRegion
from .moves import farm_of_ann, move
from .trading import Hub, Producer, clock_of, region_of_peers

BASE = "https://a.example"


@pytest.fixture
def region(new_region: NewRegion) -> Region:
    """A region whose wires reach the core's pictures too, and not only the plugin."""
    region = region_of_peers(new_region, "ab")
    serve_pictures(region)
    return region


def serve_pictures(region: Region) -> None:
    """Lets instances fetch pictures of instance a."""
    pages = TestClient(make_app(region["a"].instance), base_url=BASE)

    def serve_picture(_: str, request: Request) -> Answer | None:
        if request.method != "GET" or "/api/images/" not in request.url:
            return None
        response = pages.get(request.url.removeprefix(BASE))
        return Answer(response.status_code, list(response.headers.items()), response.content)

    region.wires.before = serve_picture


def a_picture(farm: Producer, colour: str) -> Picture:
    """A picture of this colour, whose files the producer's instance has."""
    drawn = BytesIO()
    Image.new("RGB", (60, 40), colour).save(drawn, "PNG")
    picture = re_encode(drawn.getvalue())
    keep_picture(farm.instance.images, picture)
    return picture


def set_picture(farm: Producer, colour: str) -> None:
    """Gives the producer's apples a picture of this colour."""
    picture = a_picture(farm, colour)
    with farm.write() as tx:
        show_image(tx, farm.product.id, picture)
    farm.region.work()


def picture_colour(hub: Hub, farm: Producer) -> tuple[int, int, int] | None:
    """Returns the colour of the picture at the hub."""
    (listing,) = hub.received(farm)
    with hub.read() as tx:
        image_id = products_by_id(tx, [listing.product_id])[listing.product_id].image_id
        if image_id is None:
            return None
        image = Image.open(BytesIO(read_picture(tx, hub.instance.images, image_id)))
    red, green, blue = image.convert("RGB").resize((1, 1)).tobytes()
    return round(red / 255), round(green / 255), round(blue / 255)


def count_fetches(region: Region) -> int:
    return sum("/api/images/" in request.url for _, request, _ in region.wires.passed)


def test_a_hub_shows_the_producers_picture_as_one_of_its_own(farm: Producer, hub: Hub) -> None:
    set_picture(farm, "#ff0000")
    farm.grant(hub)
    assert picture_colour(hub, farm) == (1, 0, 0)


def test_a_new_picture_is_fetched_and_one_that_is_known_is_not(farm: Producer, hub: Hub, region: Region) -> None:
    set_picture(farm, "#ff0000")
    farm.grant(hub)
    set_picture(farm, "#0000ff")
    assert picture_colour(hub, farm) == (0, 0, 1)
    fetched_before = count_fetches(region)
    farm.grant(Hub(region, "b", "second"))
    assert count_fetches(region) == fetched_before


def one_failed_fetch(hub: Hub) -> str:
    """Returns why the picture was not fetched. The failure is expected, so the job is deleted."""
    with hub.write() as tx:
        (the_job,) = [entry for entry in failed_jobs(tx) if entry.kind == "federation.fetch_image"]
        tx.execute(delete(job).where(job.c.id == the_job.id))
    return the_job.error


def test_a_picture_that_cannot_be_had_is_tried_again_and_the_goods_are_there(
    farm: Producer, hub: Hub, region: Region
) -> None:
    set_picture(farm, "#ff0000")
    wires_before, region.wires.before = region.wires.before, answer_pictures(Answer(404, [], b""))
    farm.grant(hub)
    assert picture_colour(hub, farm) is None
    region.wires.before = wires_before
    clock_of(region).advance(minutes=5)
    region.work()
    assert picture_colour(hub, farm) == (1, 0, 0)


def test_what_is_no_picture_is_not_shown(farm: Producer, hub: Hub, region: Region) -> None:
    set_picture(farm, "#ff0000")
    region.wires.before = answer_pictures(Answer(200, [], b"<script>alert(1)</script>"))
    farm.grant(hub)
    assert picture_colour(hub, farm) is None
    assert "JPEG, PNG or WebP" in one_failed_fetch(hub)


def answer_pictures(answer: Answer) -> Callable[[str, Request], Answer | None]:
    """Returns a hook that answers so instead of a picture."""
    return lambda _, request: answer if "/api/images/" in request.url else None


@pytest.mark.parametrize(
    "elsewhere",
    ["http://169.254.169.254/latest", "https://a.example.evil.example/x", "https://a.example@evil.example/x"],
)
def test_a_picture_that_is_not_the_peers_own_is_not_fetched(
    farm: Producer, hub: Hub, region: Region, monkeypatch: pytest.MonkeyPatch, elsewhere: str
) -> None:
    monkeypatch.setattr(grantor, "DfcProduct", lambda **members: DfcProduct(**{**members, "images": (elsewhere,)}))
    requests_sent = list[str]()
    region.wires.before = lambda _, request: requests_sent.append(request.url)
    farm.grant(hub)
    assert picture_colour(hub, farm) is None
    assert elsewhere not in requests_sent
    assert requests_sent, "messages went by the same wires"


def test_the_logo_of_an_enterprise_is_fetched_by_its_new_home(new_region: NewRegion) -> None:
    region = region_of_peers(new_region, "ac")
    serve_pictures(region)
    farm = farm_of_ann(region)
    with farm.write() as tx:
        logo = add_image(tx, enterprise_id=farm.id, picture=a_picture(farm, "red"), alt="A goat")
        set_enterprise_picture(tx, farm.id, "logo", logo.id)
    moved = move(farm)
    with moved.read() as tx:
        pictures = enterprise_pictures(tx, moved.id)
        assert pictures.logo is not None
        content = read_picture(tx, moved.instance.images, pictures.logo.id)
    assert (pictures.logo.alt, pictures.cover) == ("A goat", None)
    assert Image.open(BytesIO(content)).size == (60, 40)
