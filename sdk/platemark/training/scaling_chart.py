"""A chart of loss against operations, both on logarithmic axes, as SVG.

One rule: a pure function from numbers to text; no plotting library.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 720, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 44, 60
_INK = ("#1b6ca8", "#c8553d", "#3a7d44", "#6b4c9a", "#8a6d1f")


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its name and its (operations, loss) points, both above 0."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    start: float
    stop: float

    def place(self, value: float) -> float:
        """Give the place of a value on the picture."""
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.stop - self.start), 1)

    def ticks(self) -> Iterator[float]:
        """List round values, 1, 2 and 5 of every power of ten, within the axis."""
        for power in range(math.floor(self.low), math.ceil(self.high) + 1):
            for digit in (1, 2, 5):
                value = digit * 10.0**power
                if self.low <= math.log10(value) <= self.high:
                    yield value


def draw_chart(series: Sequence[Series], *, caution: str) -> str:
    """Draw the lines, each with its name; the caution stands in the title.

    Args:
        series: at least one, with at least one point.
        caution: what a reader must know about the numbers.

    Returns:
        An SVG document.
    """
    across = [x for line in series for x, _ in line.points]
    upward = [y for line in series for _, y in line.points]
    x = _Axis(math.log10(min(across)) - 0.05, math.log10(max(across)) + 0.05, _LEFT, _WIDTH - _RIGHT)
    y = _Axis(math.log10(min(upward)) - 0.03, math.log10(max(upward)) + 0.03, _HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="15">Held-out loss against training compute ({escape(caution)})</text>',
        *_grid(x, y),
        *(part for index, line in enumerate(series) for part in _line(line, x, y, index)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _grid(x: _Axis, y: _Axis) -> Iterator[str]:
    bottom, style = _HEIGHT - _BOTTOM, 'stroke="#dddddd"'
    for value in x.ticks():
        at = x.place(value)
        yield f'<line x1="{at}" y1="{_TOP}" x2="{at}" y2="{bottom}" {style}/>'
        yield f'<text x="{at}" y="{bottom + 18}" font-size="11" text-anchor="middle">{value:.0e}</text>'
    for value in y.ticks():
        at = y.place(value)
        yield f'<line x1="{_LEFT}" y1="{at}" x2="{_WIDTH - _RIGHT}" y2="{at}" {style}/>'
        yield f'<text x="{_LEFT - 6}" y="{at + 4}" font-size="11" text-anchor="end">{value:g}</text>'
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield f'<text x="{middle}" y="{_HEIGHT - 16}" font-size="12" text-anchor="middle">floating-point operations</text>'


def _line(line: Series, x: _Axis, y: _Axis, index: int) -> Iterator[str]:
    ink = _INK[index % len(_INK)]
    places = [(x.place(across), y.place(upward)) for across, upward in line.points]
    path = " ".join(f"{across},{upward}" for across, upward in places)
    yield f'<polyline points="{path}" fill="none" stroke="{ink}" stroke-width="2"/>'
    for across, upward in places:
        yield f'<circle cx="{across}" cy="{upward}" r="3" fill="{ink}"/>'
    row = _TOP + 18 + 18 * index
    style = f'font-size="12" fill="{ink}" text-anchor="end"'
    yield f'<text x="{_WIDTH - _RIGHT - 8}" y="{row}" {style}>{escape(line.name)}</text>'
