"""Names and seeds derived from content, so that the same work asked twice has the same name."""

from hashlib import blake2b


def digest(*parts: object, size: int = 8) -> bytes:
    """A stable hash of printable parts."""
    text = "\x1f".join(str(part) for part in parts)
    return blake2b(text.encode(), digest_size=size).digest()


def search_id(run: str, round_number: int, purpose: str, problem: str, seed: int) -> str:
    """The id of one search: 16 hex characters."""
    return digest("search", run, round_number, purpose, problem, seed).hex()


def tree_seed(purpose: str, round_number: int, seed: int, question: str) -> int:
    """What all draws of one tree follow from: what is searched, not what its run is called."""
    return seed_of("tree", purpose, round_number, seed, question)


def seed_of(*parts: object) -> int:
    """A 63-bit seed for one request."""
    return int.from_bytes(digest("seed", *parts)) >> 1
