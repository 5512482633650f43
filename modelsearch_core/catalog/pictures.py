"""Samples' pictures outside of the database: in a folder that all machines see, or in an object store, by URL (fsspec).

`sample` then holds an empty picture for each. Files are written before their rows are committed and removed after, so
that no row is ever without its picture.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from ..errors import CatalogFaultError, ModelSearchError

SETTING = "pictures"  # of the catalog: the URL


class PictureStore:
    """`URL/fingerprint/digest/number.webp`. What goes wrong is a CatalogFaultError."""

    def __init__(self, url: str) -> None:
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise ModelSearchError(
                f"this catalog's pictures are at {url}, which needs the extra `pictures`: pip install fsspec"
            ) from error
        self._url = url
        with self._in_words():
            self._files, self._root = url_to_fs(url)

    def put(self, fingerprint: str, digest: str, images: Mapping[int, bytes]) -> None:
        """WebP by number, over what was there."""
        folder = self._folder(fingerprint, digest)
        with self._in_words():
            self._files.makedirs(folder, exist_ok=True)
            self._files.pipe({f"{folder}/{number}.webp": webp for number, webp in images.items()})

    def get(self, fingerprint: str, digest: str, number: int) -> bytes | None:
        with self._in_words():
            try:
                found: Any = self._files.cat_file(f"{self._folder(fingerprint, digest)}/{number}.webp")
            except FileNotFoundError:
                return None
        return bytes(found)

    def numbers(self, fingerprint: str, digest: str) -> set[int]:
        """Of the pictures that are there."""
        folder = self._folder(fingerprint, digest)
        with self._in_words():
            self._files.invalidate_cache(folder)  # others put pictures there, too
            try:
                names: list[str] = self._files.ls(folder, detail=False)
            except FileNotFoundError:
                return set()
        stems = (PurePosixPath(name).stem for name in names)
        return {int(stem) for stem in stems if stem.isdecimal()}

    def remove(self, fingerprint: str, digest: str | None = None) -> None:
        """Of a model, under one probe set or under all."""
        folder = self._folder(fingerprint, digest) if digest else f"{self._root}/{fingerprint}"
        with self._in_words():
            if self._files.exists(folder):
                self._files.rm(folder, recursive=True)

    def _folder(self, fingerprint: str, digest: str) -> str:
        return f"{self._root}/{fingerprint}/{quote(digest, safe='')}"

    @contextmanager
    def _in_words(self) -> Generator[None]:
        try:
            yield
        except Exception as error:  # each store's library has errors of its own
            raise CatalogFaultError(
                f"the catalog's pictures at {self._url} cannot be used ({error}); mend that, or name another place "
                "with `modelsearch copy --pictures URL`"
            ) from error
