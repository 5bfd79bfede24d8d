"""Ask a guard model in a folder on this machine: the policy's only door to transformers.

One rule: nothing is fetched and no code of the folder is run. The model reads weights as safetensors, answers greedily,
and an answer that is not one of the family's is a failure, never a pass.
"""

import time
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from platemark_policy.errors import PolicyError
from platemark_policy.guard_forms import GuardForm, Question, hazard_names, questions

_MOST_NEW_TOKENS = 24
_MOST_TOKENS = 8_192
_YES, _NO = ("Yes", "\u2581Yes", "\u0120Yes", "yes"), ("No", "\u2581No", "\u0120No", "no")


@dataclass(frozen=True, slots=True)
class LocalGuard:
    """A guard model in a folder, as transformers saves one.

    Args:
        folder: with `config.json`, a tokenizer and weights as safetensors.
        form: the family, whose wording it is asked in.
        timeout_s: how long all its answers about one prompt may take.

    Raises:
        PolicyError: the folder holds no such model, or transformers is not installed.
    """

    folder: Path
    form: GuardForm = "llama-guard"
    timeout_s: float = 10.0

    def __post_init__(self) -> None:
        """Refuse a folder that cannot be a model, before the first prompt needs it."""
        if not (self.folder / "config.json").is_file() or not any(self.folder.glob("*.safetensors")):
            raise PolicyError(
                f"{self.folder} holds no guard model (config.json and *.safetensors).",
                fix="Save one there with transformers: model.save_pretrained(…), tokenizer.save_pretrained(…)",
            )
        if find_spec("transformers") is None or find_spec("torch") is None:
            raise PolicyError("A guard model needs transformers and torch.", fix="Run: pip install 'platemark[guard]'")

    def objections(self, text: str) -> tuple[str, ...]:
        """See `Guard.objections`."""
        try:
            return self._ask_all(text)
        except (RuntimeError, ValueError, OSError, LookupError, TypeError, AttributeError, ImportError) as error:
            raise PolicyError(f"The guard model did not answer ({type(error).__name__}).") from error

    def _ask_all(self, text: str) -> tuple[str, ...]:
        model, until = _load(self.folder), time.monotonic() + self.timeout_s
        if any(word in text for word in model.control_words):
            return ("control_words",)
        found = (self._ask(model, question, text, until) for question in questions(self.form))
        return tuple(sorted(set().union(*found)))

    def _ask(self, model: "_Model", question: Question, text: str, until: float) -> tuple[str, ...]:
        tokens = model.tokens(question, text)
        if question.answer == "yes-no":
            return (question.category,) if model.says_yes(tokens) else ()
        answer = model.write(tokens, until)
        first, _, second = answer.strip().partition("\n")
        if first.strip().lower() not in ("safe", "unsafe"):
            raise PolicyError("The guard model answered neither safe nor unsafe.")
        if first.strip().lower() == "safe":
            return ()
        return hazard_names(second) or (question.category,)


@dataclass(frozen=True, slots=True)
class _Model:
    """A loaded model, asked one token at a time."""

    network: Any
    tokenizer: Any
    control_words: tuple[str, ...]

    def tokens(self, question: Question, text: str) -> list[int]:
        """Give the tokens of a question; a prompt cannot add control words to it, since none is in it."""
        parts = (question.before, text, question.after)
        tokens = [token for part in parts for token in self.tokenizer.encode(part, add_special_tokens=False)]
        if not 0 < len(tokens) <= _MOST_TOKENS:
            raise PolicyError(f"The guard model can read {_MOST_TOKENS} tokens; this prompt has {len(tokens)}.")
        return tokens

    def next_scores(self, tokens: list[int]) -> Any:
        """Give the scores of every next token."""
        import torch

        with torch.inference_mode():
            scores = self.network(torch.tensor([tokens])).logits[0, -1].float()
        if not bool(torch.isfinite(scores).all()):
            raise PolicyError("The guard model's scores are not numbers.")
        return scores

    def says_yes(self, tokens: list[int]) -> bool:
        """Tell whether the model would rather go on with yes than with no."""
        words, scores = self.tokenizer.get_vocab(), self.next_scores(tokens)
        yes, no = ([float(scores[words[word]]) for word in spellings if word in words] for spellings in (_YES, _NO))
        if not yes or not no:
            raise PolicyError("The guard model has no word for yes or no.", fix="Check [policy] guard_form.")
        return max(yes) >= max(no)

    def write(self, tokens: list[int], until: float) -> str:
        """Give what the model writes, greedily, up to two lines."""
        written: list[int] = []
        while len(written) < _MOST_NEW_TOKENS:
            if time.monotonic() > until:
                raise PolicyError("The guard model took too long.")
            token = int(self.next_scores(tokens + written).argmax())
            if token in (self.tokenizer.eos_token_id, self.network.config.eos_token_id):
                break
            written.append(token)
        return str(self.tokenizer.decode(written, skip_special_tokens=True))


@lru_cache(maxsize=2)
def _load(folder: Path) -> _Model:
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    try:
        network = AutoModelForCausalLM.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False, use_safetensors=True
        )
    except SafetensorError as error:
        raise PolicyError(f"The weights in {folder} are damaged.", fix="Save the guard model again.") from error
    words = {*tokenizer.all_special_tokens, *tokenizer.get_added_vocab()}
    return _Model(network.eval(), tokenizer, tuple(sorted(word for word in words if word.strip())))
