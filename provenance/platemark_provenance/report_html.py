"""Write verdicts as one self-contained HTML page that people can keep, print and send on.

One rule: not one character from a file, a name or a person reaches the page unescaped, and the page can load and run
nothing: no script, no link, no address outside it. Colours and signs stay neutral; the words carry the verdict.
Source: C2PA User Experience Guidance, levels of disclosure 1 to 3.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from platemark_provenance.axes import Language, Verdict
from platemark_provenance.axis_words import axis_lines
from platemark_provenance.history import History, Node, Step
from platemark_provenance.plain_text import plain_text
from platemark_provenance.report_words import REPORT_WORDS, action_words, source_words
from platemark_provenance.verdict import Report, shown_path

LONGEST_LINE = 600
"""Characters of one shown sentence or name; explanations are the longest, with some 300."""

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.55 system-ui,"Noto Sans KR","Apple SD Gothic Neo","Malgun Gothic",sans-serif;
max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff;overflow-wrap:anywhere}
header p,footer,small,.quiet{color:#595959}
article{border:1px solid #bbb;border-radius:6px;padding:1rem 1.25rem;margin:1.5rem 0;break-inside:avoid-page}
h1{font-size:1.3rem}h2{font-size:1.15rem;margin:.2rem 0 .6rem}h3{font-size:1rem;margin:1.2rem 0 .3rem}
.verdict{border-left:4px solid #555;padding:.1rem .8rem;margin:.6rem 0}.verdict p{margin:.3rem 0}
.headline{font-weight:600}.notice{border:2px solid #555;padding:.4rem .8rem;font-weight:600}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;
border-bottom:1px solid #ddd;font-weight:400}th{color:#595959;width:38%}
:lang(ko){word-break:keep-all}figure{margin:.8rem 0}details{margin-top:1rem}
ul{padding-left:1.2rem;margin:.2rem 0}img{max-width:100%;height:auto;border:1px solid #bbb}
code{font:.85em ui-monospace,monospace}summary{cursor:pointer}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}header p,footer,small,.quiet,th{color:#a6a6a6}
article,img,td,th{border-color:#555}}
"""
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class Page:
    """One file's place on the page.

    Args:
        report: the verdict.
        sheet: a picture (PNG) of what the file shows, None where there is none.
    """

    report: Report
    sheet: bytes | None = None


def page_head(language: Language, *, made_at: datetime) -> str:
    """Give the beginning of a page; any number of articles and the foot follow, so that none needs to be kept.

    Args:
        language: of all that is not a name.
        made_at: when, aware; shown at the top.
    """
    words = REPORT_WORDS[language]
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{_text(words['title'])}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<header><h1>{_text(words['title'])}</h1>"
        f"<p>{_text(words['made'].format(when=_moment(made_at)))}</p></header>\n<main>\n"
    )


def page_article(page: Page, language: Language) -> str:
    """Give one file's part of a page."""
    report, words = page.report, REPORT_WORDS[language]
    parts = [
        f"<article>\n<h2>{_name(shown_path(report.path))}</h2>\n",
        _verdict(report, language),
        _picture(page.sheet, words["sheet"]),
        _summary(report, language),
        _axes(report, language),
    ]
    if report.history is not None:
        parts += [_material(report.history, language), _timeline(report.history, language)]
    parts += [_technical(report, language), "</article>\n"]
    return "".join(parts)


def page_foot(language: Language) -> str:
    """Give the end of a page."""
    return f"</main>\n<footer><p>{_text(REPORT_WORDS[language]['limits'])}</p></footer>\n</body>\n</html>\n"


def _verdict(report: Report, language: Language) -> str:
    """Level 1: what was found, in plain words."""
    words = REPORT_WORDS[language]
    headline, *rest = report.explain(language).splitlines()
    said = [words["withdrawn"]] if report.withdrawn is not None else []
    said += [words["corrected"]] if report.corrections else []
    notice = "".join(f'<p class="notice">{_text(each)}</p>' for each in said)
    lines = "".join(f"<p>{_text(line)}</p>" for line in rest)
    return f'{notice}<div class="verdict"><p class="headline">{_text(headline)}</p>{lines}</div>\n'


def _picture(sheet: bytes | None, described: str) -> str:
    if sheet is None:
        return ""
    encoded = base64.b64encode(sheet).decode("ascii")
    return f'<figure><img alt="{_text(described)}" src="data:image/png;base64,{encoded}"></figure>\n'


