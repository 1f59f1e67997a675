"""A horizontal bar chart as SVG, for the documentation."""

from collections.abc import Sequence
from html import escape

WIDTH, BAR, GAP, LABELS = 720, 22, 12, 300


def bars(title: str, unit: str, rows: Sequence[tuple[str, float]]) -> str:
    """One bar for each row (label, value); readable on light and on dark pages."""
    longest = max(value for _, value in rows)
    height = 48 + len(rows) * (BAR + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="13" fill="#7a7a7a">',
        f"<title>{escape(title)}</title>",
        f'<text x="0" y="20" font-size="15">{escape(title)}</text>',
    ]
    for number, (label, value) in enumerate(rows):
        top = 40 + number * (BAR + GAP)
        length = max(2, value / longest * (WIDTH - LABELS - 90))
        parts += [
            f'<text x="{LABELS - 10}" y="{top + 16}" text-anchor="end">{escape(label)}</text>',
            f'<rect x="{LABELS}" y="{top}" width="{length:.0f}" height="{BAR}" rx="3" fill="#4f7cac"/>',
            f'<text x="{LABELS + length + 8:.0f}" y="{top + 16}">{value:.2f} {escape(unit)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
