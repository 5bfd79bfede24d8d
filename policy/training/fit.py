"""Fit one judgement: a logistic regression over the encoder's vector and the letter groups.

One rule: pure functions of arrays; a fixed starting point and a convex loss, so that the same data give the same model.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from platemark_policy.ngrams import BUCKETS, ngram_buckets

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was learnt: weights for the vector (512,), for the letter groups (BUCKETS,), and the starting score."""

    dense: Floats
    letters: Floats
    bias: float

    def scores(self, vectors: Floats, letters: csr_matrix) -> Floats:
        """Give the score of each row; above 0 means rather harmful than not."""
        return np.asarray(vectors @ self.dense + letters @ self.letters + self.bias)


@dataclass(frozen=True, slots=True)
class Strength:
    """How much each kind of weight is held back."""

    dense: float = 2.0
    letters: float = 6.0


def letter_matrix(texts: list[str]) -> csr_matrix:
    """Give the letter groups of texts as a sparse (n, BUCKETS) matrix."""
    parts = [ngram_buckets(text) for text in texts]
    pointers = np.concatenate([[0], np.cumsum([len(buckets) for buckets, _ in parts])])
    columns = np.concatenate([buckets for buckets, _ in parts])
    values = np.concatenate([weights for _, weights in parts]).astype(np.float64)
    return csr_matrix((values, columns, pointers), shape=(len(texts), BUCKETS))


def fit(vectors: Floats, letters: csr_matrix, harmful: Floats, weights: Floats, strength: Strength) -> Fitted:
    """Fit weights by L-BFGS.

    Args:
        vectors: (n, 512).
        letters: (n, BUCKETS).
        harmful: (n,) of 0 and 1.
        weights: (n,) how much each row counts; their sum sets the balance against `strength`.
        strength: how much the weights are held back.
    """
    width = vectors.shape[1]
    held = np.concatenate([np.full(width, strength.dense), np.full(letters.shape[1], strength.letters), [0.0]])

    def _loss(theta: Floats) -> tuple[float, Floats]:
        score = vectors @ theta[:width] + letters @ theta[width:-1] + theta[-1]
        sign = 2 * harmful - 1
        margin = sign * score
        loss = float((weights * np.logaddexp(0, -margin)).sum() + 0.5 * (held * theta * theta).sum())
        slope = -weights * sign / (1 + np.exp(np.clip(margin, -50, 50)))
        gradient = np.concatenate([vectors.T @ slope, letters.T @ slope, [slope.sum()]]) + held * theta
        return loss, gradient

    found = minimize(
        _loss, np.zeros(width + letters.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 300}
    )
    return Fitted(found.x[:width], found.x[width:-1], float(found.x[-1]))
