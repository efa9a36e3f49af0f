"""Prompts, tags and the parser of steps, shared by search, SFT and PPM."""
