"""What the tree of each search that is over adds up to, kept so that nobody has to read it again.

Whoever stores the end of a search keeps its sums in the same transaction (`keeping`). Of a search
that goes on, and wherever none are kept, they are added up when asked for: the figures are the
same, only later.
"""
