"""The Markdown form of the documented map: written, and read back."""
