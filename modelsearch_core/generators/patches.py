"""LoRA on a loaded pipeline: added to the weights, and taken off by putting the saved originals back.

So the base is never loaded again, its pictures afterwards are bit-identical to those before, and a sampling step costs
no more than without a LoRA. ComfyUI and the WebUIs do the same.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import torch

from ..errors import ModelSearchError
from ..model_files import ModelFile
from .devices import free_bytes
from .factors import Factors, changed_weight
from .layer_names import LayerNames, Place
from .network_files import layers_of

ROOM = 6 * 2**30  # bytes of a card's memory that stay free for pictures

log = logging.getLogger(__name__)


class Patches:
    """The networks on a pipeline's UNet and text encoders."""

    def __init__(self, components: dict[str, Any]) -> None:
        self._components = components
        self._names = LayerNames(components)
        self._originals: list[tuple[torch.Tensor, torch.Tensor]] = []  # weight, what it was
        self._saved: set[int] = set()
        self._room: int | None = None  # bytes of the card's memory that originals may still take
        self._applied: tuple[tuple[str, float], ...] = ()

    def set(self, networks: Sequence[tuple[ModelFile, float]]) -> None:
        """Makes `networks` the ones that are on, in this order. Raises ModelSearchError; then none is on."""
        wanted = tuple((network.fingerprint, strength) for network, strength in networks)
        if wanted == self._applied:
            return
        self.clear()
        try:
            for network, strength in networks:
                self._add(network, strength)
        except Exception:
            self.clear()
            raise
        self._applied = wanted

    @torch.no_grad()
    def clear(self) -> None:
        """Puts all originals back, bit by bit."""
        for weight, original in self._originals:
            weight.copy_(original)
        self._originals.clear()
        self._saved.clear()
        self._room = None
        self._applied = ()

    def _add(self, network: ModelFile, strength: float) -> None:
        layers = layers_of(network)
        places = self._names.places_of(layers)
        _check_fit(network, places)
        for layer, place in places.items():
            if place is not None:
                self._change(network, place, layers[layer], strength)

    @torch.no_grad()
    def _change(self, network: ModelFile, place: Place, factors: Factors, strength: float) -> None:
        module = self._components[place[0]].get_submodule(place[1])
        try:
            if set(factors) - {"diff_b", "alpha"}:
                self._write(module.weight, changed_weight(module.weight, factors, strength))
            if "diff_b" in factors:
                self._write(module.bias, changed_weight(module.bias, {"diff": factors["diff_b"]}, strength))
        except (ModelSearchError, RuntimeError, KeyError, AttributeError) as error:
            if isinstance(error, torch.cuda.OutOfMemoryError):
                raise
            shapes = {name: tuple(tensor.shape) for name, tensor in factors.items()}
            raise ModelSearchError(
                f"{network.path.name} does not fit the base model: at {'.'.join(place)} it has {shapes}; "
                "choose the base it was trained on"
            ) from error

    def _write(self, weight: torch.Tensor, changed: torch.Tensor) -> None:
        if id(weight) not in self._saved:
            self._saved.add(id(weight))
            self._originals.append((weight, self._kept(weight)))
        weight.copy_(changed)

    def _kept(self, weight: torch.Tensor) -> torch.Tensor:
        """A copy: on the card where there is room, since a way to the processor's memory and back takes longer than all
        else about a LoRA; else in the processor's memory."""
        if self._room is None:
            self._room = free_bytes(weight.device) - ROOM
        self._room -= weight.numel() * weight.element_size()
        return weight.detach().clone() if self._room >= 0 else weight.detach().to("cpu", copy=True)


def _check_fit(network: ModelFile, places: dict[str, Place | None]) -> None:
    """A few strange layers are passed over, as every host does; a file of mostly strange ones is for another model."""
    strange = [layer for layer, place in places.items() if place is None]
    if len(strange) * 2 > len(places) or not places:
        raise ModelSearchError(
            f"{network.path.name} does not fit the base model: {len(strange)} of its {len(places)} layers are unknown "
            f"there ({', '.join(strange[:2]) or 'it has none'}); choose the base it was trained on"
        )
    if strange:
        log.warning("%s: %d of %d layers not applied, such as %s", network.path, len(strange), len(places), strange[0])
