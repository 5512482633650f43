"""Model Search's library: finds generative models by what they generate. No host, no printing, no exit."""

__version__ = "0.1.0"
