"""The panel's answers about classifiers, taggers and detectors."""

from __future__ import annotations

import io
import math
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..classifiers import KINDS, ClassifierIndex, ConceptQuery, OutputMatch
from ..classifiers.describing import described_outputs
from ..classifiers.evaluating import by_labels
from ..classifiers.outputs import Model
from ..contact_sheet import fitted
from ..embedding import Encoder
from ..errors import EmptyCatalogError
from ..places import Place
from ..raster import Budget
from .pictures import MOST_PIXELS, opened
from .refusals import RefusedError

SIDE = 256  # pixels of a probe picture as it is sent
MOST = 100
MOST_ASKED = 100  # labels, while which nobody else is answered


class ClassifierSearch:
    """One catalog's classifiers; read again when somebody has written. Every method may be called from any thread."""

    def __init__(
        self, path: Place, open_encoder: Callable[[str], Encoder], listed: Callable[[Path, str], Mapping[str, Any]]
    ) -> None:
        """`listed`: what the host calls a file of that kind."""
        self._path, self._open_encoder, self._listed = path, open_encoder, listed
        self._lock = threading.RLock()
        self._index: ClassifierIndex | None = None

    def models(self) -> dict[str, Any]:
        """All of them; none before the first was indexed."""
        try:
            with self._reading() as index:
                outputs = index.outputs
                return {
                    "models": [self._named(m.to_json(), m) for m in outputs.models],
                    "outputs": len(outputs),
                    "probes": len(outputs.probes),
                    "set": outputs.probes.digest,
                }
        except RefusedError as error:
            if error.status != 409:
                raise
            return {"models": [], "outputs": 0, "probes": 0, "set": ""}

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
            digest = index.outputs.probes.digest
        return {
            "matches": [self._named(match.to_json(), match) for match in matches],
            "seconds": round(time.monotonic() - started, 3),
            "set": digest,
        }

    def model(self, id: str) -> dict[str, Any]:
        """What each output of a classifier is, by its fingerprint."""
        with self._reading() as index:
            model = next((m for m in index.outputs.models if m.file.fingerprint == id), None)
            if model is None:
                raise RefusedError(404, "this classifier is no longer in the index; search again")
            outputs = [one.to_json() for one in described_outputs(index, model, MOST)]
            borne_out = float(index.agreements[index.outputs.models.index(model)])
            digest = index.outputs.probes.digest
        return {
            **self._named(model.to_json(), model),
            "agreement": None if math.isnan(borne_out) else borne_out,
            "each": outputs,
            "set": digest,
        }

    def trust(self) -> dict[str, Any]:
        """How often a label finds an output that bears it, by responses alone. ModelSearchError without labels."""
        with self._reading() as index:
            found = by_labels(index, MOST_ASKED)
        return {"asked": found.concepts, "outputs": found.outputs, "top1": found.top1, "top5": found.top5}

    def _named(self, told: dict[str, Any], of: Model | OutputMatch) -> dict[str, Any]:
        """With what the host calls the first copy that it lists."""
        path, copies = (of.path, of.copies) if isinstance(of, OutputMatch) else (of.file.path, of.copies)
        names = (self._listed(each, told["kind"]) for each in (path, *copies))
        return {**told, "listed": dict(next(filter(None, names), {}))}

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
