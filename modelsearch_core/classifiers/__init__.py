"""Classifiers, taggers, raters and detectors, found by the concept that one of their outputs knows.

Each is asked the same pictures; each output's responses are compared with what CLIP says of a concept on them
(docs/methods.md 16).
"""

from .files import ClassifierFile, Form
from .indexing import KINDS, ClassifierReport, ProbeSettings, index_classifiers
from .matches import OutputMatch
from .searching import ClassifierIndex, ConceptQuery

__all__ = [
    "KINDS",
    "ClassifierFile",
    "ClassifierIndex",
    "ClassifierReport",
    "ConceptQuery",
    "Form",
    "OutputMatch",
    "ProbeSettings",
    "index_classifiers",
]
