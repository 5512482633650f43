"""What SD.Next's pipeline has of its own: it loads a checkpoint only where it is told to, where the others look at the
choice before each picture; and it takes schedules from settings.

So a checkpoint that the index has loaded is still there when the user next makes a picture: `give_back` comes before.
In another WebUI these do nothing.
"""

from __future__ import annotations

from typing import Any

from modules import progress, sd_models, shared

from modelsearch_core.errors import ModelSearchError

from . import hosts, places, samplers

SCHEDULES = {  # the other WebUIs' sampler and scheduler: SD.Next's sampler, its sigmas and its spacing of steps
    ("DPM++ 2M", "Karras"): ("DPM++ 2M", "karras", "default"),
    ("Euler", "Simple"): ("Default", "default", "default"),
    ("Euler", "SGM Uniform"): ("Euler", "default", "trailing"),
    ("LCM", "SGM Uniform"): ("LCM", "default", "default"),
}
_lent = [False]  # whether a checkpoint of the index may be loaded in place of the user's
_ours: list[int] = []  # the processing that is under way


def sampler(name: str, scheduler: str) -> str:
    return SCHEDULES[name, scheduler][0] if hosts.is_sdnext() else samplers.name_here(name, scheduler)


def settings_of(name: str, scheduler: str) -> dict[str, str]:
    if not hosts.is_sdnext():
        return {}
    _, sigmas, spacing = SCHEDULES[name, scheduler]
    return {"schedulers_sigma": sigmas, "schedulers_timestep_spacing": spacing}


def lend(checkpoint: Any) -> None:
    """Loads what the settings name, which is that checkpoint. ModelSearchError where the WebUI cannot."""
    if not hosts.is_sdnext():
        return
    _lent[0] = True
    sd_models.reload_model_weights()
    loaded = getattr(sd_models.model_data.sd_model, "sd_checkpoint_info", None)
    if loaded is None or loaded.filename != checkpoint.filename:
        raise ModelSearchError(f"SD.Next could not load {checkpoint.filename}; its console says why")


def making(p: Any) -> Any:
    """Remembers that this one is ours: the user's checkpoint is not given back for it, and SD.Next need not get what it
    shows previews with."""
    _ours[:] = [id(p)]
    shared.state.disable_preview = True
    return p


def before_process(p: Any) -> None:
    """For `on_before_process`, with the queue's lock held by whoever makes the picture."""
    if id(p) not in _ours:
        give_back()


def give_back_where_awaited() -> None:
    """What is begun in the page waits in the queue before it looks at the checkpoint."""
    _ours.clear()
    shared.state.disable_preview = False
    if progress.pending_tasks:
        give_back()


def give_back() -> None:
    """The user's checkpoint is loaded again, where another is and the user has chosen one."""
    if _lent[0]:
        _lent[0] = False
        if places.chosen_checkpoint() is not None:
            sd_models.reload_model_weights()
