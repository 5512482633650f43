"""One batch of pictures through the WebUI's own pipeline, with the user's choices left as they were.

The queue's lock is held for one batch of one model, so a user's picture waits for no more than that. The checkpoint is
chosen without the WebUI's own switch, which would write the choice into its settings and drop-down: the user's is
loaded again when the user next makes a picture, and not before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from modules import call_queue, processing, scripts, sd_models, shared
from PIL import Image

from modelsearch_core.errors import ModelSearchError
from modelsearch_core.panel.job import Cancelled

from . import hosts, sdnext

JOB = "Model Search: index"
NEUTRAL = {  # settings that change pictures
    "CLIP_stop_at_last_layers": 1,
    "eta_noise_seed_delta": 0,
    "randn_source": "CPU",
    "token_merging_ratio": 0.0,
    "sd_vae_decode_method": "Full",
    "use_old_karras_scheduler_sigmas": False,
    "always_discard_next_to_last_sigma": False,
    "sdxl_refiner_checkpoint": None,
    "face_restoration": False,
    "tiling": False,
    "live_previews_enable": False,
    "enable_pnginfo": False,
    "save_write_log_csv": False,
    # SD.Next's
    "schedulers_timesteps": "",
    "scheduler_eta": 0.0,
    "lora_apply_tags": 0,
    "freeu_enabled": False,
    "hypertile_unet_enabled": False,
    "hypertile_vae_enabled": False,
    "token_merging_method": "None",
    "sd_unet": "Default",
    "sd_text_encoder": "Default",
}
Result = TypeVar("Result")


class Interrupted(Cancelled):
    """The user pressed Interrupt: it ends the index run, and is no model's failure."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """Pictures of one model: `checkpoint` is the WebUI's entry, prompts hold the LoRA's tag. `own_parts`: without the
    VAE and text encoders that the user has chosen for a checkpoint of another architecture."""

    checkpoint: Any
    own_parts: bool
    prompts: Sequence[str]
    negative_prompt: str
    seeds: Sequence[int]
    width: int
    height: int
    steps: int
    guidance: float
    sampler: str
    scheduler: str


def run(job: Job) -> list[Image.Image]:
    """Waits for its turn in the queue. Interrupted when the user says so; ModelSearchError for a skipped model."""
    with call_queue.queue_lock:
        shared.state.begin(JOB)
        try:
            with _saved_later(), _chosen(job):
                images = _on_main_thread(lambda: _images(job))
            if shared.state.interrupted or getattr(shared.state, "stopping_generation", False):
                raise Interrupted
            if shared.state.skipped:
                raise ModelSearchError("skipped by the user while its pictures were made")
            return images
        finally:
            shared.state.end()
            sdnext.give_back_where_awaited()


def _images(job: Job) -> list[Image.Image]:
    processed = processing.process_images(sdnext.making(_processing(job)))
    made = processed.images if processed else []  # SD.Next has none where it was interrupted
    return [image.convert("RGB") for image in made[: len(job.prompts)]]


def _processing(job: Job) -> Any:
    """With a runner of no scripts: no other extension changes the pictures, and reForge asks every runner for one."""
    p = processing.StableDiffusionProcessingTxt2Img(
        prompt=list(job.prompts),
        negative_prompt=[job.negative_prompt] * len(job.prompts),
        seed=job.seeds[0],
        subseed=-1,
        batch_size=len(job.prompts),
        n_iter=1,
        width=job.width,
        height=job.height,
        steps=job.steps,
        cfg_scale=job.guidance,
        sampler_name=sdnext.sampler(job.sampler, job.scheduler),
        do_not_save_samples=True,
        do_not_save_grid=True,
    )
    p.seed = list(job.seeds)  # SD.Next's constructor takes a number only
    p.scripts, p.script_args = scripts.ScriptRunner(), []
    if hasattr(p, "scheduler"):  # a part of the sampler's name in Classic
        p.scheduler = job.scheduler
    if hasattr(p, "distilled_cfg_scale"):
        p.distilled_cfg_scale = job.guidance
    return p


@contextmanager
def _saved_later() -> Generator[None]:
    """Settings that are saved meanwhile are saved once ours are out of them, else they'd be in the user's file: SD.Next
    saves after each checkpoint that it loads."""
    wanted: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    attributes = vars(shared.opts)
    others = {"save": attributes["save"]} if "save" in attributes else {}  # of another extension
    attributes["save"] = lambda *args, **kwargs: wanted.append((args, kwargs))
    try:
        yield
    finally:
        del attributes["save"]
        attributes.update(others)
        if wanted:
            args, kwargs = wanted[-1]
            shared.opts.save(*args, **kwargs)


@contextmanager
def _chosen(job: Job) -> Generator[None]:
    """With the job's checkpoint and neutral settings; what the user changed meanwhile stays changed."""
    data, checkpoint = shared.opts.data, job.checkpoint
    ours = {name: value for name, value in NEUTRAL.items() if name in shared.opts.data_labels}
    ours["sd_model_checkpoint"] = checkpoint.title
    if job.own_parts and "sd_vae" in shared.opts.data_labels:
        ours["sd_vae"] = "Automatic"
    ours |= sdnext.settings_of(job.sampler, job.scheduler)
    before = {name: data[name] for name in ours if name in data}
    forge = getattr(sd_models.model_data, "forge_loading_parameters", None)
    data.update(ours)
    wanted = None if forge is None else {**forge, "checkpoint_info": checkpoint}
    if wanted and job.own_parts and wanted.get("additional_modules"):
        wanted["additional_modules"] = []
    if wanted is not None:
        sd_models.model_data.forge_loading_parameters = wanted
    try:
        sdnext.lend(checkpoint)
        ours["sd_model_checkpoint"] = checkpoint.title  # with a hash, where it has just got one
        yield
    finally:
        for name, value in ours.items():
            if data.get(name) == value:
                data.pop(name, None)
        data.update({name: value for name, value in before.items() if name not in data})
        if wanted is not None and sd_models.model_data.forge_loading_parameters is wanted:
            sd_models.model_data.forge_loading_parameters = forge


def _on_main_thread(work: Callable[[], Result]) -> Result:
    """Forge computes on one thread only, and its way there swallows exceptions."""
    try:
        from modules_forge import main_thread
    except ImportError:
        return work()
    outcome: list[Any] = []

    def kept() -> None:
        try:
            outcome.extend((work(), None))
        except Exception as error:
            outcome[:] = [None, error]

    main_thread.run_and_wait_result(kept)
    result, error = outcome
    if error is not None:
        raise error
    return result


def engine_name() -> str:
    """Which sort of WebUI computes: their noise schedules and attention differ."""
    if hasattr(sd_models.model_data, "forge_loading_parameters"):
        return "forge"
    if hosts.is_sdnext():
        return "sdnext"
    return "reforge" if "ldm_patched" in sys.modules else "a1111"
