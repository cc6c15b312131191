"""Charts of a report as SVG that stands in a page: no script, nothing from elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_WIDTH, _HEIGHT = 760, 150
_LEFT, _TOP, _BOTTOM = 46, 10, 22


def bars(labels: tuple[str, str], series: Sequence[tuple[str, str, Sequence[int]]]) -> str:
    """Bars side by side for each part of a period.

    ``labels``: of its beginning and end; ``series``: a name, a class of the page's style, values.
    """
    most = max((value for _, _, values in series for value in values), default=0)
    scale = (_HEIGHT - _TOP - _BOTTOM) / max(1, most)
    parts = max((len(values) for _, _, values in series), default=1) or 1
    step = (_WIDTH - _LEFT) / parts
    width = max(1.0, step * 0.86 / len(series))
    base = _HEIGHT - _BOTTOM
    names = ", ".join(name for name, _, _ in series)
    made = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(names)}">',
        f'<line class="axis" x1="{_LEFT}" y1="{base}" x2="{_WIDTH}" y2="{base}"/>',
    ]
    for value in dict.fromkeys((most, most // 2)):
        if value:
            y = base - value * scale
            made.append(f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH}" y2="{y:.1f}"/>')
            made.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:,}</text>')
    for number, (name, style, values) in enumerate(series):
        for part, value in enumerate(values):
            if value:
                x = _LEFT + part * step + number * width
                high = max(1.0, value * scale)
                made.append(
                    f'<rect class="{escape(style)}" x="{x:.1f}" y="{base - high:.1f}" width="{width:.1f}" '
                    f'height="{high:.1f}"><title>{escape(name)}: {value:,}</title></rect>'
                )
    made.append(f'<text x="{_LEFT}" y="{_HEIGHT - 6}">{escape(labels[0])}</text>')
    made.append(f'<text x="{_WIDTH}" y="{_HEIGHT - 6}" text-anchor="end">{escape(labels[1])}</text>')
    made.append("</svg>")
    return "".join(made)
