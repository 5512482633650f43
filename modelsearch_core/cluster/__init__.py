"""Models generated from on many machines' GPUs at once, written into the catalog by one program."""
