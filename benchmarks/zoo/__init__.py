"""A small world of pictures and the really trained models that paint it (docs: mini_zoo/README.md)."""
