"""The web page over a store: a read-only view of runs, also while they go on.

`server` binds and serves, `app` has the routes, `access` and `guard` decide who may read,
`requests` validates parameters, `pages` and `ranking` make the `responses`. Nothing here writes.
"""
