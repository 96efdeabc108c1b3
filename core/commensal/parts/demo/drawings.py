"""Draws pictures of a few simple shapes: of what each kind of producer makes, and of hubs."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..pictures.images import Picture

if TYPE_CHECKING:
    from PIL.Image import Image as Drawn

Points = Sequence[tuple[float, float]]
_SIZE = 400  # pixels, the height of a picture and the width of a square one
_FINER = 2  # drawn at twice the size and scaled down, for smooth edges


@dataclass(frozen=True)
class Shape:
    """`points` on a square of 100 × 100, or as much wider as the drawing is: the corners of a polygon, or two opposite
    ones of an ellipse or a box."""

    form: str  # polygon, ellipse, box
    colour: str
    points: Points


@dataclass(frozen=True)
class Drawing:
    """`shown_on` are the product types (DFC) that it shows; empty: all goods of the kind. A carrot is not garlic: goods
    that it does not show have no picture, and the shop draws their kind. `wide` is its width in heights."""

    alt: str
    ground: str
    shapes: Sequence[Shape]
    shown_on: frozenset[str] = frozenset()
    wide: int = 1

    def shows(self, product_type: str) -> bool:
        return not self.shown_on or product_type in self.shown_on


def draw(drawing: Drawing) -> Picture:
    """The drawing in the form of an uploaded picture. The thumbnail is the same file."""
    content = _webp(_paint(drawing))
    return Picture(content=content, thumbnail=content, width=_SIZE * drawing.wide, height=_SIZE)


def _paint(drawing: Drawing) -> Drawn:
    from PIL import Image, ImageDraw  # slow to import, and needed only for the demo

    width = _SIZE * drawing.wide
    image = Image.new("RGB", (width * _FINER, _SIZE * _FINER), drawing.ground)
    pen, unit = ImageDraw.Draw(image), _SIZE * _FINER / 100
    for shape in drawing.shapes:
        points = [(x * unit, y * unit) for x, y in shape.points]
        if shape.form == "polygon":
            pen.polygon(points, fill=shape.colour)
        elif shape.form == "ellipse":
            pen.ellipse(points, fill=shape.colour)
        else:
            pen.rounded_rectangle(points, radius=3 * unit, fill=shape.colour)
    return image.resize((width, _SIZE), Image.Resampling.LANCZOS)


def _webp(image: Drawn) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=80)
    return buffer.getvalue()


def _polygon(colour: str, *points: tuple[float, float]) -> Shape:
    return Shape("polygon", colour, points)


def _ellipse(colour: str, left: float, top: float, right: float, bottom: float) -> Shape:
    return Shape("ellipse", colour, ((left, top), (right, bottom)))


def _box(colour: str, left: float, top: float, right: float, bottom: float) -> Shape:
    return Shape("box", colour, ((left, top), (right, bottom)))


def _bottle(glass: str, label: str) -> tuple[Shape, ...]:
    return _box(glass, 43, 14, 57, 45), _box(glass, 34, 38, 66, 90), _box(label, 34, 55, 66, 75)


def _cheese(rind: str, inside: str) -> tuple[Shape, ...]:
    return (
        _polygon(rind, (15, 58), (80, 35), (88, 55), (88, 72), (15, 76)),
        _polygon(inside, (15, 58), (88, 55), (88, 72), (15, 76)),
    )


# By the kind of the producer, as in `goods.tsv`.
DRAWINGS: Mapping[str, Drawing] = {
    "vegetables": Drawing("Dessin d’une carotte", "#e7f2e9", (
        _polygon("#3f8f4f", (50, 30), (34, 6), (46, 22), (50, 4), (55, 22), (68, 8)),
        _polygon("#e07b28", (36, 30), (64, 30), (52, 94), (48, 94)),
        _box("#c2631a", 40, 42, 52, 44), _box("#c2631a", 48, 58, 57, 60),
    ), frozenset({"carrot"})),
    "fruit": Drawing("Dessin d’une pomme", "#fdeedf", (
        _box("#6b4a2b", 48, 12, 52, 32), _ellipse("#4f9a4f", 52, 12, 74, 24),
        _ellipse("#c8372d", 16, 26, 60, 88), _ellipse("#c8372d", 40, 26, 84, 88), _ellipse("#e58a80", 26, 38, 36, 54),
    ), frozenset({"apples"})),
    "cow": Drawing("Dessin d’une bouteille de lait", "#e6f1f7", (
        *_bottle("#ffffff", "#8cc5e8"), _box("#1d5e86", 41, 10, 59, 18),
    ), frozenset({"milk"})),
    "goat": Drawing(
        "Dessin d’un fromage de chèvre", "#eef0e4", _cheese("#b9b9ac", "#fbfaf2"),
        frozenset({"goat-fresh-cheese", "goat-mature-cheese"}),
    ),
    "sheep": Drawing(
        "Dessin d’un fromage de brebis", "#f3ead9", _cheese("#a8793d", "#f6e2ae"),
        frozenset({"sheep-fresh-cheese", "sheep-mature-cheese"}),
    ),
    "poultry": Drawing("Dessin d’un œuf", "#f4efe6", (
        _polygon("#d9b779", (10, 84), (30, 70), (70, 70), (90, 84), (50, 92)), _ellipse("#e7c9a4", 27, 18, 73, 84),
    ), frozenset({"egg"})),
    "beef": Drawing("Dessin d’une pièce de bœuf", "#fbe9e7", (
        _ellipse("#f2d6cf", 12, 24, 88, 80), _ellipse("#a83232", 18, 30, 82, 74), _ellipse("#f2d6cf", 40, 44, 54, 56),
    )),
    "pork": Drawing("Dessin d’un saucisson", "#fbeee9", (
        _box("#8c3b34", 12, 40, 88, 62), _ellipse("#c46a5f", 74, 40, 94, 62), _ellipse("#f3dcd6", 79, 45, 84, 50),
        _ellipse("#f3dcd6", 85, 52, 89, 56),
    ), frozenset({"delicatessen"})),
    "lamb": Drawing("Dessin d’une côtelette d’agneau", "#f7ece9", (
        _polygon("#f6efe2", (56, 46), (92, 10), (96, 16), (64, 56)), _ellipse("#e9c9c1", 12, 34, 70, 88),
        _ellipse("#b4504a", 18, 40, 64, 82),
    )),
    "bakery": Drawing("Dessin d’un pain", "#f8efdd", (
        _ellipse("#b5732f", 8, 30, 92, 82), _polygon("#e8c48d", (30, 40), (36, 38), (44, 60), (38, 62)),
        _polygon("#e8c48d", (47, 37), (53, 37), (57, 60), (51, 60)),
        _polygon("#e8c48d", (64, 38), (70, 41), (70, 60), (64, 60)),
    ), frozenset({"bread"})),
    "honey": Drawing("Dessin d’un pot de miel", "#fdf3d8", (
        _box("#8a6a2f", 28, 16, 72, 28), _box("#e0a020", 22, 28, 78, 88), _box("#fff6df", 22, 48, 78, 72),
    ), frozenset({"honey"})),
    "press": Drawing("Dessin d’une bouteille de jus", "#f6f0dc", _bottle("#d9a441", "#fff6df")),
    "brewery": Drawing("Dessin d’un verre de bière", "#f5efe2", (
        _box("#e0a436", 28, 28, 68, 90), _box("#e8dcc0", 66, 40, 82, 72), _box("#f5efe2", 70, 46, 76, 66),
        _box("#d39226", 28, 60, 68, 90), _ellipse("#fffdf5", 24, 14, 50, 38), _ellipse("#fffdf5", 44, 12, 72, 38),
    )),
    "vineyard": Drawing("Dessin d’une bouteille de vin", "#f3e9ee", _bottle("#5b1f3a", "#f7efe0")),
    "groceries": Drawing("Dessin d’un sachet de farine", "#f3eee3", (
        _polygon("#cdb487", (28, 22), (72, 22), (78, 90), (22, 90)), _box("#a98b58", 28, 14, 72, 24),
        _box("#f7f1e1", 34, 46, 66, 70),
    ), frozenset({"flour"})),
    "plants": Drawing("Dessin d’un plant en pot", "#e9f3e4", (
        _ellipse("#4f9a4f", 22, 14, 50, 46), _ellipse("#3f8347", 48, 10, 78, 44), _box("#3f8347", 48, 36, 52, 64),
        _polygon("#b5622f", (28, 60), (72, 60), (66, 92), (34, 92)),
    )),
}  # fmt: skip

BASKET = Drawing("Dessin d’un panier", "#eef3e6", (
    _ellipse("#8a6232", 20, 12, 80, 86), _ellipse("#eef3e6", 27, 19, 73, 79),
    _ellipse("#c8372d", 24, 34, 50, 60), _ellipse("#4f9a4f", 40, 28, 66, 58), _ellipse("#e0a020", 56, 36, 78, 60),
    _polygon("#b98a4c", (14, 52), (86, 52), (77, 90), (23, 90)),
    _box("#8a6232", 14, 50, 86, 57), _box("#a3763c", 18, 66, 82, 70), _box("#a3763c", 21, 79, 79, 83),
))  # fmt: skip
LANDSCAPE = Drawing("Dessin de champs et de collines", "#dcecf2", (
    _ellipse("#f6d67a", 318, 10, 352, 44),
    _ellipse("#b9d3b4", -60, 38, 190, 190), _ellipse("#a9c9a6", 130, 30, 460, 230),
    _ellipse("#8fb889", 40, 56, 300, 220), _polygon("#d9bf6f", (230, 100), (285, 66), (400, 60), (400, 100)),
    _polygon("#c9ab54", (262, 100), (304, 68), (318, 67), (288, 100)),
    _polygon("#c9ab54", (318, 100), (342, 65), (356, 64), (346, 100)),
    _polygon("#6f9f68", (0, 74), (110, 70), (210, 100), (0, 100)),
    _polygon("#5d8d58", (12, 100), (52, 73), (60, 73), (32, 100)),
    _polygon("#5d8d58", (62, 100), (82, 72), (92, 72), (88, 100)),
    _polygon("#a5523c", (150, 50), (170, 36), (190, 50)), _box("#f3e6cf", 153, 50, 187, 70),
    _box("#7a4a34", 166, 57, 174, 70), _box("#6b4a2b", 212, 52, 216, 72), _ellipse("#4c8150", 200, 28, 228, 58),
), wide=4)  # fmt: skip
