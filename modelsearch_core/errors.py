"""What a user can act on. A message says what is wrong, with the values, then what to do."""


class ModelSearchError(Exception):
    """Base of all errors that a host shows as they are, without a stack trace. `command`: what mends it on the command
    line, where there is one."""

    def __init__(self, message: object = "", *, command: str = "") -> None:
        super().__init__(message)
        self.command = command


class UnreadableModelError(ModelSearchError):
    """A file that is not a model, or a broken or malicious one; recorded with this reason and skipped."""


class MissingBaseError(ModelSearchError):
    """A LoRA for which no base model is at hand."""


class MissingWeightsError(ModelSearchError):
    """Weights (encoder, drawing, interrogator) that are neither on disk nor to be had by a download."""


class UnreadablePictureError(ModelSearchError):
    """What is no picture, or one too large to be opened."""

    def __init__(self, message: str, *, is_too_large: bool = False) -> None:
        super().__init__(message)
        self.is_too_large = is_too_large


class InvalidOutputError(ModelSearchError):
    """A model whose pictures are black, constant or not a number; never indexed."""


class UnsupportedReferenceError(ModelSearchError):
    """A drawing asked of a model that can only be asked by prompts."""


class CatalogFaultError(ModelSearchError):
    """A catalog that cannot be read or written: a full disk, a damaged page, a lock that is held, a file gone."""


class OutdatedError(ModelSearchError):
    """What was read of a catalog is no longer all there: somebody has measured a model anew since."""


class EmptyCatalogError(ModelSearchError):
    """A search in a catalog that holds nothing to compare with."""


class NonsenseError(ModelSearchError):
    """A query that asks for nothing, which any model answers as well as any other."""


class UnknownModelError(ModelSearchError):
    """A name that fits no model, or more than one, of the catalog."""
