"""The kinds of problem: each module turns a level and a source of chance into one draft."""
