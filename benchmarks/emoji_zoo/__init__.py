"""A zoo of things that people know: emoji by several artists, painters' styles, words of a sentence encoder.

Its pictures come from packages at build time (`packages.py` pins them); what is kept are weights trained here.
"""
