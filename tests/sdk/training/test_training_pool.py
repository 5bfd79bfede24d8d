"""Latents held ready."""

import pytest
import torch

from platemark.training.pool import CHUNK, Encoded, LatentPool


class _Encoder:
    """Gives chunks whose latents are the numbers of their clips, and remembers which were asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, chunk: int) -> Encoded:
        """Encode a chunk."""
        self.asked.append(chunk)
        number = torch.arange(chunk * CHUNK, (chunk + 1) * CHUNK)
        shares = number.float().reshape(CHUNK, 1, 1)
        return Encoded(number.float().reshape(CHUNK, 1, 1, 1, 1), number[:, None], shares)


@pytest.fixture
def encoder() -> _Encoder:
    """An encoder that counts."""
    return _Encoder()


@pytest.fixture
def pool(encoder: _Encoder) -> LatentPool:
    """Three chunks, of which one is new every second step."""
    return LatentPool(encoder, chunks=3, refresh=2)


def _draw(pool: LatentPool, step: int) -> Encoded:
    pool.prepare(step)
    return pool.draw(step, 64, generator=torch.Generator().manual_seed(step))


@pytest.mark.parametrize(("step", "window"), [(0, range(0, 3)), (1, range(0, 3)), (2, range(1, 4)), (9, range(4, 7))])
def test_the_window_follows_from_the_step(pool: LatentPool, step: int, window: range) -> None:
    assert pool.window(step) == window


def test_a_chunk_is_encoded_once(pool: LatentPool, encoder: _Encoder) -> None:
    for_steps = [_draw(pool, step) for step in range(5)]

    assert len(for_steps) == 5
    assert encoder.asked == [0, 1, 2, 3, 4]


def test_a_pool_that_was_begun_later_draws_the_same(pool: LatentPool) -> None:
    along = [_draw(pool, step) for step in range(8)][-1]

    late = _draw(LatentPool(_Encoder(), chunks=3, refresh=2), 7)

    assert torch.equal(along.latents, late.latents)


def test_clips_come_from_the_window_and_keep_their_slots_and_actions(pool: LatentPool) -> None:
    drawn = _draw(pool, 4)

    assert set(drawn.slots.flatten().tolist()) <= set(range(2 * CHUNK, 5 * CHUNK))
    assert torch.equal(drawn.latents.flatten().long(), drawn.slots.flatten())
    assert torch.equal(drawn.latents.flatten(), drawn.actions.flatten())


def test_filling_tells_how_far_it_is(pool: LatentPool) -> None:
    told: list[tuple[int, int]] = []

    pool.prepare(0, on_chunk=lambda done, total: told.append((done, total)))

    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_pool_of_one_chunk_works() -> None:
    drawn = _draw(LatentPool(_Encoder(), chunks=1, refresh=1), 0)

    assert drawn.latents.shape == (64, 1, 1, 1, 1)
