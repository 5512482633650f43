"""The zoo's responses to probe sets, kept in a file for each set.

Found and opened by the code that indexes. Networks that share all but their last layer look at a picture once; that this
gives the same as asking each file on its own is checked on some of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from PIL import Image
from safetensors.torch import load_file

from modelsearch_core.catalog import Catalog
from modelsearch_core.classifiers import ClassifierFile
from modelsearch_core.classifiers.finding import find_classifiers
from modelsearch_core.classifiers.opening import open_classifier
from modelsearch_core.classifiers.pictures import batch_of
from modelsearch_core.classifiers.probe_pictures import k_centre
from modelsearch_core.classifiers.probing import probe
from modelsearch_core.embedding import Encoder
from modelsearch_core.specification import Evidence

from .concepts import CONCEPTS, world_pictures
from .zoo import SHAPES, is_head

WORLD, OTHERS = 1500, 600
CHECKED, SOME = 5, 20  # classifiers that are asked on their own too, and by how many pictures

Pictures = Sequence[Image.Image]


def world(seed: int = 5) -> Pictures:
    return [Image.fromarray(picture) for picture in world_pictures(WORLD, seed)]


def generated(catalog_path: Path, encoder: Encoder) -> Pictures:
    """What the procedural zoo's base models and LoRA made of its prompts, thinned as the default set is."""
    with Catalog(catalog_path, read_only=True) as catalog:
        name = catalog.encoders()[0][0]
        found = [
            image
            for fingerprint, digest, evidence, _ in catalog.specification_keys(name)
            if evidence is Evidence.GENERATED
            for image in catalog.sample_images(fingerprint, digest).values()
        ]
    features = np.concatenate([encoder.encode_images(found[i : i + 64]) for i in range(0, len(found), 64)])
    return [found[i] for i in sorted(k_centre(features, OTHERS))]


def noise(seed: int = 6) -> Pictures:
    rng = np.random.default_rng(seed)
    return [Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for _ in range(OTHERS)]


def models(zoo: Path) -> dict[str, ClassifierFile]:
    """By the names of zoo.json, in their order."""
    found = [file for file in find_classifiers([zoo / "models"]) if isinstance(file, ClassifierFile)]
    named = {(f.path if f.path.is_dir() else f.path.parent).name: f for f in found}
    return dict(sorted(named.items()))


class Asking:
    """One probe set. Features of a frozen network are kept for all classifiers that end in it."""

    def __init__(self, zoo: Path, record: Mapping[str, Any], pictures: Pictures) -> None:
        self._zoo, self._record, self._pictures = zoo, record, pictures
        self._features: dict[str, NDArray[np.float32]] = {}

    def phi(self, name: str, file: ClassifierFile) -> NDArray[np.float32]:
        """(L, n)."""
        if not self._record[name]["frozen"]:
            return self.on_its_own(file)
        weight, bias = head_of(file)
        return (self._seen(self._record[name]["shape"], file) @ weight.T + bias).T

    def on_its_own(self, file: ClassifierFile) -> NDArray[np.float32]:
        n = len(self._pictures)
        asked = probe(file, open_classifier(file, "cpu"), self._pictures.__getitem__, n, lambda _: None)
        return np.asarray(asked.phi, np.float32)

    def _seen(self, shape: str, file: ClassifierFile) -> NDArray[np.float32]:
        if shape not in self._features:
            assert file.input is not None
            network = SHAPES[shape].model(len(CONCEPTS))
            network.load_state_dict(load_file(self._zoo / "foundations" / f"{shape}.safetensors"))
            network.eval()
            parts = []
            with torch.inference_mode():
                for start in range(0, len(self._pictures), 64):
                    batch = torch.from_numpy(batch_of(self._pictures[start : start + 64], file.input))
                    parts.append(network.forward_head(network.forward_features(batch), pre_logits=True).numpy())
            self._features[shape] = np.concatenate(parts)
        return self._features[shape]


def head_of(file: ClassifierFile) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The last layer, as the file itself has it."""
    if file.path.is_dir():
        state = {key: tensor.numpy() for key, tensor in load_file(file.path / "model.safetensors").items()}
    else:
        state = {t.name: numpy_helper.to_array(t) for t in onnx.load(str(file.path)).graph.initializer}
    names = [key for key in state if is_head(key)]
    weight = next(state[key] for key in names if key.endswith("weight"))
    return weight, next(state[key] for key in names if key.endswith("bias"))


def responses(zoo: Path, record: Mapping[str, Any], name: str, pictures: Pictures) -> NDArray[np.float32]:
    """(L, n): all outputs of all models, one after another."""
    file = zoo / "responses" / f"{name}.npy"
    if not file.is_file():
        asking, found = Asking(zoo, record, pictures), models(zoo)
        phi = {}
        for model, described in found.items():
            phi[model] = asking.phi(model, described)
            print(name, model, flush=True)
        frozen = [model for model in found if record[model]["frozen"]]
        for model in frozen[:: max(1, len(frozen) // CHECKED)]:
            few = Asking(zoo, record, pictures[:SOME])
            np.testing.assert_allclose(few.on_its_own(found[model]), phi[model][:, :SOME], atol=2e-3)
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, np.concatenate(list(phi.values())))
    return np.load(file)
