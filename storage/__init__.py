"""The database: the only package that knows SQL.

`storage.records` are the values that other packages hold; `storage.store` (trio) and
`storage.database` (blocking) write and read them; `storage.queries` are the reads.
"""
