"""Files that have a model's name and are something else, by their first bytes; and how to say so on one plain line."""

from __future__ import annotations

import re
from pathlib import Path

from .opening import open_regular

FIRST_BYTES = 4096
_LFS = re.compile(rb"version https://git-lfs\.github\.com/\S+\s+(?:.*\n)*?size (\d+)")
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)?<(!doctype|html|head|body|\?xml|error)\b", re.IGNORECASE)
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*[{\[]\s*[\"{\]}]")
_SAFETENSORS = re.compile(rb".{8}\s*\{\s*\"", re.DOTALL)
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*\x07?|[@-Z\\-_])")
_ARCHIVES = ((b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07", "RAR"), (b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"))
_PICTURES = ((b"\x89PNG", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"GIF8", "GIF"), (b"%PDF", "PDF"))
_PICKLED = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_PYTORCH = (".ckpt", ".pt", ".pth", ".bin")


def stranger_at(path: Path) -> str | None:
    """What a file is that cannot be read as its ending says, with the way out; None where its beginning tells nothing.
    Raises UnreadableModelError for what is no regular file, and OSError."""
    with open_regular(path) as file:
        return stranger(file.read(FIRST_BYTES), path.suffix.lower())


def stranger(first: bytes, ending: str) -> str | None:
    """The same, of a file's first bytes."""
    if pointer := _LFS.match(first):
        return (
            f"a Git LFS pointer of {len(first)} bytes, not the model itself ({_size(int(pointer[1]))}); "
            "run `git lfs pull` there, or download the file"
        )
    if _MARKUP.match(first):
        return "a saved web page, not a model; download the file itself, signed in where the site asks for it"
    if first and not first.strip(b"\0"):
        return f"its first {len(first)} bytes are zeros: the download was interrupted; download it again"
    return _other_model(first, ending) or _other_file(first)


def _other_model(first: bytes, ending: str) -> str | None:
    """A model's file under another one's ending."""
    if first.startswith(b"GGUF") and ending != ".gguf":
        return f"a GGUF file that is named {ending}; rename it to .gguf"
    if ending not in _PYTORCH and (first.startswith(b"PK\x03\x04") or first.startswith(_PICKLED)):
        return f"a PyTorch file (or a ZIP archive) that is named {ending}; rename it to .ckpt, or unpack it"
    if ending not in (".safetensors", ".sft") and _SAFETENSORS.match(first):
        return f"a safetensors file that is named {ending}; rename it to .safetensors"
    return None


def _other_file(first: bytes) -> str | None:
    if _JSON.match(first):
        return f"a text in JSON, not a model ({_quoted(first)}); download the file itself"
    for known, what in ((_ARCHIVES, "archive; unpack it"), (_PICTURES, "file, not a model")):
        for start, name in known:
            if first.startswith(start):
                return f"a {name} {what}"
    if first.startswith(b"RIFF") and first[8:12] == b"WEBP":
        return "a WebP file, not a model"
    return f"a text, not a model ({_quoted(first)})" if _is_text(first) else None


def plain_line(text: str) -> str:
    """Without colours and other commands to a terminal: what a file, or a library, says of itself goes on a screen."""
    text = _ESCAPES.sub("", text)
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _is_text(first: bytes) -> bool:
    try:
        text = first[:512].decode()
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and all(letter.isprintable() or letter in "\r\n\t" for letter in text)


def _quoted(first: bytes) -> str:
    return repr(plain_line(first[:120].decode("utf-8", "replace"))[:60])


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
