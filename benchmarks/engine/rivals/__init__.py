"""One module an engine, ours too: `serve(job, measure)` of each is called by `..child`.

Each is run by the interpreter that has its packages and imports, of this project, only what needs
the standard library alone; `local`, `transformers_generate` and `transformers_continuous` are run
by this project's own.
"""
