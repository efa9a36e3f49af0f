"""The report of a run, made from its store: in the terminal, as an HTML page, Markdown or JSON."""
