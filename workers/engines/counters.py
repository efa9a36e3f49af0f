"""What an engine counts since it was opened; owned by the torch thread, read by anyone."""

from dataclasses import dataclass


@dataclass
class Counters:
    requests: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    new_tokens: int = 0

    def count(self, prompt: int, cached: int, new: int = 0) -> None:
        """One answered request."""
        self.requests += 1
        self.prompt_tokens += prompt
        self.cached_tokens += cached
        self.new_tokens += new
