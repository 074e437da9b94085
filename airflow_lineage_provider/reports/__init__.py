"""A comparison, an impact or a map, for people and for machines."""
