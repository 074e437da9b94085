"""Triggers: what the sensors wait for."""
