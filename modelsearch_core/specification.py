"""What the index knows of a model, and what a query asks (Symbols: `design` of METHODS, section 0).

Z (S, D): unit features of the model's samples.  Q (S, D): unit text features of the prompts behind them.
"""
