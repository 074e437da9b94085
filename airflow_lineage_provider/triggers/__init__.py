"""Triggers: waiting for events and forwarding in the triggerer."""
