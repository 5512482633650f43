"""Where this WebUI keeps its models and our catalog, and what it calls a model."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modules import paths, sd_models, shared

from modelsearch_core.panel import Folder
from modelsearch_core.places import expanded
from modelsearch_core.prompt_tags import loras_in

from . import adetailer, hosts, settings

LORA_OPTIONS = ("lora_dir", "lyco_dir", "lyco_dir_backcompat", "lora_dirs")
PICTURE_OPTIONS = (
    *("outdir_samples", "outdir_txt2img_samples", "outdir_img2img_samples", "outdir_save"),
    "outdir_control_samples",  # SD.Next's
)
TAGGERS = ("ultralytics", "wd14_tagger", "TaggerOnnx", "tagger", "nsfw", "aesthetic")
CHECKPOINT_OPTIONS = ("ckpt_dir", "ckpt_dirs")


def catalog_path() -> Path:
    """As the settings say, else in the data folder, which survives an update of the extension."""
    chosen = settings.text("catalog")
    path = expanded(chosen) if chosen else Path(paths.data_path, "modelsearch")
    path = path if path.suffix == ".sqlite" else path / "catalog.sqlite"
    return _absolute(path)


def folders() -> list[Folder]:
    """Folders that are there, each once; a single checkpoint of `--ckpt` too."""
    single = getattr(shared.cmd_opts, "ckpt", None)
    wanted = [(place, "LoRA") for place in _options(LORA_OPTIONS)]
    wanted += [(place, "checkpoints") for place in (sd_models.model_path, *_options(CHECKPOINT_OPTIONS), single)]
    found = {_absolute(place): label for place, label in wanted if place and Path(place).exists()}
    return [Folder(path, label) for path, label in found.items()]


def classifier_folders() -> list[Path]:
    """Where extensions keep detectors and taggers, those that are there; ADetailer's own first."""
    models = _absolute(paths.models_path)
    wanted = [*map(_absolute, adetailer.folders()), *(models / name for name in TAGGERS)]
    return [folder for folder in dict.fromkeys(wanted) if folder.is_dir()]


def picture_folders() -> list[Path]:
    """Where the WebUI saves what its user makes, each once."""
    wanted = [getattr(shared.opts, name, None) for name in PICTURE_OPTIONS]
    return list(dict.fromkeys(_absolute(Path(paths.data_path, place)) for place in wanted if place))


def weights_folders() -> list[Path]:
    """Where CLIP may lie."""
    models = _absolute(paths.models_path)
    return [models / name for name in ("CLIP", "clip", "clip_vision", "text_encoder", "ControlNetPreprocessor")]


def decoder_folders() -> tuple[Path, ...]:
    """Where TAESD may lie."""
    return tuple(_absolute(Path(paths.models_path, name)) for name in ("VAE-taesd", "VAE-approx"))


def listed(path: Path, kind: str) -> Mapping[str, Any]:
    """For the browser: `tag` of a LoRA, `name` of a checkpoint, or of a detector in ADetailer's drop-down; empty for
    what is not listed."""
    if kind in ("classifier", "detector"):
        name = adetailer.name_of(path)
        return {} if name is None else {"name": name}
    if kind == "lora":
        name = lora_name(path)
        return {} if name is None else {"tag": name, "name": name}
    title = checkpoint_title(path)
    return {} if title is None else {"name": title}


def lora_name(*paths: Path) -> str | None:
    """What `<lora:…>` calls the first of these copies that it can name. None where none is listed, or other files
    have their names."""
    networks = hosts.loras()
    return None if networks is None else next(filter(None, (_name(networks, path) for path in paths)), None)


def _name(networks: Any, path: Path) -> str | None:
    keys = (path.stem, path.stem.replace(".", "_"))  # SD.Next's has no dots
    entry = next(filter(None, map(networks.available_networks.get, keys)), None)
    if entry is None or not _same(entry.filename, path):
        return None
    names = (entry.get_alias(), entry.name)
    return next((name for name in names if lora_path(name) == path), None)


def lora_path(name: str) -> Path | None:
    """The file that `<lora:name:…>` applies, by whichever of its names."""
    entry = hosts.lora_called(name)
    return None if entry is None else _absolute(entry.filename)


def loras_written(prompt: str, *paths: Path) -> list[str]:
    """The names by which a prompt applies one of these copies already."""
    return [name for name in loras_in(prompt) if lora_path(name) in paths]


def lora_paths() -> set[Path]:
    """All LoRA files that a prompt can name."""
    networks = hosts.loras()
    entries = networks.available_networks.values() if networks else ()
    return {path for entry in list(entries) if lora_name(path := _absolute(entry.filename)) is not None}


def checkpoint_paths() -> set[Path]:
    """All checkpoint files that the drop-down has."""
    return {_absolute(entry.filename) for entry in list(hosts.checkpoints().checkpoints_list.values())}


def checkpoint_title(*paths: Path) -> str | None:
    """What the WebUI's drop-down calls the first of these copies that it lists."""
    lists = hosts.checkpoints()
    for path in paths:
        entry = lists.checkpoint_aliases.get(path.stem)
        if entry is not None and _same(entry.filename, path):
            return entry.title
    wanted = {os.path.normcase(path) for path in paths}
    listed = list(lists.checkpoints_list.values())
    return next((e.title for e in listed if os.path.normcase(_absolute(e.filename)) in wanted), None)


def path_of(kind: str, name: str) -> Path | None:
    """The file behind a card of Extra Networks, which calls it `name`; SD.Next's cards have the file itself."""
    if kind == "lora":
        networks = hosts.loras()
        entries = networks.available_networks if networks else {}
        entry = entries.get(name) or next((e for e in list(entries.values()) if e.filename == name), None)
    else:
        lists = hosts.checkpoints()
        names = (e for e in list(lists.checkpoints_list.values()) if name in (_card_name(e), e.title))
        entry = next(names, None) or lists.checkpoint_aliases.get(name)
    return _absolute(entry.filename) if entry else None


def _card_name(entry: Any) -> str | None:
    return getattr(entry, "name_for_extra", None)


def chosen_checkpoint() -> Path | None:
    """The one that the user's next picture will be made with."""
    entry = hosts.checkpoints().checkpoint_aliases.get(shared.opts.sd_model_checkpoint)
    return None if entry is None else _absolute(entry.filename)


def refresh() -> None:
    """Lists LoRA and checkpoints again, as the WebUI's own refresh buttons do."""
    hosts.checkpoints().list_models()
    if networks := hosts.loras():
        networks.list_available_networks()


def _options(names: tuple[str, ...]) -> Iterator[Any]:
    """Of the command line, else of SD.Next's settings."""
    for name in names:
        value: Any = getattr(shared.cmd_opts, name, None) or getattr(shared.opts, name, None) or ()
        yield from [value] if isinstance(value, (str, os.PathLike)) else value


def _same(filename: str, path: Path) -> bool:
    return os.path.normcase(_absolute(filename)) == os.path.normcase(path)


def _absolute(path: str | os.PathLike[str]) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  as a scan has it: links stay links
