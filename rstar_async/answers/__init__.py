"""Are two final answers the same? Extraction, a cheap ladder, and math-verify in a child process.

`extract.extract_answer`, `equivalence.compare` (pure) · `checker.open_checker` (trio) ·
`bulk.verify_file` (synchronous, for `rstar verify`).
"""
