"""Types of sockets."""

from __future__ import annotations


class ComboT(str):
    """A COMBO output that ComfyUI also accepts where an input's type is a list of names.

    Such an input (LoraLoader, CheckpointLoaderSimple, ...) has the list itself for a type, which no string equals; the
    check asks `received != wanted` first, of the received side.
    """

    def __ne__(self, other: object) -> bool:
        return not (isinstance(other, (list, tuple)) or str.__eq__(self, other) or other == "*")

    __eq__ = str.__eq__
    __hash__ = str.__hash__


MODEL_NAME = ComboT("COMBO")
MODEL_QUERY = "MODEL_QUERY"
MODEL_MATCHES = "MODEL_MATCHES"
LORA_STACK = "LORA_STACK"  # list of (name, weight on the model, weight on CLIP), as stackers pass it on
CATEGORY = "model search"
