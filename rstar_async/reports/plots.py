"""Plots as inline SVG: lines with intervals, and stacked bars. Pure.

They use the page's colours and have a title for screen readers; every mark has its figures as a
tooltip.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rstar_async.reports.markup import Content, Markup, tag

WIDTH, HEIGHT = 480, 260
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 14, 40
TICKS = 5


@dataclass(frozen=True, slots=True)
class Dot:
    """`low` and `high` bound the interval of `y`; None where there is none."""

    x: int
    y: float
    low: float | None = None
    high: float | None = None


def line_plot(
    title: str, series: Mapping[str, Sequence[Dot]], positions: Sequence[str], x_title: str
) -> Markup:
    """Shares in [0, 1] over the named positions: `Dot.x` is an index into them."""
    names = list(series)
    marks: list[Content] = [_grid(1.0, percent=True), _x_labels(positions, x_title)]
    for number, name in enumerate(names):
        marks.append(_line(name, series[name], len(positions), number, len(names)))
    return _figure(title, marks, names)


def bar_plot(
    title: str, groups: Mapping[str, Sequence[int]], positions: Sequence[str], x_title: str
) -> Markup:
    """Stacked counts at each position; labels that would not fit are left out."""
    top = max((sum(column) for column in zip(*groups.values(), strict=True)), default=0) or 1
    marks: list[Content] = [_grid(top, percent=False), _x_labels(positions, x_title)]
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(positions))
    for place, position in enumerate(positions):
        below = 0
        for number, (name, counts) in enumerate(groups.items()):
            if counts[place]:
                tip = f"{position}: {counts[place]:,} {name}"
                marks.append(_bar(place, slot, below, counts[place], top, number, tip))
            below += counts[place]
    return _figure(title, marks, list(groups))


def _figure(title: str, marks: Sequence[Content], names: Sequence[str]) -> Markup:
    svg = tag(
        "svg",
        tag("title", title),
        list(marks),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=title,
    )
    keys = [
        tag("span", tag("i", class_=f"swatch c{number % 8}"), name, class_="key")
        for number, name in enumerate(names)
    ]
    legend = tag("div", keys, class_="legend") if len(names) > 1 else None
    return tag("figure", tag("figcaption", title), svg, legend)


def _grid(top: float, *, percent: bool) -> list[Content]:
    marks: list[Content] = []
    for number in range(TICKS):
        value = top * number / (TICKS - 1)
        y = _y(value, top)
        marks.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
        label = f"{100 * value:.0f} %" if percent else _short(value)
        marks.append(tag("text", label, x=LEFT - 6, y=_round(y + 4), class_="y"))
    return marks


def _x_labels(positions: Sequence[str], x_title: str) -> list[Content]:
    every = max(1, -(-len(positions) // 8))
    marks: list[Content] = [
        tag("text", name, x=_x(place, len(positions)), y=HEIGHT - BOTTOM + 16, class_="x")
        for place, name in enumerate(positions)
        if place % every == 0 or place == len(positions) - 1
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [*marks, tag("text", x_title, x=middle, y=HEIGHT - 6, class_="x")]


def _line(name: str, dots: Sequence[Dot], positions: int, number: int, of: int) -> Markup:
    """Lines are shifted a little, so that their intervals do not overlap."""
    shift = 5 * (number - (of - 1) / 2)
    points = [(_round(_x(dot.x, positions) + shift), _y(dot.y, 1.0)) for dot in dots]
    path = " ".join(f"{x},{y}" for x, y in points)
    marks: list[Content] = [tag("polyline", points=path, class_=f"line s{number % 8}")]
    for dot, (x, y) in zip(dots, points, strict=True):
        tip = f"{name}: {100 * dot.y:.1f} %"
        if dot.low is not None and dot.high is not None:
            tip += f" [{100 * dot.low:.1f}, {100 * dot.high:.1f}]"
            low, high = _y(dot.low, 1.0), _y(dot.high, 1.0)
            marks.append(tag("line", x1=x, x2=x, y1=low, y2=high, class_=f"bound s{number % 8}"))
        circle = tag("circle", cx=x, cy=y, r=3.5, class_=f"c{number % 8}")
        marks.append(tag("g", tag("title", tip), circle))
    return tag("g", marks)


def _bar(
    place: int, slot: float, below: int, count: int, top: float, number: int, tip: str
) -> Markup:
    upper, lower = _y(below + count, top), _y(below, top)
    bar = tag(
        "rect",
        x=_round(LEFT + slot * place + slot * 0.1),
        y=upper,
        width=_round(slot * 0.8),
        height=_round(lower - upper),
        class_=f"c{number % 8}",
    )
    return tag("g", tag("title", tip), bar)


def _x(place: int, positions: int) -> float:
    slot = (WIDTH - LEFT - RIGHT) / max(1, positions)
    return _round(LEFT + slot * (place + 0.5))


def _y(value: float, top: float) -> float:
    return _round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top)


def _round(value: float) -> float:
    return round(value, 1)


def _short(value: float) -> str:
    return f"{value / 1000:,.1f}k" if value >= 10_000 else f"{value:,.0f}"
