"""Tecton: its feature views read, and their lineage."""
