"""The Markdown form of the documented map: its writer and its reader."""
