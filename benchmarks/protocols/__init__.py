"""The protocols of the papers on the benchmark zoo (benchmarks/zoo/large.py): `python -m benchmarks.protocols`."""
