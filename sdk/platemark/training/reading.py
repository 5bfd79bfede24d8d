"""Training the reader: a transformer of two or three blocks on made-up prompts.

One rule: what is trained here is computed again without torch by `platemark.generation.reader`, to the same answers.
"""

import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from einops import rearrange
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional

from platemark.generation.reader import MAX_PIECES, VOCABULARY, WEIGHTS, ReaderShape, pieces_of
from platemark.generation.tokens import Vocabulary
from platemark.training.phrasing import Prompt, make_prompt
from platemark.training.vocabulary import learn_vocabulary
from platemark.training.world.attributes import SLOT_SIZES, SLOT_VALUES

SHAPE = ReaderShape(width=96, heads=4, depth=3, slots=SLOT_VALUES)
MERGES = 700
_FOR_VOCABULARY = 20_000
_FIRST_FOR_TEST = 1 << 40


class ReaderBlock(nn.Module):
    """Attention and an MLP, each around the identity."""

    def __init__(self, shape: ReaderShape) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.first = nn.Parameter(torch.ones(width))
        self.second = nn.Parameter(torch.ones(width))
        self.mixed = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.inner = nn.Linear(width, 3 * width)
        self.outer = nn.Linear(3 * width, width)

    def forward(self, states: Tensor, there: Tensor) -> Tensor:
        """Update (b, n, d) states; `there` (b, n) bool marks those that are not padding."""
        mixed = self.mixed(functional.rms_norm(states, states.shape[-1:], self.first, 1e-6))
        query, key, value = rearrange(mixed, "b n (k a d) -> k b a n d", k=3, a=self.heads)
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=there[:, None, None])
        states = states + self.out(rearrange(attended, "b a n d -> b n (a d)"))
        hidden = self.inner(functional.rms_norm(states, states.shape[-1:], self.second, 1e-6))
        result: Tensor = states + self.outer(functional.relu(hidden).square())
        return result


class ReaderNetwork(nn.Module):
    """A question for each slot, then the pieces of a prompt: every slot's value, and whether each piece is expressed.

    Source: Vaswani et al., 2017, the encoder, with the norm before each part.
    """

    def __init__(self, shape: ReaderShape, *, pieces: int) -> None:
        super().__init__()
        self.piece = nn.Embedding(pieces, shape.width)
        self.place = nn.Embedding(MAX_PIECES, shape.width)
        self.queries = nn.Parameter(torch.randn(len(shape.slots), shape.width) * 0.3)
        self.blocks = nn.ModuleList(ReaderBlock(shape) for _ in range(shape.depth))
        self.last = nn.Parameter(torch.ones(shape.width))
        self.heads = nn.ModuleList(nn.Linear(shape.width, size) for size in SLOT_SIZES)
        self.tag = nn.Linear(shape.width, 1)
        for table in (self.piece, self.place):
            nn.init.normal_(table.weight, std=0.3)

    def forward(self, pieces: Tensor, there: Tensor) -> tuple[list[Tensor], Tensor]:
        """Read (b, n) pieces: logits (b, size) for each slot, and (b, n) logits of being expressed."""
        b, n = pieces.shape
        tokens = self.piece(pieces) + self.place.weight[:n]
        states = torch.cat([self.queries.expand(b, -1, -1), tokens], dim=1)
        slots = len(self.queries)
        mask = torch.cat([there.new_ones(b, slots), there], dim=1)
        for block in self.blocks:
            states = block(states, mask)
        states = functional.rms_norm(states, states.shape[-1:], self.last, 1e-6)
        return [head(states[:, i]) for i, head in enumerate(self.heads)], self.tag(states[:, slots:])[..., 0]


@dataclass(frozen=True, slots=True)
class Trained:
    """A reader's network, its vocabulary, and the loss of each hundred steps."""

    network: ReaderNetwork
    vocabulary: Vocabulary
    losses: tuple[float, ...]


