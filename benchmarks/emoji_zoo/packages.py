"""The emoji sets: npm packages of one version each, fetched once with npm into a folder, and their drawings by name."""

from __future__ import annotations

import json
import subprocess
import tarfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Package:
    name: str
    version: str
    licence: str
    author: str

    @property
    def file(self) -> str:
        """As `npm pack` names it."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


def _icons(name: str, version: str, licence: str, author: str) -> Package:
    return Package(name=f"@iconify-json/{name}", version=version, licence=licence, author=author)


SETS = {  # by the name that a look has here
    "noto": _icons("noto", "1.2.9", "Apache-2.0", "Google Inc"),
    "noto-v1": _icons("noto-v1", "1.2.5", "Apache-2.0", "Google Inc"),
    "fluent": _icons("fluent-emoji-flat", "1.2.6", "MIT", "Microsoft Corporation"),
    "fluent-3d": _icons("fluent-emoji", "1.2.7", "MIT", "Microsoft Corporation"),
    "twemoji": _icons("twemoji", "1.2.5", "CC-BY-4.0", "Twitter"),
    "emojione": _icons("emojione", "1.2.3", "CC-BY-4.0", "Emoji One"),
    "openmoji": _icons("openmoji", "1.2.29", "CC-BY-SA-4.0", "OpenMoji"),
}
WORDS = Package(name="emojibase-data", version="17.0.0", licence="MIT", author="Miles Johnson")


def fetch(package: Package, folder: Path) -> Path:
    """The package's archive in `folder`, which npm brings if it isn't there."""
    path = folder / package.file
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        wanted = f"{package.name}@{package.version}"
        subprocess.run(["npm", "pack", "--silent", wanted, "--pack-destination", str(folder)], check=True)
    return path


def read(package: Package, folder: Path, member: str) -> Any:
    """A JSON file of the package."""
    with tarfile.open(fetch(package, folder)) as archive:
        file = archive.extractfile(f"package/{member}")
        assert file is not None
        return json.load(file)


@cache
def _drawings(name: str, folder: Path) -> dict[str, Any]:
    return read(SETS[name], folder, "icons.json")


def has(name: str, icon: str, folder: Path) -> bool:
    kept = _drawings(name, folder)
    return icon in kept["icons"] or icon in kept.get("aliases", {})


def svg(name: str, icon: str, folder: Path) -> str:
    """The set's drawing of that name. KeyError where it has none."""
    kept = _drawings(name, folder)
    alias = kept.get("aliases", {}).get(icon, {})
    drawing = kept["icons"][alias.get("parent", icon)]
    left, top = drawing.get("left", 0), drawing.get("top", 0)
    width, height = (drawing.get(side, kept.get(side, 16)) for side in ("width", "height"))
    frame = f'viewBox="{left} {top} {width} {height}" width="{width}" height="{height}"'
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"<svg {names} {frame}>{drawing['body']}</svg>"
