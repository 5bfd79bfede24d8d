"""The transformer takes every shape, reads its condition, and treats each frame by its own noise level."""

import pytest
import torch

from platemark.generation.checkpoint import Networks
from platemark.generation.transformer import Condition, VideoTransformer


def predict(network: VideoTransformer, latents: torch.Tensor, level: float = 0.5, slots: int = 1) -> torch.Tensor:
    b, t = latents.shape[:2]
    condition = network.encode_slots(torch.full((b, len(network.config.slot_sizes)), slots))
    result: torch.Tensor = network(latents, torch.full((b, t), level), condition, torch.arange(t).expand(b, -1))
    return result


@pytest.mark.parametrize(
    "shape",
    [(1, 1, 1, 1), (1, 1, 8, 8), (2, 3, 7, 5), (1, 7, 2, 9), (3, 2, 4, 4)],
)
def test_the_prediction_has_the_shape_of_the_latents(
    tiny_transformer: VideoTransformer, shape: tuple[int, int, int, int]
) -> None:
    latents = torch.randn(*shape, 3)

    predicted = predict(tiny_transformer, latents)

    assert predicted.shape == latents.shape
    assert predicted.dtype == torch.float32


def test_clips_of_one_batch_do_not_see_one_another(tiny_transformer: VideoTransformer) -> None:
    latents = torch.randn(2, 2, 4, 4, 3)

    together = predict(tiny_transformer, latents)
    alone = predict(tiny_transformer, latents[1:])

    assert torch.allclose(together[1:], alone, atol=1e-5)


def test_the_condition_changes_the_prediction(tiny_transformer: VideoTransformer) -> None:
    latents = torch.randn(1, 2, 4, 4, 3)

    one, other = predict(tiny_transformer, latents, slots=1), predict(tiny_transformer, latents, slots=2)

    assert (one - other).abs().max() > 1e-3


def test_every_slot_has_embeddings_of_its_own(tiny_transformer: VideoTransformer) -> None:
    condition = tiny_transformer.encode_slots(torch.tensor([[1, 1]]))

    assert condition.tokens.shape == (1, 2 + 2, 32)
    assert not torch.allclose(condition.tokens[0, 0], condition.tokens[0, 1])


def test_conditions_are_stacked_in_order(tiny_transformer: VideoTransformer) -> None:
    first = tiny_transformer.encode_slots(torch.tensor([[1, 2]]))
    second = tiny_transformer.encode_slots(torch.tensor([[0, 0]]))

    both = first.stack(second)

    assert torch.equal(both.tokens, torch.cat([first.tokens, second.tokens]))
    assert torch.equal(both.vector, torch.cat([first.vector, second.vector]))


def test_a_frame_without_noise_is_marked_as_given(tiny_transformer: VideoTransformer) -> None:
    latents = torch.randn(1, 2, 4, 4, 3)
    condition = tiny_transformer.encode_slots(torch.tensor([[1, 1]]))
    levels, positions = torch.tensor([[0.0, 0.5]]), torch.arange(2)[None]

    marked = tiny_transformer(latents, levels, condition, positions)
    tiny_transformer.given_mark.zero_()
    unmarked = tiny_transformer(latents, levels, condition, positions)

    assert not torch.allclose(marked, unmarked)


def test_the_mark_is_put_on_no_noisy_frame(tiny_transformer: VideoTransformer) -> None:
    latents = torch.randn(1, 2, 4, 4, 3)

    marked = predict(tiny_transformer, latents)
    tiny_transformer.given_mark.zero_()

    assert torch.equal(marked, predict(tiny_transformer, latents))


def test_frames_may_come_in_any_order_if_their_index_says_so(tiny_transformer: VideoTransformer) -> None:
    latents = torch.randn(1, 3, 4, 4, 3)
    levels = torch.tensor([[0.2, 0.5, 0.9]])
    condition = tiny_transformer.encode_slots(torch.tensor([[1, 3]]))
    order = torch.tensor([2, 0, 1])

    straight = tiny_transformer(latents, levels, condition, torch.arange(3)[None])
    shuffled = tiny_transformer(latents[:, order], levels[:, order], condition, order[None])

    assert torch.allclose(straight[:, order], shuffled, atol=1e-5)


def test_a_new_transformer_predicts_nothing() -> None:
    from platemark.generation.config import TransformerConfig

    network = VideoTransformer(TransformerConfig(width=32, heads=2, depth=1))

    predicted = predict(network, torch.randn(1, 2, 4, 4, 16))

    assert bool((predicted == 0).all())


def test_the_number_of_context_tokens_is_free(tiny_transformer: VideoTransformer) -> None:
    condition = Condition(torch.randn(1, 4, 32), torch.randn(1, 32))

    predicted = tiny_transformer(torch.randn(1, 1, 2, 2, 3), torch.ones(1, 1), condition, torch.zeros(1, 1))

    assert predicted.shape == (1, 1, 2, 2, 3)


def test_the_shipped_transformer_predicts_its_own_clean_latents(networks: Networks) -> None:
    """A given clip at no noise is what the model believes it to be: the prediction stays near the latents."""
    generator = torch.Generator().manual_seed(0)
    video = torch.rand(1, 1, 64, 64, 3, generator=generator) * 0.1 - 0.5
    latents = networks.autoencoder.encode(video)
    slots = torch.zeros(1, 9, dtype=torch.int64)

    predicted = networks.transformer(
        latents, torch.full((1, 1), 0.02), networks.transformer.encode_slots(slots), torch.zeros(1, 1)
    )

    assert (predicted - latents).square().mean() < 0.5 * latents.square().mean()
