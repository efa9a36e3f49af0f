"""Published model versions: where they come from, which are in use, and which are refused."""
