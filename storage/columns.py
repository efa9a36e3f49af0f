"""Columns with a comment each, which databases show; a value is required unless it is `maybe`."""

from typing import Any

import sqlalchemy as sa


def column(name: str, kind: Any, comment: str, *extra: Any, **options: Any) -> sa.Column[Any]:
    options.setdefault("nullable", False)
    return sa.Column(name, kind, *extra, comment=comment, **options)


def key(name: str, kind: Any, comment: str, *extra: Any) -> sa.Column[Any]:
    return column(name, kind, comment, *extra, primary_key=True)


def maybe(name: str, kind: Any, comment: str, *extra: Any) -> sa.Column[Any]:
    return column(name, kind, comment, *extra, nullable=True)
