"""The public API, for notebooks and scripts; `import rstar_async` offers all of it."""
