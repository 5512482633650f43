"""Generators that run here: pictures from model files through diffusers. Importing this package loads no torch."""

from .settings import GeneratorSettings

__all__ = ["GeneratorSettings"]
