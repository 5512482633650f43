"""A small world of pictures and the really trained models that paint it (docs/development.md)."""
