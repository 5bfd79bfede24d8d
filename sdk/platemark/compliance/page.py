"""An assessment as one HTML page that explains itself: clauses, what was seen, and the frames that were looked at.

One rule: every string that comes from a file or a person is escaped, and the page loads nothing from anywhere.
"""

import base64
import io
from collections.abc import Iterable
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from platemark.compliance.assessment import Assessment, ClauseResult, ProfileResult
from platemark.i18n import mark, translate
from platemark.media.still import is_still, read_still
from platemark.media.video import read_frames_rgb
from platemark.media.yuv import RGB

_GRAB_WIDTH = 320
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1b1b;background:#fff}
table{border-collapse:collapse;width:100%;margin:1rem 0}
td,th{border:1px solid #ccc;padding:.4rem .6rem;text-align:left;vertical-align:top}
th{background:#f3f3f3}td.o{white-space:nowrap;font-weight:600}
.grabs img{width:20rem;max-width:32%;height:auto;margin:.2rem;border:1px solid #ccc}
.note{color:#555}
"""
OUTCOMES = {"pass": mark("met"), "fail": mark("not met"), "not_applicable": mark("does not apply")}
"""How an outcome is told; English sentences, translated where they are shown."""


def assessment_page(assessment: Assessment, *, language: str, grabs: Iterable[bytes] = ()) -> str:
    """Give the page.

    Args:
        assessment: of one file.
        language: `en` or `ko`.
        grabs: PNG pictures of the clip, in order.
    """

    def _say(sentence: str, **fields: object) -> str:
        return escape(translate(language, sentence).format(**fields))

    evidence, role = assessment.evidence, translate(language, assessment.situation.role)
    pictures = "".join(
        f'<img alt="" src="data:image/png;base64,{base64.b64encode(each).decode("ascii")}">' for each in grabs
    )
    parts = [
        f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
        f"<title>{_say('Compliance check')}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n",
        f"<h1>{_say('Compliance check')}</h1>\n",
        f"<p><b>{escape(evidence.path.name)}</b><br>SHA-256 {evidence.sha256}</p>\n",
        f"<p>{_say('Checked for {day}, as {role}.', day=assessment.day, role=role)}</p>\n",
        f'<p class="grabs">{pictures}</p>\n' if pictures else "",
        *(_table(each, language) for each in assessment.profiles),
        f'<p class="note">{_say("A technical check written from public sources, not legal advice.")} ',
        f"{_say('Clauses marked with * still need a lawyer.')}</p>\n</body>\n</html>\n",
    ]
    return "".join(parts)


def frame_grabs(path: Path, *, frames: int) -> tuple[bytes, ...]:
    """Give PNG pictures of the first, the middle and the last frame of a clip; of a still, the picture.

    Args:
        path: a clip or still.
        frames: how many it has.

    Raises:
        MediaError: nobody can see a picture in it.
    """
    if is_still(path):
        return (_png(read_still(path)),)
    wanted = {0, frames // 2, frames - 1}
    return tuple(_png(frame) for index, frame in enumerate(read_frames_rgb(path)) if index in wanted)


def _png(frame: RGB) -> bytes:
    height = max(1, round(frame.shape[0] * _GRAB_WIDTH / frame.shape[1]))
    small = Image.fromarray(np.ascontiguousarray(frame)).resize((_GRAB_WIDTH, height), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    small.save(target, "PNG", optimize=True)
    return target.getvalue()


def _table(result: ProfileResult, language: str) -> str:
    titles = (mark("Clause"), mark("What is asked for"), mark("Outcome"), mark("What was seen"))
    head = "".join(f"<th>{escape(translate(language, title))}</th>" for title in titles)
    outcome = escape(translate(language, "passed" if result.passed else "failed"))
    rows = "".join(_row(each, language) for each in result.results)
    title = escape(result.profile.title[language])
    return f"<h2>{title}: {outcome}</h2>\n<table>\n<tr>{head}</tr>\n{rows}</table>\n"


def _row(result: ClauseResult, language: str) -> str:
    clause, finding = result.clause, result.finding
    star = " *" if clause.needs_legal_review else ""
    outcome = escape(translate(language, OUTCOMES[finding.outcome]))
    optional = f" ({escape(translate(language, 'optional'))})" if clause.optional else ""
    return (
        f"<tr><td><b>{escape(clause.id)}</b>{star}<br>{escape(clause.clause)}</td><td>{escape(clause.text[language])}"
        f'{optional}</td><td class="o">{outcome}</td><td>{escape(finding.evidence_in(language))}</td></tr>\n'
    )
