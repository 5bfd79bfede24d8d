"""The options of `platemark generate`, each with the words that explain it.

One rule: types and help only; what an option means is decided by `platemark.making.asking`.
"""

from pathlib import Path
from typing import Annotated

import typer

from platemark.errors import RequestError
from platemark.inputs import Task


def given_recipient(context: typer.Context, recipient: str) -> str:
    """Refuse `--recipient ""`, which a script with an empty variable gives: the copy would lead back to nobody.

    Raises:
        RequestError: the option was given and names nobody.
    """
    source = context.get_parameter_source("recipient")
    if not recipient.strip() and source is not None and source.name != "DEFAULT":
        raise RequestError("The recipient's name is empty.", fix="Say who the copy is for, or leave --recipient out.")
    return recipient


Prompt = Annotated[str | None, typer.Argument(help="What to show, in English or Korean.")]
Batch = Annotated[
    Path | None,
    typer.Option(
        "--batch",
        help="Many clips from a file of JSON lines, each with a prompt and options; --out then names their folder. "
        "The other options are for lines that do not say otherwise.",
    ),
]
Workers = Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes for a batch; one GPU for each.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="The final path: .mp4 for a clip; .png, .jpg or .webp for a picture."),
]
TaskName = Annotated[
    str | None,
    typer.Option("--task", help=f"One of {', '.join(Task)}. Left out, it follows from --image, --clip and --out."),
]
Images = Annotated[
    list[str] | None,
    typer.Option(
        "--image",
        help="A picture: the first frame, or a keyframe with its place: FILE@12 (frame), FILE@1.5s (time), FILE@end. "
        "Repeatable.",
    ),
]
Clips = Annotated[
    list[Path] | None,
    typer.Option("--clip", help="A clip to go on from, change or, given twice, connect. Its sound is left out."),
]
Fill = Annotated[
    str | None, typer.Option("--fill", help="The frames to make anew: 12-20 (both included), or 0.5s-1.2s.")
]
Actions = Annotated[
    str | None,
    typer.Option(
        "--actions",
        help="A world: what the camera does, frame by frame: forward*8,left*4,jump. For weights trained with actions.",
    ),
]
Seconds = Annotated[
    float | None, typer.Option(help="Length, 0.25 to 60: of the clip, of what is added, or of the passage.")
]
FrameSize = Annotated[
    str | None,
    typer.Option("--size", help="Frame size, for example 512x512 or 1280x720. Left out, it follows the given files."),
]
Fps = Annotated[int | None, typer.Option(help="Frames a second, 1 to 60.")]
Seed = Annotated[int | None, typer.Option(help="Same seed, same frames.")]
Model = Annotated[str | None, typer.Option(help="See: platemark models list.")]
Strength = Annotated[float | None, typer.Option(help="How far an edit may go from the clip: 0 (not) to 1 (anywhere).")]
Negative = Annotated[str, typer.Option(help="What to stay away from. The policy screens it too.")]
Steps = Annotated[int | None, typer.Option(help="Sampling steps, 1 to 250.")]
Guidance = Annotated[float | None, typer.Option(help="How strictly to follow the prompt, 1 to 20.")]
Sampler = Annotated[str, typer.Option(help="euler, or heun (finer, about twice the work).")]
Shift = Annotated[float | None, typer.Option(help="More (above 1) or less of the walk at high noise, 0.1 to 20.")]
Rewrite = Annotated[
    bool, typer.Option("--rewrite/--no-rewrite", help="Put the prompt into the model's own words; screened again.")
]
AllowSource = Annotated[
    list[str] | None,
    typer.Option("--allow-source", help="Use a source that is `tampered` or `untrusted`; needs --reason and --actor."),
]
Reason = Annotated[str, typer.Option(help="Why such a source is used; everybody can read it in the manifest.")]
Actor = Annotated[str, typer.Option(help="Who asks; the log keeps a pseudonym.")]
Byline = Annotated[str, typer.Option(help="Who is named for it; sealed in the log.")]
Desk = Annotated[str, typer.Option(help="The desk it is for.")]
Recipient = Annotated[
    str,
    typer.Option(
        help="Who this copy is for: its mark leads back to them. Sealed in the log.", callback=given_recipient
    ),
]
LabelLang = Annotated[str | None, typer.Option("--label-lang", help="Language of the label.")]
LabelIcon = Annotated[
    Path | None,
    typer.Option(
        "--label-icon",
        help="A PNG with transparency left of the label's words, drawn in greys: 16 to 1024 pixels a side, 1 MiB.",
    ),
]
LabelVtt = Annotated[
    bool | None,
    typer.Option(
        "--label-vtt/--no-label-vtt",
        help="Also write the label's words into a caption file beside the clip: clip.vtt for clip.mp4.",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be made and at what cost, and make nothing.")]
