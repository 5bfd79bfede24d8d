"""Tiny pipelines with random weights, built and saved here: nothing is fetched, and each takes a second."""

import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


def save_tiny(kind: str, folder: Path) -> Path:
    """Build one of `KINDS` and save it."""
    torch.manual_seed(0)
    KINDS[kind]().save_pretrained(str(folder))
    return folder


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -2.0)]
    pieces += [(character, -3.0) for character in string.printable.strip()]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=128
    )


def _text_encoder() -> Any:
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(
        T5Config(vocab_size=1103, d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4, decoder_start_token_id=0)
    ).eval()


def _wan(*, takes_image: bool = False, both: bool = False) -> Any:
    import diffusers
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    shape: dict[str, Any] = {"in_channels": 36, "image_dim": 4} if takes_image else {"in_channels": 16}
    parts: dict[str, Any] = {
        "transformer": diffusers.WanTransformer3DModel(
            patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, out_channels=16, text_dim=32,
            freq_dim=32, ffn_dim=32, num_layers=2, cross_attn_norm=True, qk_norm="rms_norm_across_heads",
            rope_max_seq_len=32, **shape,
        ),
        "vae": diffusers.AutoencoderKLWan(
            base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
        ),
        "scheduler": diffusers.FlowMatchEulerDiscreteScheduler(shift=7.0),
        "text_encoder": _text_encoder(),
        "tokenizer": _tokenizer(),
    }  # fmt: skip
    if not takes_image:
        return diffusers.WanPipeline(**parts, expand_timesteps=both)
    vision = CLIPVisionConfig(
        hidden_size=4, projection_dim=4, num_hidden_layers=2, num_attention_heads=2, image_size=32,
        intermediate_size=16, patch_size=1,
    )  # fmt: skip
    return diffusers.WanImageToVideoPipeline(
        image_encoder=CLIPVisionModelWithProjection(vision),
        image_processor=CLIPImageProcessor(crop_size=32, size=32),
        **parts,
    )


def _ltx(class_name: str) -> Any:
    import diffusers

    vae = diffusers.AutoencoderKLLTXVideo(
        in_channels=3, out_channels=3, latent_channels=8, block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8), layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1), spatio_temporal_scaling=(True, True, True, False),
        decoder_spatio_temporal_scaling=(True, True, True, False), decoder_inject_noise=(False,) * 5,
        upsample_residual=(False,) * 4, upsample_factor=(1,) * 4, timestep_conditioning=False, patch_size=4,
        patch_size_t=1, encoder_causal=True, decoder_causal=False,
    )  # fmt: skip
    return getattr(diffusers, class_name)(
        transformer=diffusers.LTXVideoTransformer3DModel(
            in_channels=8, out_channels=8, patch_size=1, patch_size_t=1, num_attention_heads=4, attention_head_dim=8,
            cross_attention_dim=32, num_layers=1, caption_channels=32,
        ),
        vae=vae,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        text_encoder=_text_encoder(),
        tokenizer=_tokenizer(),
    )  # fmt: skip


def _cog() -> Any:
    import diffusers

    return diffusers.CogVideoXPipeline(
        transformer=diffusers.CogVideoXTransformer3DModel(
            num_attention_heads=4, attention_head_dim=8, in_channels=4, out_channels=4, time_embed_dim=2,
            text_embed_dim=32, num_layers=1, sample_width=16, sample_height=16, sample_frames=9, patch_size=2,
            temporal_compression_ratio=4, max_text_seq_length=226,
        ),
        vae=diffusers.AutoencoderKLCogVideoX(
            in_channels=3, out_channels=3, down_block_types=("CogVideoXDownBlock3D",) * 4,
            up_block_types=("CogVideoXUpBlock3D",) * 4, block_out_channels=(8, 8, 8, 8), latent_channels=4,
            layers_per_block=1, norm_num_groups=2, temporal_compression_ratio=4,
        ),
        scheduler=diffusers.DDIMScheduler(),
        text_encoder=_text_encoder(),
        tokenizer=_tokenizer(),
    )  # fmt: skip


def _mochi() -> Any:
    import diffusers

    return diffusers.MochiPipeline(
        transformer=diffusers.MochiTransformer3DModel(
            patch_size=2, num_attention_heads=2, attention_head_dim=8, num_layers=2, pooled_projection_dim=16,
            in_channels=12, qk_norm="rms_norm", text_embed_dim=32, time_embed_dim=4, max_sequence_length=16,
        ),
        vae=diffusers.AutoencoderKLMochi(
            latent_channels=12, out_channels=3, encoder_block_out_channels=(32, 32, 32, 32),
            decoder_block_out_channels=(32, 32, 32, 32), layers_per_block=(1, 1, 1, 1, 1),
        ),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        text_encoder=_text_encoder(),
        tokenizer=_tokenizer(),
    )  # fmt: skip


KINDS: dict[str, Callable[[], Any]] = {
    "wan-t2v": _wan,
    "wan-i2v": lambda: _wan(takes_image=True),
    "wan-ti2v": lambda: _wan(both=True),
    "ltx-t2v": lambda: _ltx("LTXPipeline"),
    "ltx-condition": lambda: _ltx("LTXConditionPipeline"),
    "cog-t2v": _cog,
    "mochi-t2v": _mochi,
}
"""What can be built, by name."""
