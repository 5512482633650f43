"""What is trained here: the style encoder. Importing this package loads no torch."""
