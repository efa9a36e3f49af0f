"""The report of a run: facts from the store, as one HTML page, as Markdown, as JSON."""
