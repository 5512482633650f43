"""Whether answers can be trusted in a collection as people have it: `python -m benchmarks.honesty`."""
