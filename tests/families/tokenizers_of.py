"""Small tokenizers in the shape of those of well-known families: the same parts, trained on a few
lines. Two kinds: bytes as characters (GPT-2), and SentencePiece's `▁` with tokens for bytes."""

from collections.abc import Sequence

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from rstar_async.demo.problems import word_problems

CORPUS = [
    *(p.question + p.solution for p in word_problems(40, (1, 2), 0, "demonstration")),
    *["def f(x):\n    if x > 10:\n\treturn [x**2, 1.5]\n\nprint(f(2026))\n"] * 5,
]
WORDS_AND_NUMBERS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def begun_with(tokenizer: Tokenizer, bos: str) -> processors.TemplateProcessing:
    ids = [(bos, tokenizer.token_to_id(bos))]
    return processors.TemplateProcessing(
        single=[bos, "$A"], pair=[bos, "$A", "$B"], special_tokens=ids
    )


def byte_level(specials: Sequence[str], digits: str = r"\p{N}", bos: str = "") -> Tokenizer:
    """As Llama 3 (`digits` up to three at a time), Qwen (one) and DeepSeek."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS_AND_NUMBERS.replace("DIGITS", digits)), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens([*specials])
    steps = [processors.ByteLevel(trim_offsets=False)]
    if bos:
        steps.append(begun_with(tokenizer, bos))
    tokenizer.post_processor = processors.Sequence(steps)
    return tokenizer


def gpt2_like(specials: Sequence[str]) -> Tokenizer:
    """As SmolLM2: single digits, then GPT-2's own splitting."""
    tokenizer = byte_level(specials)
    tokenizer.normalizer = None
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    return tokenizer


def sentencepiece(specials: Sequence[str], bos: str, *, prefix: bool) -> Tokenizer:
    """As Llama 2, Mistral and Phi-3, which put a space before a text (`prefix`), and Gemma."""
    first = ["<unk>", *(special for special in specials if special != "<unk>"), *BYTES]
    pieces, merges = _pieces()
    vocabulary = {token: number for number, token in enumerate([*first, *pieces])}
    tokenizer = Tokenizer(
        models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    to_piece = normalizers.Replace(" ", "▁")
    steps = [normalizers.Prepend("▁"), to_piece] if prefix else [to_piece]
    tokenizer.normalizer = normalizers.Sequence(steps)
    back = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    if prefix:
        back.append(decoders.Strip(" ", 1, 0))
    tokenizer.decoder = decoders.Sequence(back)
    tokenizer.add_special_tokens([AddedToken(s, normalized=False) for s in ("<unk>", *specials)])
    tokenizer.post_processor = begun_with(tokenizer, bos)
    return tokenizer


def _pieces() -> tuple[list[str], list[tuple[str, str]]]:
    """Characters and merged pieces, and the merges, of a BPE over words with `▁` before them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    trainer = trainers.BpeTrainer(vocab_size=400, show_progress=False)
    tokenizer.train_from_iterator((line for text in CORPUS for line in text.split("\n")), trainer)
    import json

    model = json.loads(tokenizer.to_str())["model"]
    pieces = sorted(model["vocab"], key=model["vocab"].__getitem__)
    return pieces, [tuple(merge) for merge in model["merges"]]