def reader_vocabulary(*, seed: int = 1, prompts: int = _FOR_VOCABULARY, merges: int = MERGES) -> Vocabulary:
    """Learn the vocabulary of so many prompts."""
    words: Counter[str] = Counter()
    known: set[str] = set()
    for number in range(prompts):
        prompt = make_prompt(seed, number)
        words.update(prompt.words)
        known.update(word for word, said in zip(prompt.words, prompt.expressed, strict=True) if said)
    return replace(learn_vocabulary(words, merges=merges), words=frozenset(known))


def train_reader(vocabulary: Vocabulary, *, steps: int, batch: int = 64, seed: int = 1) -> Trained:
    """Train a reader; the same steps and seed give the same one on one kind of machine."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = ReaderNetwork(SHAPE, pieces=vocabulary.size)
    adam = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, max_lr=2e-3, total_steps=steps, pct_start=0.1)
    generator = torch.Generator().manual_seed(seed)
    losses: list[float] = []
    total = 0.0
    for step in range(steps):
        prompts = [make_prompt(seed, step * batch + i) for i in range(batch)]
        loss = reading_loss(network, vocabulary, prompts, generator)
        adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships no type for it
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        adam.step()
        schedule.step()
        total += float(loss.detach())
        if (step + 1) % 100 == 0:
            losses.append(total / 100)
            total = 0.0
    return Trained(network.eval(), vocabulary, tuple(losses))


def reading_loss(
    network: ReaderNetwork, vocabulary: Vocabulary, prompts: list[Prompt], generator: torch.Generator
) -> Tensor:
    """Measure wrong slots and wrong marks; one piece in twenty is hidden, so that no single one is trusted alone."""
    cut = [pieces_of(vocabulary, prompt.words) for prompt in prompts]
    longest = max(len(pieces) for pieces, _ in cut)
    pieces = torch.zeros(len(cut), longest, dtype=torch.int64)
    there = torch.zeros(len(cut), longest, dtype=torch.bool)
    marks = torch.zeros(len(cut), longest)
    for row, ((own, owners), prompt) in enumerate(zip(cut, prompts, strict=True)):
        pieces[row, : len(own)] = torch.tensor(own)
        there[row, : len(own)] = True
        marks[row, : len(own)] = torch.tensor([float(prompt.expressed[i]) if i >= 0 else 0.0 for i in owners])
    hidden = torch.rand(pieces.shape, generator=generator) < 0.03
    guesses, tags = network(pieces.masked_fill(hidden, 0), there)
    answers = torch.tensor([prompt.slots for prompt in prompts])
    wrong = torch.stack([functional.cross_entropy(guess, answers[:, i]) for i, guess in enumerate(guesses)]).sum()
    return wrong + functional.binary_cross_entropy_with_logits(tags[there], marks[there])


@torch.inference_mode()
def share_right(trained: Trained, *, prompts: int, seed: int = 2) -> float:
    """Tell of how many new prompts every slot is read right."""
    right = 0
    for number in range(prompts):
        prompt = make_prompt(seed, _FIRST_FOR_TEST + number)
        pieces, _ = pieces_of(trained.vocabulary, prompt.words)
        guesses, _ = trained.network(torch.tensor([pieces]), torch.ones(1, len(pieces), dtype=torch.bool))
        right += tuple(int(guess.argmax()) for guess in guesses) == prompt.slots
    return right / prompts


def reader_bytes(network: ReaderNetwork) -> bytes:
    """Give the network in half precision, as `platemark.generation.reader.reader_from` takes it."""
    tensors = {name: tensor.detach().to(torch.float16).contiguous() for name, tensor in network.state_dict().items()}
    form = {
        "width": SHAPE.width,
        "heads": SHAPE.heads,
        "depth": SHAPE.depth,
        "slots": {slot: list(names) for slot, names in SHAPE.slots.items()},
    }
    return save(tensors, {"shape": json.dumps(form)})


def write_reader(trained: Trained, folder: Path) -> None:
    """Write the two files of a reader."""
    (folder / VOCABULARY).write_text(trained.vocabulary.to_json(), encoding="utf-8")
    (folder / WEIGHTS).write_bytes(reader_bytes(trained.network))
