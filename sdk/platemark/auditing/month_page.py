"""The monthly report as one HTML page: charts drawn as SVG, the same numbers as tables, nothing loaded or run.

One rule: not one character from the log reaches the page unescaped.
"""

from collections.abc import Mapping
from html import escape
from typing import Any

from platemark_provenance.ledger.month import MonthCounts

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.55 system-ui,"Noto Sans KR","Apple SD Gothic Neo","Malgun Gothic",sans-serif;max-width:56rem;
margin:2rem auto;padding:0 1rem;color:#222;background:#fff;overflow-wrap:anywhere}
h1{font-size:1.4rem;margin-bottom:.2rem}h2{font-size:1.1rem;margin:1.6rem 0 .2rem}.quiet{color:#595959;margin:.2rem 0}
svg{width:100%;height:auto;font:13px system-ui,"Noto Sans KR","Malgun Gothic",sans-serif}svg text{fill:#222}
table{border-collapse:collapse}th,td{text-align:left;padding:.15rem .9rem .15rem 0;border-bottom:1px solid #ddd;
font-weight:400}td:last-child{text-align:right}summary{cursor:pointer}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}.quiet{color:#a6a6a6}svg text{fill:#ddd}
td,th{border-color:#555}}
@media print{details{display:none}}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_SHADES = {"allow": "#9db4c8", "review": "#4f7ba3", "block": "#1d3a56", "": "#777"}
_ROW, _WIDTH, _START, _END = 22, 760, 250, 700
_LONGEST_NAME = 34


def month_page(page: Mapping[str, Any], counts: MonthCounts, *, words: Mapping[str, str]) -> str:
    """Give the page.

    Args:
        page: as `month_words.arranged` gives it.
        counts: for the table of all numbers.
        words: as `month_words.words_of_report` gives them.
    """
    title = escape(page["title"])
    sections = "".join(_section(section, page["nothing"]) for section in page["sections"])
    legend = " · ".join(
        f'<svg viewBox="0 0 12 12" style="width:.8em" aria-hidden="true"><rect width="12" height="12" '
        f'fill="{_shade(each["kind"])}"/></svg> {escape(each["name"])}'
        for each in page["legend"]
    )
    rows = "".join(
        f"<tr><td>{escape(words[section])}</td><td>{escape(name)}</td><td>{escape(outcome)}</td><td>{count}</td></tr>"
        for section, name, outcome, count in counts.rows()
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(page["lang"])}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<header><h1>{title}</h1><p class="quiet">{escape(page["subtitle"])}</p></header>\n<main>\n'
        f'{sections}<p class="quiet">{legend}</p>\n'
        f"<details><summary>{escape(words['count'])}</summary><table><tbody>{rows}</tbody></table></details>\n"
        f'</main>\n<footer><p class="quiet">{escape(page["foot"])}</p></footer>\n</body>\n</html>\n'
    )


def _section(section: Mapping[str, Any], nothing: str) -> str:
    note = f'<p class="quiet">{escape(section["note"])}</p>' if section["note"] else ""
    chart = _chart(section) if section["rows"] else f'<p class="quiet">{escape(nothing)}</p>'
    return f"<section><h2>{escape(section['title'])}</h2>{note}{chart}</section>\n"


def _chart(section: Mapping[str, Any]) -> str:
    totals = [sum(part["count"] for part in row["parts"]) for row in section["rows"]]
    scale = (_END - _START) / max(1, *totals)
    drawn = "".join(
        _bar(row, total, index * _ROW, scale)
        for index, (row, total) in enumerate(zip(section["rows"], totals, strict=True))
    )
    height = len(totals) * _ROW + 4
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(section["title"])}">{drawn}</svg>'


def _bar(row: Mapping[str, Any], total: int, top: int, scale: float) -> str:
    name = row["name"] if len(row["name"]) <= _LONGEST_NAME else row["name"][: _LONGEST_NAME - 1] + "…"
    parts = [f'<text x="{_START - 8}" y="{top + 15}" text-anchor="end">{escape(name)}</text>']
    left = float(_START)
    for part in row["parts"]:
        width = part["count"] * scale
        shade = _shade(part["kind"])
        parts.append(f'<rect x="{left:.1f}" y="{top + 4}" width="{width:.1f}" height="14" fill="{shade}"/>')
        left += width
    return "".join(parts) + f'<text x="{left + 6:.1f}" y="{top + 15}">{total}</text>'


def _shade(kind: str) -> str:
    return _SHADES.get(kind, _SHADES[""])
