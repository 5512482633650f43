"""The panel's answers about classifiers, taggers and detectors."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..classifiers import KINDS, ClassifierIndex, ConceptQuery
from ..classifiers.describing import described_outputs
from ..contact_sheet import fitted
from ..embedding import Encoder
from ..errors import EmptyCatalogError
from ..places import Place
from ..raster import Budget
from .pictures import MOST_PIXELS, opened
from .refusals import RefusedError

SIDE = 256  # pixels of a probe picture as it is sent
MOST = 100


class ClassifierSearch:
    """One catalog's classifiers; read again when somebody has written. Every method may be called from any thread."""

    def __init__(self, path: Place, open_encoder: Callable[[str], Encoder]) -> None:
        self._path, self._open_encoder = path, open_encoder
        self._lock = threading.RLock()
        self._index: ClassifierIndex | None = None

    def search(self, body: Mapping[str, Any], files: Mapping[str, Sequence[bytes]]) -> dict[str, Any]:
        """The outputs that know a concept. Body: text, without, kind, k; pictures: image."""
        started = time.monotonic()
        kind, k = body.get("kind"), body.get("k", 20)
        if kind not in (None, *(each.value for each in KINDS)):
            raise RefusedError(400, f"kind must be classifier or detector, not {kind!r}")
        if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= MOST:
            raise RefusedError(400, f"k must be a number from 1 to {MOST}, not {k!r}")
        try:
            query = ConceptQuery(
                text=_texts(body, "text"),
                images=opened(files, "image", Budget(MOST_PIXELS)),
                without=_texts(body, "without"),
            )
        except ValueError as error:
            raise RefusedError(400, str(error)) from error
        with self._reading() as index:
            matches = index.search(query, kind=kind, k=k)
        return {"matches": [match.to_json() for match in matches], "seconds": round(time.monotonic() - started, 3)}

    def model(self, id: str) -> dict[str, Any]:
        """What each output of a classifier is, by its fingerprint."""
        with self._reading() as index:
            model = next((m for m in index.outputs.models if m.file.fingerprint == id), None)
            if model is None:
                raise RefusedError(404, "this classifier is no longer in the index; search again")
            outputs = [one.to_json() for one in described_outputs(index, model, MOST)]
        return {
            "id": id,
            "name": model.name,
            "path": str(model.file.path),
            "kind": model.file.kind.value,
            "form": model.file.form.value,
            "outputs": len(model.rows),
            "each": outputs,
        }

    def probe(self, number: int) -> bytes:
        """One of the pictures that all were asked, as WebP."""
        with self._reading() as index:
            if not 0 <= number < len(index.outputs.probes):
                raise RefusedError(404, f"there is no probe picture {number}")
            picture = index.probe(number)
        buffer = io.BytesIO()
        fitted(picture, SIDE).save(buffer, "WEBP", quality=85)
        return buffer.getvalue()

    def close(self) -> None:
        with self._lock:
            if self._index is not None:
                self._index.close()
            self._index = None

    @contextmanager
    def _reading(self) -> Generator[ClassifierIndex]:
        with self._lock:
            if self._index is not None and self._index.changed():
                self.close()
            if self._index is None:
                try:
                    self._index = ClassifierIndex.open(self._path, open_encoder=self._open_encoder)
                except EmptyCatalogError as error:
                    raise RefusedError(409, str(error), empty=True) from error
            yield self._index


def _texts(body: Mapping[str, Any], name: str) -> list[str]:
    value = body.get(name) or []
    texts: Any = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts) or len(texts) > MOST:
        raise RefusedError(400, f"{name} must be a text or a list of texts, not {value!r}"[:300])
    return [text.strip()[:2000] for text in texts if text.strip()]
