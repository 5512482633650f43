"""As much of a WebUI's `modules` as the extension uses, with effects that can be written down by hand."""
