"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from with_postgres import postgres

from brightspot import _core

FRAMES = {
    "polars": lambda frame: frame,
    "lazy": lambda frame: frame.lazy(),
    "pandas": lambda frame: frame.to_pandas(),
    "pyarrow": lambda frame: frame.to_arrow(),
    "duckdb": lambda frame: duckdb.from_arrow(frame.to_arrow()),
    "capsule": lambda frame: Capsule(frame),
    "mapping": lambda frame: frame.to_dict(as_series=False),
}


class Capsule:
    """A foreign table that offers nothing but the Arrow capsule interface."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._table: pa.Table = frame.to_arrow()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


@pytest.fixture(params=FRAMES)
def convert(request):
    """Every kind of frame that comes in."""
    return FRAMES[request.param]


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of outputs of reference software; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("BRIGHTSPOT_REFERENCE") or Path(__file__).parents[3] / "shared" / "reference")
    if not folder.is_dir():
        pytest.skip("no reference outputs here: set BRIGHTSPOT_REFERENCE")
    return folder


@pytest.fixture(scope="session")
def needs_postgres() -> None:
    """What needs PostgreSQL skips where the extension was built without it."""
    if not _core.has_postgres:
        pytest.skip("this build of brightspot knows no PostgreSQL: build it with the feature postgres")


@pytest.fixture(scope="session")
def server(needs_postgres):
    """The URL of a real PostgreSQL that runs as long as the tests do."""
    with postgres() as url:
        yield url
