"""How well each model fits a query: plain functions on arrays, one per formula, one module per paper; no torch.

M models' samples lie one after another: Z (N, D) unit rows, offsets (M+1,) with model m's samples at
Z[offsets[m]:offsets[m+1]], one or more. Queries h (T, D) give scores (T, M). What grows with the match is a score;
what shrinks is named `…_distance`.
"""
