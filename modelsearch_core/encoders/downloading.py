"""One file over HTTP: resumes, checks what arrives, and only a whole file gets its name.

The hub tells a file's size and SHA-256 in `X-Linked-Size` and `X-Linked-ETag`, before it redirects to the storage.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import requests
from safetensors import SafetensorError, safe_open

ATTEMPTS = 4
TIMEOUT = 10, 60  # seconds to connect, between two blocks
BLOCK = 1 << 16  # what breaks off within a block is lost
SHA256 = re.compile(r"[0-9a-f]{64}")


class Progress(Protocol):
    """Told how far a download is. `total` is None where the server does not say."""

    def __call__(self, file: str, done: int, total: int | None) -> None: ...


class DownloadError(Exception):
    """Why there is no file. `not_there`: the server answered that it has no such file."""

    def __init__(self, message: str, *, not_there: bool = False) -> None:
        super().__init__(message)
        self.not_there = not_there


@dataclass(frozen=True, kw_only=True)
class Remote:
    """What a server says about a file."""

    url: str
    size: int | None
    tag: str
    sha256: str | None


def download(
    url: str,
    target: Path,
    *,
    sha256: str | None = None,
    progress: Progress | None = None,
    attempts: int = ATTEMPTS,
    pause: float = 1.0,
) -> Path:
    """The file at `target`. What an interrupted download left behind is continued. DownloadError with the reason."""
    remote = _remote(url)
    part = target.with_name(f"{target.name}.{remote.tag}.part")
    _make_room(target.parent, (remote.size or 0) - _length(part))
    for attempt in range(attempts):
        try:
            _continue(remote, part, progress, target.name)
        except (requests.RequestException, OSError) as error:
            if attempt == attempts - 1 or _refused(error):
                raise DownloadError(_stopped(remote, part, error)) from error
        if _length(part) and (remote.size is None or _length(part) >= remote.size):
            break
        time.sleep(pause * 2**attempt)
    _check(remote, part, sha256 or remote.sha256)
    _check_offsets(remote, part, target)
    return part.replace(target)


def _remote(url: str) -> Remote:
    try:
        answer = requests.head(url, allow_redirects=True, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"})
    except requests.RequestException as error:
        raise DownloadError(f"{url} cannot be reached ({type(error).__name__})") from error
    if not answer.ok:
        raise DownloadError(f"{url} answers {answer.status_code}", not_there=answer.status_code in (401, 403, 404))
    headers: dict[str, str] = {}
    for hop in [*answer.history, answer]:
        headers |= {key.lower(): value for key, value in hop.headers.items() if key.lower() not in headers}
    headers["content-length"] = answer.headers.get("Content-Length", "")
    return _described(url, headers)


def _described(url: str, headers: Mapping[str, str]) -> Remote:
    tag = (headers.get("x-linked-etag") or headers.get("etag") or "").strip('W/"')
    size = headers.get("x-linked-size") or headers.get("content-length") or ""
    return Remote(
        url=url,
        size=int(size) if size.isdigit() and int(size) > 0 else None,
        tag=hashlib.sha256(tag.encode()).hexdigest()[:8],
        sha256=tag if SHA256.fullmatch(tag) else None,
    )


def _continue(remote: Remote, part: Path, progress: Progress | None, name: str) -> None:
    """From where the part ends; from the start where the server cannot do that."""
    start = _length(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with requests.get(remote.url, stream=True, timeout=TIMEOUT, headers=headers) as answer:
        if answer.status_code == 416:
            return part.unlink() if remote.size is None or start > remote.size else None
        answer.raise_for_status()
        start = start if answer.status_code == 206 else 0
        with part.open("ab" if start else "wb") as stream:
            for block in answer.iter_content(BLOCK):
                stream.write(block)
                start += len(block)
                if progress is not None:
                    progress(name, start, remote.size)


def _check(remote: Remote, part: Path, sha256: str | None) -> None:
    size = _length(part)
    if remote.size is not None and size < remote.size:
        raise DownloadError(f"{remote.url} broke off at {size} of {remote.size} bytes; run again to continue")
    if remote.size is not None and size > remote.size:
        _discard(remote, part, f"{size} bytes came instead of {remote.size}")
    if sha256 is not None and (found := _sha256(part)) != sha256:
        _discard(remote, part, f"its SHA-256 is {found}, not {sha256}")


def _check_offsets(remote: Remote, part: Path, target: Path) -> None:
    """A safetensors file says itself how long it is, where the server says nothing."""
    if target.suffix != ".safetensors" or remote.size is not None:
        return
    try:
        with safe_open(part, framework="np"):
            pass
    except SafetensorError as error:
        _discard(remote, part, f"{_length(part)} bytes are not a whole safetensors file ({error})")


def _discard(remote: Remote, part: Path, reason: str) -> None:
    part.unlink()
    raise DownloadError(f"what {remote.url} sent is damaged: {reason}; it was deleted, run again")


def _make_room(folder: Path, needed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DownloadError(f"{folder} has {free / 1e6:.0f} MB free, {needed / 1e6:.0f} MB are needed")


def _refused(error: Exception) -> bool:
    """Whether asking again is of no use."""
    response = getattr(error, "response", None)
    return response is not None and 400 <= response.status_code < 500 and response.status_code != 429


def _stopped(remote: Remote, part: Path, error: Exception) -> str:
    return (
        f"{remote.url} stopped at {_length(part)} of {remote.size or 'unknown'} bytes ({type(error).__name__}: "
        f"{str(error)[:120]}); run again to continue"
    )


def _length(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
