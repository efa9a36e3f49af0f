"""Ids and seeds derived from content: the same work has the same id and the same seed.

Ids of stored rows come from here or from `storage.records.content_id`, which joins the parts in
another way. Neither way can change: stored ids would no longer be found.
"""

from hashlib import blake2b


def digest(*parts: object) -> bytes:
    """Eight bytes that depend on the texts of `parts` alone, in every process and for ever."""
    text = "\x1f".join(str(part) for part in parts)
    return blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()


def search_id(run: str, round_number: int, purpose: str, problem: str, seed: int) -> str:
    """The id of one search: 16 hex characters."""
    return digest("search", run, round_number, purpose, problem, seed).hex()


def tree_seed(purpose: str, round_number: int, seed: int, question: str) -> int:
    """The seed of all samples of one tree; it does not depend on the name of the run."""
    return seed_of("tree", purpose, round_number, seed, question)


def seed_of(*parts: object) -> int:
    """A 63-bit seed for one request."""
    return int.from_bytes(digest("seed", *parts)) >> 1
