"""One module per verb of `rstar`: `add_arguments(parser)` and `run(arguments) -> exit code`.

Nothing heavy is imported before a verb runs, so that `rstar --help` answers at once.
"""
