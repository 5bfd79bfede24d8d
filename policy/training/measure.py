"""Measure the whole filter on development sets, with intervals, and with each learnt set left out in turn.

    python policy/training/measure.py --data FOLDER [--cache FILE] [--folder WEIGHTS] [--left-out SET …]

Prints one JSON line a figure. `learnt` says that other rows of the same set are in the weights; `left out` that the
model and its thresholds were made again without the set. One rule: no text is printed, and nothing is tuned here.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from corpus import MAY_TRAIN, Corpus, Row
from train import Teacher, save, teacher_for, thresholds

from platemark_policy.classifier import HEADS, Classifier, load_classifier
from platemark_policy.decision import Verdict
from platemark_policy.engine import Engine
from platemark_policy.normalize import Normalized
from platemark_policy.passages import passages
from platemark_policy.rules import load_pack

_AT = datetime(2026, 11, 22, tzinfo=UTC)
_MOST = 800
_RESAMPLES = 1000
# Figure, set, language, and which rows ought to be stopped; F1 needs both kinds.
_FIGURES = (
    ("ordinary video prompts stopped", "moviegenbench", "en", "share", "allow"),
    ("ordinary video prompts stopped", "vbench", "en", "share", "allow"),
    ("ordinary video prompts stopped", "vbench2", "en", "share", "allow"),
    ("ordinary captions stopped", "coco30k", "en", "share", "allow"),
    ("newsroom probe, blocks blocked", "newsroom_probe", "", "blocked", "block"),
    ("newsroom probe, reviews stopped", "newsroom_probe", "", "share", "review"),
    ("newsroom probe, twins stopped", "newsroom_probe", "", "share", "allow"),
    ("safe prompts stopped", "xstest", "en", "share", "allow"),
    ("unsafe prompts stopped", "xstest", "en", "share", "block"),
    ("Korean hate, F1", "kmhas_ko", "ko", "f1", ""),
    ("Korean hate, F1", "beep_ko", "ko", "f1", ""),
    ("Korean abuse, F1", "curse_ko", "ko", "f1", ""),
    ("Korean bias, F1", "kosbi_ko", "ko", "f1", ""),
    ("Korean jailbreaks stopped", "multijail", "ko", "share", "block"),
    ("English jailbreaks stopped", "multijail", "en", "share", "block"),
    ("harmful requests stopped", "harmbench", "en", "share", "block"),
    ("harmful requests stopped", "advbench", "en", "share", "block"),
    ("ordinary instructions stopped", "alpaca_harmless", "en", "share", "allow"),
    ("ordinary questions stopped", "square_ko", "ko", "share", ""),
    ("ordinary headlines stopped", "beep_news_title_ko", "ko", "share", "allow"),
)


@dataclass(frozen=True, slots=True)
class Remembered:
    """A model that looks vectors up instead of encoding passages again."""

    model: Classifier
    corpus: Corpus

    @property
    def sha256(self) -> str:
        """Name the model."""
        return self.model.sha256

    def levels(self, readings: tuple[Normalized, ...]) -> dict[str, int]:
        """See `Classifier.levels`."""
        pieces = passages(readings)
        if not all(piece in self.corpus.index for piece in pieces):
            return self.model.levels(readings)
        places = [self.corpus.index[piece] for piece in pieces]
        language = "ko" if any("가" <= char <= "힣" for char in readings[0].text) else "en"
        if not pieces:
            return dict.fromkeys(HEADS, 0)
        scores = self.model.best(pieces, self.corpus.vectors[places].astype(np.float32))
        return {head: self.model.level(head, score, language) for head, score in scores.items()}


def verdicts(rows: Sequence[Row], corpus: Corpus, model: Classifier) -> list[Verdict]:
    """Decide every row with the newsroom pack and a model."""
    engine = Engine(load_pack(), input_key=bytes(32), classifier=lambda: Remembered(model, corpus))
    return [engine.screen_prompt(row.text, at=_AT, decision_id="measure").verdict for row in rows]


def measured(corpus: Corpus, model: Classifier, *, only: str = "") -> Iterator[dict[str, object]]:
    """Give every figure, or those of one set."""
    known: dict[tuple[str, str], tuple[list[Row], list[Verdict]]] = {}
    for name, source, lang, kind, label in _FIGURES:
        if only and source != only:
            continue
        if (source, lang) not in known:
            rows = chosen([row for row in corpus.rows if row.source == source and lang in ("", row.lang)])
            known[(source, lang)] = rows, verdicts(rows, corpus, model)
        rows, decided = known[(source, lang)]
        pairs = [(row, verdict) for row, verdict in zip(rows, decided, strict=True) if label in ("", row.label)]
        stopped = np.array(
            [verdict is Verdict.BLOCK if kind == "blocked" else verdict is not Verdict.ALLOW for _, verdict in pairs]
        )
        harmful = np.array([row.label != "allow" for row, _ in pairs])
        value = f1 if kind == "f1" else share
        low, high = interval(value, stopped, harmful)
        yield {
            "figure": name,
            "set": source,
            "lang": lang,
            "n": len(pairs),
            "value": round(value(stopped, harmful), 4),
            "low": round(low, 4),
            "high": round(high, 4),
        }


def chosen(rows: Sequence[Row]) -> list[Row]:
    """Give at most so many rows of a set, the same ones every time."""
    order = np.random.default_rng(7).permutation(len(rows))[:_MOST]
    return [rows[place] for place in sorted(order.tolist())]


def share(stopped: np.ndarray, harmful: np.ndarray) -> float:
    """Give the share that was stopped."""
    del harmful
    return float(stopped.mean())


def f1(stopped: np.ndarray, harmful: np.ndarray) -> float:
    """Give the F1 of stopping what is harmful."""
    hit = float((stopped & harmful).sum())
    return 2 * hit / max(1.0, float(stopped.sum() + harmful.sum()))


def interval(
    value: Callable[[np.ndarray, np.ndarray], float], stopped: np.ndarray, harmful: np.ndarray
) -> tuple[float, float]:
    """Give the 95 % bootstrap interval of a figure."""
    rng = np.random.default_rng(7)
    draws = [rng.integers(0, len(stopped), len(stopped)) for _ in range(_RESAMPLES)]
    values = sorted(value(stopped[draw], harmful[draw]) for draw in draws)
    return values[25], values[974]


def left_out(teacher: Teacher, source: str, words: Path) -> Classifier:
    """Make the model and its thresholds again without one set."""
    rest = Teacher(without(teacher.corpus, source), teacher.cues)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(words, Path(folder) / "cues.yaml")
        save({head: rest.fit(head) for head in HEADS}, thresholds(rest), words.read_bytes(), Path(folder))
        load_classifier.cache_clear()
        return load_classifier(Path(folder))


def without(corpus: Corpus, source: str) -> Corpus:
    """Give a corpus without the rows of one set; passages keep their places."""
    rows = tuple(row for row in corpus.rows if row.source != source)
    return Corpus(rows, corpus.index, corpus.vectors, corpus.letters)


def main() -> None:
    """Measure, and print one line a figure."""
    shipped = Path(__file__).parent.parent / "platemark_policy" / "weights"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--folder", type=Path, default=shipped)
    parser.add_argument("--left-out", nargs="*", default=[], help="sets to leave out in turn, such as xstest")
    given = parser.parse_args()
    words = given.folder / "cues.yaml"
    teacher = teacher_for(given.data, given.cache, words.read_bytes())
    model = load_classifier(given.folder)
    for row in measured(teacher.corpus, model):
        sys.stdout.write(json.dumps({"how": "learnt" if row["set"] in MAY_TRAIN else "unseen", **row}) + "\n")
    # The Korean levels are set on square_ko, so it cannot be left out.
    for source in sorted(set(given.left_out) & set(MAY_TRAIN) - {"square_ko"}):
        for row in measured(teacher.corpus, left_out(teacher, source, words), only=source):
            sys.stdout.write(json.dumps({"how": "left out", **row}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
