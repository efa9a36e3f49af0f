"""The web page over the store: what a run did and does, in a browser, read-only.

`server` binds and serves, `app` has the routes, `guard` decides who may ask, `parameters` is the
only place that meets text from outside, `pages` answer from the store. Nothing here writes.
"""
