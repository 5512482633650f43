"""The panel's own files: those of `web/` that a browser loads, and nothing else."""

from __future__ import annotations

from pathlib import Path

from .refusals import RefusedError

FOLDER = Path(__file__).resolve().parents[2] / "web"
CONTENT_TYPES = {
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
}


def panel_file(name: str) -> tuple[bytes, str]:
    """(content, content type) of a file that lies right in `web/`; RefusedError for anything else."""
    known = {path.name: path for path in FOLDER.glob("*") if path.suffix in CONTENT_TYPES and path.is_file()}
    if not known:
        raise RefusedError(404, f"the panel's files are not at {FOLDER}; they come with the repository: clone it")
    if name not in known:
        raise RefusedError(404, f"the panel has no file {name!r}")
    return known[name].read_bytes(), CONTENT_TYPES[known[name].suffix]
