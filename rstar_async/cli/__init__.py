"""One module per verb of `rstar`: `add_arguments(parser)` and `run(arguments) -> exit code`.

No verb's module is imported before that verb is asked for, so `rstar --help` answers at once.
`main` chooses the verb; `recipe_arguments`, `locate` and `output` are shared by several verbs.
"""
