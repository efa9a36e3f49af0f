"""The memory: the only room that knows SQL.

`storage.records` holds what everyone may hold; `storage.store` (trio) and `storage.database`
(no trio) write and read it; `storage.queries` are the questions.
"""
