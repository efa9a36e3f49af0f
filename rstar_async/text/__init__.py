"""One builder for prompts and one parser for steps, shared by search, SFT and PPM."""