def _summary(report: Report, language: Language) -> str:
    """Level 2: who, with what, when."""
    words = REPORT_WORDS[language]
    stamped = report.axes.timestamp == "trusted"
    rows = [
        (words["signer"], report.signer),
        (words["generator"], report.generator),
        (words["stamped" if stamped else "claimed"], None if report.signed_at is None else _moment(report.signed_at)),
        (words["recovered_from"], report.recovered_from),
    ]
    if report.withdrawn is not None:
        rows.append((words["withdrawn_on"], f"{report.withdrawn.at.astimezone(UTC):%Y-%m-%d}"))
        rows.append((words["withdrawn_why"], report.withdrawn.reason or words["unnamed"]))
    rows += [
        (words["corrected_on"].format(day=each.day), each.reason or words["unnamed"]) for each in report.corrections
    ]
    shown = [(title, value) for title, value in rows if value is not None]
    if report.verdict is Verdict.RECOVERED:
        shown.append((words["source"], words["from_record"]))
    return f"<h3>{_text(words['summary'])}</h3>\n{_table(shown)}" if shown else ""


def _axes(report: Report, language: Language) -> str:
    """Level 3: each question with its own answer."""
    return f"<h3>{_text(REPORT_WORDS[language]['axes'])}</h3>\n{_table(axis_lines(report.axes, language))}"


def _material(history: History, language: Language) -> str:
    words = REPORT_WORDS[language]
    if not history.root.ingredients:
        return ""
    return f"<h3>{_text(words['material'])}</h3>\n<ul>{_node(history.root, language)}</ul>\n"


def _node(node: Node, language: Language) -> str:
    words = REPORT_WORDS[language]
    facts = [
        words.get(f"relationship_{node.relationship}", node.relationship),
        words[f"state_{node.state}"],
        words["by"].format(name=node.signer) if node.signer else None,
        node.generator,
        _moment(node.signed_at) if node.signed_at is not None else None,
        ", ".join(node.codes) if node.codes else None,
    ]
    told = " · ".join(_text(each) for each in facts if each)
    below = "".join(_node(each, language) for each in node.ingredients)
    title = _name(node.title or words["unnamed"])
    return f"<li>{title}<br><small>{told}</small>{f'<ul>{below}</ul>' if below else ''}</li>"


def _timeline(history: History, language: Language) -> str:
    words = REPORT_WORDS[language]
    if not history.timeline:
        return ""
    rows = [(_moment(each.at) if each.at else words["no_time"], _step(each, language)) for each in history.timeline]
    left = f"<p>{_text(words['left_out'].format(count=history.left_out))}</p>\n" if history.left_out else ""
    return f'<h3>{_text(words["timeline"])}</h3>\n<p class="quiet">{_text(words["own_word"])}</p>\n{_table(rows)}{left}'


def _step(step: Step, language: Language) -> str:
    words = REPORT_WORDS[language]
    facts = [
        action_words(step.action, language),
        words["with"].format(name=step.agent) if step.agent else None,
        source_words(step.source, language) if step.source else None,
        step.description,
    ]
    return " · ".join(each for each in facts if each)


def _technical(report: Report, language: Language) -> str:
    words = REPORT_WORDS[language]
    rows = [
        (words["verdict_word"], str(report.verdict)),
        (words["codes"], ", ".join(report.codes) or None),
        (words["failed_manifest"], report.failed_manifest),
        (words["label"], report.history.root.label if report.history is not None else None),
    ]
    rows += [
        (
            words["list"],
            f"{each.name} ({each.kind}, {each.snapshot.isoformat()}, {each.certificates}, {each.sha256[:16]})",
        )
        for each in report.trust_lists
    ]
    shown = [(title, value) for title, value in rows if value]
    return f"<details><summary>{_text(words['technical'])}</summary>\n{_table(shown)}</details>\n"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f'<tr><th scope="row">{_text(title)}</th><td>{_name(value)}</td></tr>\n' for title, value in rows)
    return f"<table>\n{lines}</table>\n"


def _name(text: str) -> str:
    """Show text from outside, kept from turning the direction of what stands beside it."""
    return f"<bdi>{_text(text)}</bdi>"


def _text(text: str) -> str:
    return escape(plain_text(text, LONGEST_LINE), quote=True)


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
