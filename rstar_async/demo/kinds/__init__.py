"""The kinds of problems: each module makes a draft from a level and a random generator."""
