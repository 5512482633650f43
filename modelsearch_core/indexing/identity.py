"""Whose weights a file holds: its fingerprint is a claim, and where two make the same one, all weights decide.

A first scan reads no more than the few kilobytes of the claims. A file is read as a whole where its claim was made
before, by another file or by rows of the catalog, or where it was written again; and when it is read anyway, to
generate from it. Rows stay with the weights that they were measured from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from hashlib import blake2b
from itertools import chain

from ..catalog import Catalog
from ..catalog.identities import Identity
from ..errors import UnreadableModelError
from ..model_files import ModelFile, SkippedFile, read_model_file
from ..model_files.fingerprint import DIGEST_BYTES
from ..model_files.weights import is_as_read, weights_hash, weights_state


class Identifier:
    """Settles fingerprints. `settled` are files as they were settled before and still lie there; `check` is called now
    and then while a file is read, and may raise to stop."""

    def __init__(
        self, catalog: Catalog, settled: Iterable[ModelFile] = (), check: Callable[[], None] = lambda: None
    ) -> None:
        self._catalog = catalog
        self._known = catalog.identities
        self._check = check
        self._hashes: dict[str, str] = {}  # by the state of the files
        self._holders: dict[str, list[ModelFile]] = defaultdict(list)
        for model in settled:
            self._holders[model.fingerprint].append(model)

    def settle_all(self, models: Iterable[ModelFile]) -> list[ModelFile | SkippedFile]:
        """The models as `settle` has them, those first that need not be read."""
        settled: list[ModelFile | SkippedFile] = []
        disputed: list[ModelFile] = []
        with self._catalog.transaction():
            self._note_states()
            for scanned in models:
                try:
                    model = _as_it_is(scanned)
                    fingerprint = self._undisputed(model)
                    settled += [self._settled(model, fingerprint)] if fingerprint else []
                    disputed += [] if fingerprint else [model]
                except (UnreadableModelError, OSError) as error:
                    settled.append(_lost(scanned, error))
        for model in disputed:  # reading them takes long, and nobody else could write meanwhile
            try:
                settled.append(self.settle(model))
            except (UnreadableModelError, OSError) as error:
                settled.append(_lost(model, error))
        return settled

    def _note_states(self) -> None:
        """Of files that did not change since before states were noted: from now on a change of them is one."""
        for model in chain.from_iterable(self._holders.values()):
            if self._known.seen_at(model.path) is None:
                with suppress(UnreadableModelError, OSError):
                    self._known.saw(model.path, _state(model), model.fingerprint)

    def settle(self, model: ModelFile) -> ModelFile:
        """The model under the fingerprint that its rows have; `model.fingerprint` is what the file claims. Raises
        UnreadableModelError and OSError."""
        return self._settled(model, self._undisputed(model) or self._decided(model))

    def _settled(self, model: ModelFile, fingerprint: str) -> ModelFile:
        self._known.saw(model.path, _state(model), fingerprint)
        settled = replace(model, fingerprint=fingerprint)
        self._holders[fingerprint].append(settled)
        return settled

    def confirm(self, model: ModelFile) -> bool:
        """Notes the hash of a settled model whose weights are about to be read anyway. False where they are not those
        that its rows were measured from: then it has to be settled again. Raises as `settle`."""
        own, state = self._known.get(model.fingerprint), _state(model)
        if own is not None and own.weights is not None and self._known.seen_at(model.path) == (state, own.fingerprint):
            return True
        weights = self._hash(model)
        if own is not None and own.weights not in (None, weights):
            return False
        self._known.put(Identity(model.fingerprint, own.claim if own else model.fingerprint, weights))
        self._known.saw(model.path, state, model.fingerprint)
        return True

    def _undisputed(self, model: ModelFile) -> str | None:
        """The fingerprint where nothing need be read: only what lies beside the weights has changed, they were moved,
        or nobody has made this claim before."""
        state = _state(model)
        seen = self._known.seen_at(model.path)
        found = [seen[1]] if seen and seen[0] == state else []
        found += [fingerprint for _, fingerprint in self._known.seen_in(state)]  # it was moved, or has two names
        found += self._of_before(model) if seen is None else []
        for fingerprint in found:
            if self._claim_of(fingerprint) == model.fingerprint:
                return fingerprint
        if self._known.claiming(model.fingerprint):
            return None
        self._known.put(Identity(model.fingerprint, model.fingerprint, None))
        return model.fingerprint

    def _of_before(self, model: ModelFile) -> list[str]:
        """What lay there, or at a place where nothing is any more, when hashes were not kept yet: that weights with the
        same claim are others cannot be told any more, and making all pictures again is no way out."""
        return [
            fingerprint
            for path, fingerprint in self._known.never_seen(model.fingerprint)
            if path == model.path or not (path.exists() or self._holders[fingerprint])
        ]

    def _claim_of(self, fingerprint: str) -> str | None:
        own = self._known.get(fingerprint)
        return own.claim if own else None

    def _decided(self, model: ModelFile) -> str:
        claim, weights = model.fingerprint, self._hash(model)
        for rival in self._known.claiming(claim):
            if self._weights_of(rival, weights) == weights:
                return rival.fingerprint
        fingerprint = blake2b(f"{claim} {weights}".encode(), digest_size=DIGEST_BYTES).hexdigest()
        self._known.put(Identity(fingerprint, claim, weights))
        return fingerprint

    def _weights_of(self, rival: Identity, weights: str) -> str | None:
        """Of a rival that was never read as a whole, by one of its files that is still there. One without any that has
        made no pictures either has nothing to lose: it is whoever comes. What made pictures that nobody can prove to be
        its own keeps them."""
        if rival.weights is None:
            found = next(filter(None, (self._hash_of(each) for each in self._holders[rival.fingerprint])), None)
            if found is None and not self._known.is_measured(rival.fingerprint):
                found = weights
            if found is not None:
                self._known.put(rival._replace(weights=found))
            return found
        return rival.weights

    def _hash_of(self, holder: ModelFile) -> str | None:
        try:
            return self._hash(holder)
        except (UnreadableModelError, OSError):
            return None

    def _hash(self, model: ModelFile) -> str:
        state = _state(model)
        if state not in self._hashes:
            weights = weights_hash(model.path, self._check)
            if _state(model) != state:
                raise UnreadableModelError("it was written meanwhile; index it again when that is done")
            self._hashes[state] = weights
        return self._hashes[state]


def _state(model: ModelFile) -> str:
    return weights_state(model.path)


def _as_it_is(scanned: ModelFile) -> ModelFile:
    """The model, read again if it was written since: other files may have been scanned for minutes."""
    return scanned if is_as_read(scanned) else read_model_file(scanned.path)


def _lost(model: ModelFile, error: Exception) -> SkippedFile:
    return SkippedFile(path=model.path, reason=f"its weights cannot be read: {error}", stamp=model.stamp)
