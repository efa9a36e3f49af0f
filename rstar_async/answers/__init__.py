"""Are two final answers the same? Extraction, one grammar, and math-verify in a child process.

An answer is read as a whole, to a tree with a kind of node for each kind of answer, or not at all;
two answers are equal only if both were read and agree, and undecided where they were not.

Text to tree: `extract`, `spelling`, `tokens`, `grammar` (its parts are `expressions`, `functions`,
`brackets`, `special`, `measured`) and `python_form`. Tree to verdict: `structures`, which asks
`kinds`, `names`, `relations`, `ratios`, `real_sets`, `families`, `vectors` and `closeness`.

`extract.extract_answer`, `equivalence.compare` (pure) · `checker.open_checker` (trio) ·
`bulk.verify_file` (synchronous, for `rstar verify`).
"""
