"""Charts as inline SVG: lines over time, stacked columns, and bars. No script, no library."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 640, 210
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 14, 26
BAR_HEIGHT, BAR_GAP = 22, 10
TICKS = 4
TIME_STEPS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
COUNT_STEPS = (1, 2, 5, 10, 15, 20, 25, 50)
NAME_CHAR_WIDTH, NAME_WIDTH_MAX = 7, 290

Word = Callable[[float], str]


@dataclass(frozen=True)
class Series:
    """One line or layer. values: one a slice, None where nothing was measured."""

    name: str
    colour: str
    values: Sequence[float | None]


def draw_lines(series: Sequence[Series], labels: Sequence[str], target: float, word: Word) -> str:
    """Lines over time and the target they are to stay below."""
    known = [value for one in series for value in one.values if value is not None]
    scale = _Scale(len(labels), _top(max([target * 1.25, *known]), TIME_STEPS))
    parts = [_axes(scale, labels, word)]
    y = scale.y(target)
    parts.append(f'<line class="target" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
    for one in series:
        parts += [_line(scale, run, one.colour) for run in _unbroken(one.values)]
        parts += [
            f'<circle cx="{scale.x(place)}" cy="{scale.y(value)}" r="3" fill="{one.colour}">'
            f"<title>{escape(labels[place])}: {escape(one.name)} {word(value)}</title></circle>"
            for place, value in enumerate(one.values)
            if value is not None
        ]
    return _svg(HEIGHT, "".join(parts), ", ".join(one.name for one in series))


def draw_columns(layers: Sequence[Series], labels: Sequence[str]) -> str:
    """Columns over time, their layers stacked."""
    sums = [sum(one.values[place] or 0 for one in layers) for place in range(len(labels))]
    scale = _Scale(len(labels), _top(max(sums), COUNT_STEPS))
    parts = [_axes(scale, labels, lambda value: f"{value:g}")]
    width = max(2.0, round(scale.step * 0.72, 1))
    for place, label in enumerate(labels):
        height = 0.0
        for one in layers:
            value = one.values[place] or 0
            if value:
                y, bottom = scale.y(height + value), scale.y(height)
                parts.append(
                    f'<rect x="{scale.x(place) - width / 2:.1f}" y="{y}" width="{width}"'
                    f' height="{bottom - y:.1f}" fill="{one.colour}" rx="1.5">'
                    f"<title>{escape(label)}: {value:g} {escape(one.name)}</title></rect>"
                )
                height += value
    return _svg(HEIGHT, "".join(parts), ", ".join(one.name for one in layers))


def draw_bars(rows: Sequence[tuple[str, float, str]], colour: str) -> str:
    """Horizontal bars: (name, value, how the value is written), the longest fills the width."""
    longest = max(value for _, value, _ in rows)
    longest_name = max(len(name) for name, _, _ in rows)
    name_width = min(NAME_WIDTH_MAX, 20 + NAME_CHAR_WIDTH * longest_name)
    value_width = 110
    room = WIDTH - name_width - value_width
    parts = []
    for place, (name, value, written) in enumerate(rows):
        y = place * (BAR_HEIGHT + BAR_GAP)
        width = max(2.0, value / longest * room)
        middle = y + BAR_HEIGHT / 2 + 4
        parts.append(
            f'<text class="name" x="{name_width - 10}" y="{middle}">{escape(name)}</text>'
            f'<rect x="{name_width}" y="{y}" width="{width:.1f}" height="{BAR_HEIGHT}"'
            f' fill="{colour}" rx="3"/>'
            f'<text class="value" x="{name_width + width + 8:.1f}" y="{middle}">'
            f"{escape(written)}</text>"
        )
    return _svg(len(rows) * (BAR_HEIGHT + BAR_GAP), "".join(parts), "bars")


@dataclass(frozen=True)
class _Scale:
    """From slices and values to places on the drawing."""

    slices: int
    top: float

    @property
    def step(self) -> float:
        return (WIDTH - LEFT - RIGHT) / self.slices

    def x(self, place: int) -> float:
        return round(LEFT + self.step * (place + 0.5), 1)

    def y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM), 1)


def _axes(scale: _Scale, labels: Sequence[str], word: Word) -> str:
    parts = []
    for tick in range(TICKS + 1):
        value = scale.top * tick / TICKS
        y = scale.y(value)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
            f'<text class="tick" x="{LEFT - 8}" y="{y + 4}">{escape(word(value))}</text>'
        )
    every = max(1, -(-len(labels) // 6))
    parts += [
        f'<text class="moment" x="{scale.x(place)}" y="{HEIGHT - 8}">{escape(label)}</text>'
        for place, label in enumerate(labels)
        if place % every == 0
    ]
    return "".join(parts)


def _line(scale: _Scale, run: Sequence[tuple[int, float]], colour: str) -> str:
    points = " ".join(f"{scale.x(place)},{scale.y(value)}" for place, value in run)
    return f'<polyline points="{points}" stroke="{colour}"/>'


def _unbroken(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """The stretches without a gap: a line never crosses a time without measurements."""
    runs: list[list[tuple[int, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((place, value))
    return [run for run in runs if len(run) > 1]


def _top(value: float, steps: Sequence[float]) -> float:
    """The least top that holds a value and whose ticks are easy to read."""
    while True:
        for step in steps:
            if step * TICKS >= value:
                return step * TICKS
        steps = [step * 10 for step in steps]


def _svg(height: float, inside: str, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"{inside}</svg>"
    )
