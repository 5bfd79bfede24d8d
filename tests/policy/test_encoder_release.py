"""The sentence encoder lets go of its memory when it is told to, and comes back when it is asked."""

import numpy as np

from platemark_policy.encoder import encode, release_encoder


def test_a_released_encoder_gives_the_same_vectors_again() -> None:
    before = encode(["a calm blue sea"])

    release_encoder()
    after = encode(["a calm blue sea"])

    np.testing.assert_array_equal(before, after)


def test_letting_go_twice_is_no_mistake() -> None:
    release_encoder()
    release_encoder()

    assert encode([]).shape == (0, 512)
