"""What several records say alike."""

from __future__ import annotations

from .record import No, Recipe

A_UNET = No("a U-Net, told by the width of its text features")
A_TRANSFORMER = No("a transformer")
ONE_WIDTH = No("all of its models have the same widths")
NO_LINEAGES = No("no fine-tune of it became a base of its own")
BY_UNET = No("its folders name the class of all U-Nets")
NOT_QUANTISED = No("no quantised files of it are known")
NOT_IN_DIFFUSERS = No("single files of it are not read through diffusers here")
NOT_IN_COMFYUI = No("ComfyUI does not load it")
NO_SMALL_DECODER = No("no small decoder is published for its latents")
BY_NETWORKS = No("they are told by the networks that are merged into them, the same for all of its kind")
NO_FEW_STEPS = No("no model of it that needs fewer steps is known")
NO_LAYERS = No("how its LoRA name their layers is not known")

OTHER = Recipe(size=768, steps=20, guidance=4.5, sampler="own")  # where nothing better was measured
