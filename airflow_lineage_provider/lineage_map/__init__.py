"""The documented map: its model, its checks, its names."""
