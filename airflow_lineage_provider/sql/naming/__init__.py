"""Names of outputs without an alias, as the engine generates them."""
