"""Draws charts as SVG on the server: they can be printed, need no script, and describe themselves in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from ...base.languages.catalogs import labelled
from ...base.languages.formats import format_money, format_number
from .values import Chart

# Dark enough for white paper, and distinct in greyscale too (after the palette of Okabe and Ito for colour blindness).
_COLOURS = ("#0b5c8a", "#d55e00", "#1b7f5c", "#7a4a86", "#8a6d00", "#5a5a5a", "#b03060", "#3a8fc0")
_WIDTH, _HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 12, 40, 64  # margins
_FONT = "DejaVu Sans, Liberation Sans, Arial, sans-serif"
MAX_SERIES = len(_COLOURS)  # series that can be distinguished


def draw(chart: Chart, *, currency: str, language: str) -> str:
    """The chart as an SVG element of 720 × 300; its `<title>` and `<desc>` hold the data as text."""
    drawing = _Drawing(chart, currency, language)
    return "".join(drawing.parts())


class _Drawing:
    def __init__(self, chart: Chart, currency: str, language: str) -> None:
        self.chart, self._currency, self._language = chart, currency, language
        self._highest, self._lowest = _bounds(chart)
        self._step = (_WIDTH - _LEFT - _RIGHT) / max(1, len(chart.labels))

    def parts(self) -> Iterator[str]:
        chart = self.chart
        yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" font-size="11" '
        yield f'font-family="{_FONT}" fill="#111">'
        yield f"<title>{escape(chart.title)}</title><desc>{escape(self._describe())}</desc>"
        yield f'<text x="{_LEFT}" y="16" font-size="14" font-weight="bold">{escape(chart.title)}</text>'
        yield from self._scale()
        yield from self._line() if chart.kind == "line" else self._bars()
        yield from self._labels()
        yield from self._legend()
        yield "</svg>"

    def _describe(self) -> str:
        descriptions = [
            labelled(
                self._language,
                label,
                ", ".join(f"{line.label} {self._format(line.values[place])}" for line in self.chart.series),
            )
            for place, label in enumerate(self.chart.labels)
        ]
        return " · ".join(descriptions)

    def _format(self, value: int) -> str:
        if self.chart.money:
            return format_money(value, self._currency, self._language)
        return format_number(value, self._language)

    def _y(self, value: float) -> float:
        share = (value - self._lowest) / (self._highest - self._lowest)
        return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)

    def _x(self, place: float) -> float:
        return round(_LEFT + place * self._step, 1)

    def _scale(self) -> Iterator[str]:
        ticks = 4
        for tick in range(ticks + 1):
            value = self._lowest + (self._highest - self._lowest) * tick // ticks
            y = self._y(value)
            colour = "#111" if value == 0 else "#ccc"
            yield f'<path d="M{_LEFT} {y}H{_WIDTH - _RIGHT}" stroke="{colour}" stroke-width="0.7"/>'
            yield f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{escape(self._format(value))}</text>'

    def _bars(self) -> Iterator[str]:
        stacked = self.chart.kind == "stacked"
        beside = 1 if stacked else len(self.chart.series)
        wide = min(self._step * 0.8 / max(1, beside), 48)
        for place in range(len(self.chart.labels)):
            bars_left = self._x(place + 0.5) - wide * beside / 2
            up = down = 0
            for number, series in enumerate(self.chart.series):
                value = series.values[place]
                base = (up if value >= 0 else down) if stacked else 0
                if stacked and value >= 0:
                    up += value
                elif stacked:
                    down += value
                x = bars_left if stacked else bars_left + number * wide
                top, foot = self._y(max(base, base + value)), self._y(min(base, base + value))
                yield f'<rect x="{x:.1f}" y="{top}" width="{max(wide - 1, 0.5):.1f}" height="{foot - top:.1f}" '
                yield f'fill="{_COLOURS[number % MAX_SERIES]}"/>'

    def _line(self) -> Iterator[str]:
        for number, series in enumerate(self.chart.series):
            points = [f"{self._x(place + 0.5)} {self._y(value)}" for place, value in enumerate(series.values)]
            colour = _COLOURS[number % MAX_SERIES]
            yield f'<path d="M{"L".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>' if points else ""
            for point in points:
                x, _, y = point.partition(" ")
                yield f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>'

    def _labels(self) -> Iterator[str]:
        """The labels below the bars: slanted if there are many, and only some of them if there are more than thirty."""
        labels, y = self.chart.labels, _HEIGHT - _BOTTOM + 14
        interval = -(-len(labels) // 30) or 1
        slanted = self._step * interval < 7 * max((len(label) for label in labels), default=0)
        for place, label in enumerate(labels):
            if place % interval:
                continue
            x, text = self._x(place + 0.5), escape(label if len(label) <= 14 else f"{label[:13]}…")
            if slanted:
                yield f'<text x="{x}" y="{y}" text-anchor="end" transform="rotate(-32 {x} {y})" font-size="9">'
                yield f"{text}</text>"
            else:
                yield f'<text x="{x}" y="{y}" text-anchor="middle">{text}</text>'

    def _legend(self) -> Iterator[str]:
        if len(self.chart.series) < 2:
            return
        x = float(_LEFT)
        for number, series in enumerate(self.chart.series):
            label = series.label if len(series.label) <= 18 else f"{series.label[:17]}…"
            yield f'<rect x="{x:.0f}" y="23" width="9" height="9" fill="{_COLOURS[number % MAX_SERIES]}"/>'
            yield f'<text x="{x + 13:.0f}" y="31" font-size="10">{escape(label)}</text>'
            x += 26 + 6.2 * len(label)


def _bounds(chart: Chart) -> tuple[int, int]:
    """The highest and the lowest value of the scale, rounded outwards; the scale always includes zero."""
    if chart.kind == "stacked":
        columns = list(zip(*(series.values for series in chart.series), strict=True))
        sums = [sum(value for value in column if value > 0) for column in columns]
        depths = [sum(value for value in column if value < 0) for column in columns]
    else:
        sums = depths = [value for series in chart.series for value in series.values]
    highest, lowest = max([0, *sums]), min([0, *depths])
    step = _round_up(max(highest - lowest, 4) / 4)
    low = lowest // step * step
    return max(low + 4 * step, -(-highest // step) * step), low


def _round_up(value: float) -> int:
    """The next of 1, 2, 2.5 (from 10 on) and 5 times a power of ten."""
    power = 1
    while power * 10 <= value:
        power *= 10
    steps: Sequence[float] = (1, 2, 2.5, 5, 10) if power >= 10 else (1, 2, 5, 10)
    return int(next(step * power for step in steps if step * power >= value))
