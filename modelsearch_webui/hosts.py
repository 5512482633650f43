"""Which WebUIs this is for."""

from __future__ import annotations

import importlib.util

SUPPORTED = "Forge, Forge Classic and Neo, reForge and AUTOMATIC1111"


def refused() -> str | None:
    """One sentence where the extension does not run in this WebUI; None where it does."""
    if importlib.util.find_spec("modules.sd_checkpoint") is not None:  # SD.Next split its sd_models
        return (
            f"Model Search does not run inside SD.Next, it is for {SUPPORTED}; beside SD.Next, "
            "`python install.py serve FOLDER` in the extension's folder searches the same models in a browser"
        )
    return None
