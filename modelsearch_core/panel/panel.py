"""The panel's answers. Dictionaries are as JSON has them; pictures are bytes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from ..catalog import Catalog
from ..collection import EVIDENCE_ORDER
from ..correcting import bases_for, correct
from ..effects import without_effect
from ..encoders import DEFAULT_ENCODER_MEGABYTES
from ..errors import EmptyCatalogError, OutdatedError
from ..families import ARCHITECTURES
from ..guesses import Guesses
from ..indexing.pace import seconds_a_picture
from ..model_files import Kind
from ..pairs import is_low_noise, one_each
from ..pictures import FOLDERS, SUMMARY, PictureSummary
from ..places import Place
from ..search import METHODS, Description, Match
from . import browsing, duplicates, pictures, previews, renderings
from .checking import CheckJob
from .classifiers import ClassifierSearch
from .collection_map import CollectionMap
from .costs import costs, forecast
from .elsewhere import Elsewhere
from .explanations import Explanations, without
from .figures import rounded
from .host import Host
from .indexing import Indexing
from .library import Library, Snapshot
from .probing_job import ProbingJob
from .queries import Search
from .refusals import RefusedError
from .waiting import Waiting

SKIPPED_SHOWN = 200
THUMBNAILS = 8  # of a card
ENCODER = {"ready": False, "megabytes": DEFAULT_ENCODER_MEGABYTES}


class Panel:
    """One catalog, shown by one host. Every method may be called from any thread, and blocks while it works."""

    def __init__(self, catalog_path: Place, host: Host, search_server: Callable[[], str] = lambda: "") -> None:
        """`search_server`: address of another machine's `modelsearch serve` that is asked in place of the catalog."""
        self.library = Library(catalog_path, host.encoder, lambda: host.indexer.progress().ended)
        self._host = host
        self._indexing = Indexing(host)
        self._map = CollectionMap(self.library)
        self.classifiers = ClassifierSearch(catalog_path, host.encoder, host.listed)
        self.probing = ProbingJob(catalog_path, host.encoder, host.classifier_folders, host.trusted_pickles)
        self._check = CheckJob(catalog_path)
        self._guesses = Guesses(lambda: catalog_path)
        self._explanations = Explanations()
        self._waiting = Waiting[Search]()
        self.elsewhere = Elsewhere(self.library, host, self._listed, search_server)
        self._duplicates: tuple[int, dict[str, Any]] = 0, {}

    def close(self) -> None:
        self._guesses.join()
        self.library.close()
        self.classifiers.close()

    def warm(self) -> None:
        """Opens the catalog and the encoder, so that the first search need not."""
        try:
            with self.library.reading() as snapshot:
                snapshot.index.encoder.encode_texts(["warm"])
        except EmptyCatalogError:
            return

    def status(self) -> dict[str, Any]:
        """What there is to search, and what the panel may offer."""
        progress = self._host.indexer.progress()
        return {
            "host": self._host.name,
            "catalog": str(self.library.path),
            "methods": list(METHODS),
            "may_change_folders": self._host.may_change_folders,
            "limits": {"picture_bytes": pictures.MOST_BYTES, "pictures": pictures.MOST_PICTURES},
            "indexing": progress.to_json(),
            "classifiers": self._classifiers(),
            **self._counts(),
        }

    def _classifiers(self) -> dict[str, Any]:
        """How many files are known of each kind that is asked otherwise; `shown`: whether their view has a use here."""
        try:
            with self.library.samples() as catalog:
                counts = catalog.classifiers.counts()
        except EmptyCatalogError:
            counts = dict[str, int]()
        return {**counts, "shown": bool(counts) or (self._host.name != "serve" and bool(self.probing.folders()))}

    def _counts(self) -> dict[str, Any]:
        try:
            snapshot = self.library.newest()
        except EmptyCatalogError as error:
            nothing = {"kinds": {}, "architectures": {}, "evidence": {}, "filters": {}}
            return {"models": 0, "serial": 0, "encoder": ENCODER, **nothing, "reason": str(error)}
        models = snapshot.models
        folders = browsing.folder_tree(models, [folder.path for folder in self._host.folders()])
        filters = browsing.offered(models, folders)
        return {
            "models": len(models),
            "encoder": {**ENCODER, "ready": snapshot.index is not None},
            "serial": snapshot.serial,
            "kinds": _counted(filters["kind"]),
            "architectures": _counted(filters["architecture"]),
            "evidence": _levels(model.evidence or "nothing" for model in models),
            "folders": folders,
            "filters": filters,
            "failed": len(snapshot.failures.keys() & snapshot.by_id.keys()),
        }

    def search(self, body: Mapping[str, Any], files: Mapping[str, Sequence[bytes]]) -> dict[str, Any]:
        """The models that fit. Body: text, like, without, weights, style, filters, method, k, diverse, explained."""
        started = time.monotonic()
        wanted = Search.read(body, files)
        if wanted.is_words_only and self.library.newest().index is None:
            return self._by_words(wanted, started)
        if (newest := self.library.newest().index) is not None:
            newest.read_ahead(wanted.query)  # before it is this query's turn
        try:
            snapshot, matches = self._searched(wanted)
        except OutdatedError:
            self.library.forget_reading()
            snapshot, matches = self._searched(wanted)
        self._guesses.saw(matches)
        named, _ = one_each(browsing.named(snapshot.models, wanted), snapshot.halves)
        shown, _ = one_each(matches, snapshot.halves)
        told = [rounded(match.to_json()) for match in (shown if wanted.explained else without(shown))]
        return {
            **({} if wanted.explained else {"answer": self._explanations.keep(shown)}),
            "matches": [
                {**each, "listed": self._listed(snapshot, match)} for each, match in zip(told, shown, strict=True)
            ],
            "named": [self._card(snapshot, model) for model in named],
            "seconds": round(time.monotonic() - started, 3),
            "serial": snapshot.serial,
        }

    def _searched(self, wanted: Search) -> tuple[Snapshot, list[Match]]:
        with self._waiting.joined(wanted), self.library.reading() as snapshot:
            snapshot.index.ask_ahead([(each.query, each.method) for each in self._waiting.turn_of(wanted)])
            return snapshot, wanted.run(snapshot.index)

    def _by_words(self, wanted: Search, started: float) -> dict[str, Any]:
        """Models that are called or described so, while no encoder has looked at any."""
        snapshot = self.library.newest()
        found = browsing.described(snapshot.models, wanted.query.text, wanted.filters)[: wanted.k]
        shown, _ = one_each([model for _, model in found], snapshot.halves)
        return {
            "matches": [self._card(snapshot, model) for model in shown],
            "named": [],
            "seconds": round(time.monotonic() - started, 3),
            "serial": snapshot.serial,
        }

    def _listed(self, snapshot: Snapshot, model: Match | Description) -> dict[str, Any]:
        """What the host calls the first copy of the model that it lists; where a model is two files and it lists both,
        their names, too."""
        paths = (model.path, *model.copies)
        listed = dict(next(filter(None, (self._host.listed(path, model.kind) for path in paths)), {}))
        other = snapshot.halves.get(model.path)
        name = self._host.listed(other, model.kind).get("name") if other else None
        if name is None or "name" not in listed:
            return listed
        both = (name, listed["name"]) if is_low_noise(model.path) else (listed["name"], name)
        return {**listed, "halves": dict(zip(("high", "low"), both, strict=True))}

    def models(self, query: Mapping[str, str]) -> dict[str, Any]:
        """A page of all models. Query: filters, name, sort, offset, limit."""
        snapshot = self.library.newest()
        found, page = browsing.page(one_each(snapshot.models, snapshot.halves)[0], query)
        return {
            "total": len(found),
            "models": [self._card(snapshot, model) for model in page],
            "serial": snapshot.serial,
        }

    def _card(self, snapshot: Snapshot, model: Description) -> dict[str, Any]:
        key = snapshot.keys.get(model.id)
        numbers = self._numbers(key) if key else list(range(len(previews.existing(model.path))))
        return {
            **model.to_json(),
            "thumbnails": numbers[:: max(1, len(numbers) // THUMBNAILS)][:THUMBNAILS],
            "failure": snapshot.failures.get(model.id),
            "listed": self._listed(snapshot, model),
        }

    def _numbers(self, key: tuple[str, str] | None) -> list[int]:
        if key is None:
            return []
        with self.library.samples() as catalog:
            return catalog.sample_numbers(*key)

    def model(self, id: str, answer: str = "") -> dict[str, Any]:
        """All that is known of a model, its samples with their prompts, and which of them its base has too; why it
        stands where it does in that answer."""
        snapshot = self.library.newest()
        model = snapshot.model(id)
        key, base = snapshot.keys.get(id), snapshot.bases.get(id)
        card = self._card(snapshot, model)
        numbers = self._numbers(key) if key else card["thumbnails"]
        probe_set = snapshot.index.collection.probe_sets.get(key[1]) if key and snapshot.index else None
        with self.library.samples() as catalog:
            drawings = renderings.shown(catalog, id, snapshot.references.get(id))
            by_hand = catalog.by_hand.get(id).to_json()
            told = {row.number: row.prompt for row in catalog.pictures.chosen(*key)} if key else {}
            idle = snapshot.index is not None and id in without_effect(catalog, snapshot.index.collection.encoder)
        other = snapshot.halves.get(model.path)
        return {
            **card,
            **self._explanations.of(answer, id),
            "by_hand": by_hand,
            "no_effect": idle,
            "other_half": str(other) if other else None,
            "samples_shown": [
                {"number": n, "prompt": probe_set.prompt(n) if probe_set else told.get(n, "")} for n in numbers
            ],
            "base_numbers": self._numbers(base),
            "base_name": snapshot.by_id[base[0]].name if base and base[0] in snapshot.by_id else None,
            "previews": [path.name for path in previews.existing(model.path)],
            **drawings,
        }

    def sample(self, id: str, number: int) -> bytes:
        return self._sample(self.library.newest().keys.get(id), number)

    def preview(self, id: str, number: int) -> bytes:
        """A picture beside the model's file, small."""
        found = previews.existing(self.library.newest().model(id).path)
        if not 0 <= number < len(found):
            raise RefusedError(404, f"there is no preview {number} of this model")
        return previews.small(found[number])

    def base_sample(self, id: str, number: int) -> bytes:
        """What the model's base makes of the same probe."""
        return self._sample(self.library.newest().bases.get(id), number)

    def rendering(self, id: str, part: str, number: int) -> bytes:
        """Of a drawing that the model filled out: output, base, drawing or subject."""
        probe_set = self.library.newest().references.get(id)
        with self.library.samples() as catalog:
            return renderings.picture(catalog, id, probe_set, part, number)

    def _sample(self, key: tuple[str, str] | None, number: int) -> bytes:
        with self.library.samples() as catalog:
            webp = catalog.sample(*key, number) if key else None
        if webp is None:
            raise RefusedError(404, f"there is no sample {number} of this model")
        return webp

    def save_preview(self, id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Puts a sample beside the model as its preview. Body: number, replace. 409 while one is there."""
        model = self.library.newest().model(id)
        number = body.get("number")
        if type(number) is not int or not 0 <= number < 2**31:
            raise RefusedError(400, f"number must say which sample, not {number!r}"[:200])
        path = previews.save(self._own(model), self.sample(id, number), replace=body.get("replace") is True)
        return {"saved": path.name}

    def _own(self, model: Description) -> Path:
        """The model's file below a folder of this host: others may share the catalog, their folders are not ours."""
        roots = [folder.path.absolute() for folder in self._host.folders()]
        for path in (model.path, *model.copies):
            if any(root == path or root in path.parents for root in roots):
                return path
        raise RefusedError(403, f"{model.path} lies in none of this host's folders, so nothing is written there")

    def by_hand(self, id: str) -> dict[str, Any]:
        """What was set of a model by hand, and what can be."""
        self.library.newest().model(id)
        with Catalog(self.library.path, read_only=True) as catalog:
            return _settable(catalog, id)

    def set_by_hand(self, id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Body: architecture, base, trigger_words; null is what the file says. Answers as `by_hand`."""
        self.library.newest().model(id)
        with Catalog(self.library.path) as catalog:
            correct(catalog, id, body)
            told = _settable(catalog, id)
        self.library.forget_reading()
        return told

    def save_previews(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Puts a picture of its own beside every model that has no preview. Body: dry (only counts them). One that
        cannot be written does not stop the others."""
        snapshot = self.library.newest()
        models = [model for model in snapshot.models if model.evidence == "generated"]
        without = [model for model in models if model.path.exists() and not previews.existing(model.path)]
        if body.get("dry") is True:
            return {"missing": len(without)}
        failed: list[str] = []
        for model in without:
            try:
                number = self._card(snapshot, model)["thumbnails"][0]
                previews.save(self._own(model), self.sample(model.id, number), replace=False)
            except RefusedError as error:
                failed.append(str(error))
        return {"saved": len(without) - len(failed), "failed": failed[:SKIPPED_SHOWN]}

    def map(self) -> dict[str, Any]:
        """Where each model lies on the collection's map: models with similar pictures near each other."""
        return self._map.map()

    def check(self) -> dict[str, Any]:
        """How the self-check stands, and what the last one found."""
        return self._check.state()

    def start_check(self) -> dict[str, Any]:
        """Begins to hold the models' own pictures out and to search for them. Answers as `check`."""
        self._check.start()
        return self.check()

    def start_probing(self) -> dict[str, Any]:
        """Begins to ask what is new in the host's folders of classifiers. Answers how that stands."""
        self.probing.start()
        return self.probing.state()

    def duplicates(self, of: str | None = None) -> dict[str, Any]:
        """What is nearly the same, by id; only what is so `of` a model."""
        with self.library.reading() as snapshot:
            if self._duplicates[0] != snapshot.serial:
                cards = {model.path: self._card(snapshot, model) for model in snapshot.models}
                self._duplicates = snapshot.serial, duplicates.all_of(snapshot.index, snapshot.models, cards)
        found = self._duplicates[1]
        if of is None:
            return found
        snapshot.model(of)
        return duplicates.of_model(found, of)

    def indexing(self) -> dict[str, Any]:
        """How indexing stands, which folders it looks in, what failed so far, and what is to be generated takes."""
        state = self._indexing.state()
        state["search_server"] = self.elsewhere.address
        return {**state, "pictures": self._pictures(state.pop("picture_folders")), **self._troubles()}

    def _pictures(self, folders: Sequence[str]) -> dict[str, Any]:
        """Where the host's own pictures lie, whether these are looked at (None: nobody has said), and what they say."""
        try:
            with Catalog(self.library.path, read_only=True) as catalog:
                chosen, told = catalog.setting(FOLDERS), PictureSummary.from_json(catalog.setting(SUMMARY))
        except EmptyCatalogError:
            chosen, told = None, None
        is_on = None if chosen is None else chosen != "[]"
        return {"folders": folders, "on": is_on, "told": asdict(told) if told else None}

    def _troubles(self) -> dict[str, Any]:
        try:
            snapshot = self.library.newest()
        except EmptyCatalogError:
            return {"failures": [], "skipped": [], "skipped_total": 0, "costs": [], "forecast": []}
        failed = [model for model in snapshot.models if model.id in snapshot.failures]
        meant = [m for m in snapshot.models if m.kind != "pictures" and m.id not in snapshot.failures]
        with self.library.samples() as catalog:
            paces = seconds_a_picture(catalog)
        return {
            "failures": [
                {"id": model.id, "name": model.name, "path": str(model.path), "reason": snapshot.failures[model.id]}
                for model in failed
            ],
            "skipped": [{"path": str(f.path), "reason": f.reason} for f in snapshot.skipped[:SKIPPED_SHOWN]],
            "skipped_total": len(snapshot.skipped),
            "costs": costs(snapshot.models),
            "forecast": forecast(meant, paces),
        }

    def change_indexing(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Body: action (start, pause, resume, cancel, retry, folders) and what it needs. Answers as `indexing`."""
        wanted: Any = body.get("only") or []
        if not isinstance(wanted, list) or not all(isinstance(id, str) for id in cast("list[Any]", wanted)):
            raise RefusedError(400, f"only must be a list of models' ids, not {wanted!r}"[:300])
        only = [self.library.newest().model(id).path for id in cast("list[str]", wanted)]
        self._indexing.change(body, only)
        self.library.forget_reading()
        return self.indexing()


def _settable(catalog: Catalog, id: str) -> dict[str, Any]:
    models = catalog.models()
    model = next((each for each in models if each.fingerprint == id), None)
    if model is None:
        raise RefusedError(404, "this model is no longer in the index; search again")
    bases = bases_for(model, models) if model.kind is Kind.LORA else []
    return {
        "set": catalog.by_hand.get(id).to_json(),
        "architectures": list(ARCHITECTURES),
        "bases": [{"path": str(b.path), "name": b.path.name, "architecture": b.architecture} for b in bases],
    }


def _counted(offered: Mapping[str, Any]) -> dict[str, int]:
    return {each["value"]: each["models"] for each in offered["choices"]}


def _levels(evidence: Iterable[str]) -> dict[str, int]:
    """How many models there are of each evidence, best first."""
    counts = Counter(evidence)
    return {level: counts[level] for level in (*(each.value for each in EVIDENCE_ORDER), "nothing") if counts[level]}
