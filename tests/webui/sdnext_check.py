"""Runs in SD.Next's Python, in its folder: `sdnext_check.py REPOSITORY --data-dir FOLDER ...`. Prints as JSON what the
extension's modules make of SD.Next's own, and what its pipeline draws for them, without its server."""

from __future__ import annotations

import hashlib
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any


def begin() -> None:
    """As its launcher and its server do, up to where it lists models."""
    parser, installer = import_module("modules.cmd_args").parser, import_module("installer")
    installer.add_args(parser)
    installer.args, _ = parser.parse_known_args()
    import_module("modules.paths")
    import_module("modules.loader")
    import_module("modules.sd_samplers").list_samplers()
    import_module("modules.sd_checkpoint").list_models()
    import_module("modules.lora.lora_load").list_available_networks()
    import_module("modules.scripts")
    networks = import_module("modules.extra_networks")
    networks.initialize()
    networks.register_default_extra_networks()


def drawn(checkpoint: Any, tag: str = "", sampler: str = "DPM++ 2M", scheduler: str = "Karras") -> list[str]:
    """Digests of two pictures."""
    pipeline = import_module("modelsearch_webui.pipeline")
    job = pipeline.Job(
        checkpoint=checkpoint,
        own_parts=True,
        prompts=[f"a harbour {tag}", f"a heron {tag}"],
        negative_prompt="",
        seeds=[1, 2],
        width=64,
        height=64,
        steps=2,
        guidance=5.0,
        sampler=sampler,
        scheduler=scheduler,
    )
    return [hashlib.sha256(image.tobytes()).hexdigest() for image in pipeline.run(job)]


def scheduler_of(checkpoint: Any, sampler: str, scheduler: str) -> list[Any]:
    """What it is drawn with: its class, whether by Karras' sigmas, its spacing."""
    drawn(checkpoint, sampler=sampler, scheduler=scheduler)
    used = import_module("modules.sd_models").model_data.sd_model.scheduler
    return [type(used).__name__, used.config.get("use_karras_sigmas"), used.config.get("timestep_spacing")]


def saved_settings() -> dict[str, Any]:
    """What is in the user's file, but what is loaded at the moment."""
    known = json.loads(Path(import_module("modules.shared").opts.filename).read_text("utf-8"))
    return {name: value for name, value in known.items() if name != "sd_checkpoint_hash"}


def told() -> dict[str, Any]:
    shared, places = import_module("modules.shared"), import_module("modelsearch_webui.places")
    sdnext, data = import_module("modelsearch_webui.sdnext"), shared.opts.data
    import_module("modelsearch_webui.settings").declare()
    import_module("modules.script_callbacks").on_before_process(sdnext.before_process)
    listed = import_module("modules.sd_checkpoint").checkpoints_list.values()
    ours, users = sorted(listed, key=lambda entry: entry.name)
    data["sd_model_checkpoint"] = users.title
    before = {name: value for name, value in data.items() if name in shared.opts.data_labels}
    shared.opts.save_atomic()
    file = saved_settings()
    found = {
        "folders": [folder.path.name for folder in places.folders()],
        "loras": sorted(filter(None, map(places.lora_name, places.lora_paths()))),
        "checkpoints": [places.checkpoint_title(Path(entry.filename)) for entry in (ours, users)],
        "twice": [drawn(ours), drawn(ours)],  # before any LoRA, which it takes off by subtracting: not to the bit
        "drawn": {tag: drawn(ours, tag) for tag in ("", "<lora:noisy 0:1>", "<lora:noisy 1:1>")},
        "schedulers": [scheduler_of(ours, *names) for names in sdnext.SCHEDULES],
        "changed": [name for name, value in before.items() if data.get(name) != value],
        "chosen": str(places.chosen_checkpoint()),
        "saved alike": saved_settings() == file,
        "job": shared.state.job,
    }
    sdnext.before_process(object())  # as before a user's picture
    given_back = import_module("modules.sd_models").model_data.sd_model.sd_checkpoint_info.filename
    return {**found, "given back": given_back}


if __name__ == "__main__":
    sys.path[:0] = [str(Path.cwd()), sys.argv.pop(1)]
    begin()
    print("\n" + json.dumps(told()))
