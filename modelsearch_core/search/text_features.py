"""Features of texts for many who ask at once: what came together is encoded together, and the last texts are kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..embedding import Encoder, Features

KEPT = 4096  # texts; 8 MB where a feature has 512 numbers


class TextFeatures:
    """Safe from any thread. Who comes while others' texts are encoded waits, and then has his own encoded together with
    those of all who have come meanwhile. Of one encoder, which each brings along and which is opened with the first
    text: so they outlive the index of a moment."""

    def __init__(self, kept: int = KEPT) -> None:
        self._most = kept
        self._known: OrderedDict[str, Features] = OrderedDict()
        self._waiting: list[_Request] = []
        self._lock, self._encoding = threading.Lock(), threading.Lock()

    def of(self, texts: Sequence[str], open_encoder: Callable[[], Encoder]) -> Features:
        """(n, D) float32, unit rows, of at least one text."""
        found = self._kept(texts)
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            found |= self._encoded(missing, open_encoder)
        return np.stack([found[text] for text in texts])

    def _kept(self, texts: Sequence[str]) -> dict[str, Features]:
        with self._lock:
            found = {text: self._known[text] for text in texts if text in self._known}
            for text in found:
                self._known.move_to_end(text)
        return found

    def _encoded(self, texts: Sequence[str], open_encoder: Callable[[], Encoder]) -> Mapping[str, Features]:
        request = _Request(texts)
        with self._lock:
            self._waiting.append(request)
        with self._encoding:
            if request.found is None:
                self._encode_what_waits(request, open_encoder)
        assert request.found is not None
        return request.found

    def _encode_what_waits(self, own: _Request, open_encoder: Callable[[], Encoder]) -> None:
        with self._lock:
            requests, self._waiting = self._waiting, []
        try:
            self._encode(requests, open_encoder)
        except BaseException:  # by whosever texts; each then tries with his own
            with self._lock:
                self._waiting = [*(request for request in requests if request is not own), *self._waiting]
            if len(requests) == 1:
                raise
            self._encode([own], open_encoder)

    def _encode(self, requests: Sequence[_Request], open_encoder: Callable[[], Encoder]) -> None:
        texts = list(dict.fromkeys(text for request in requests for text in request.texts))
        rows = dict(zip(texts, open_encoder().encode_texts(texts), strict=True))
        for request in requests:
            request.found = {text: rows[text] for text in request.texts}
        self._keep(rows)

    def _keep(self, rows: Mapping[str, Features]) -> None:
        with self._lock:
            self._known.update(rows)
            while len(self._known) > self._most:
                self._known.popitem(last=False)


class _Request:
    """Who waits for which texts; `found` once they are encoded."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.found: Mapping[str, Features] | None = None
