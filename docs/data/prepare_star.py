"""Makes `python/brightspot/datasets/star.parquet` from the table `star` of Debian's r-cran-mlmrev.

The data are those of Tennessee's Student Teacher Achievement Ratio project (Achilles and others, 2008, Harvard
Dataverse, doi:10.7910/DVN/SIWH9F, released CC0). The input is the data frame `star` of that package, written to parquet
with its columns, rows and values as they are. `star.md`, beside the output, says what is changed here and why.

    python docs/data/prepare_star.py INPUT.parquet [OUTPUT.parquet]

The bytes of a parquet file depend on the version of polars that wrote it, its content does not: the script checks the
content and prints both sums.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import polars as pl

OUTPUT = Path(__file__).parents[2] / "python" / "brightspot" / "datasets" / "star.parquet"

IDS = ["id", "sch", "tch"]
TEXTS = ["gr", "cltype", "hdeg", "clad", "trace", "ses", "schtype", "sx", "eth", "birthq"]
INTEGERS = ["exp", "read", "math", "birthy", "yrs"]

# Every value a text column may hold; anything else stops the script. `birthq` has a pattern instead.
LEVELS = {
    "gr": {"K", "1", "2", "3"},
    "cltype": {"reg", "reg+A", "small"},
    "hdeg": {"BS/BA", "MS/MA/MEd", "MA+", "Ed.S", "Ed.D/Ph.D"},
    "clad": {"NOT", "PROB", "APPR", "PEND", "1", "2", "3"},
    "trace": {"W", "B", "A"},
    "ses": {"F", "N"},
    "schtype": {"inner", "suburb", "rural", "urban"},
    "sx": {"F", "M"},
    "eth": {"W", "B", "A", "H", "I", "O"},
}

# Counted independently of this script, with R: pupils with a mathematics score, their teachers and schools.
EXPECTED = {"K": (5871, 337, 79), "1": (6600, 368, 76)}
N_ROWS = 26_796


def prepare(raw: pl.DataFrame) -> pl.DataFrame:
    """Types the columns and makes missing values null; order of rows and columns stays."""
    missing = {*IDS, *TEXTS, *INTEGERS} ^ set(raw.columns)
    if missing:
        raise SystemExit(f"unexpected or missing columns: {sorted(missing)}")
    text = pl.col(TEXTS).str.strip_chars()
    table = raw.with_columns(
        pl.col(IDS).cast(pl.Int64).cast(pl.String),
        pl.when(text != "").then(text),
        pl.col(INTEGERS).cast(pl.Int64),
    )
    # "NA:2" and the like: the year or the quarter of birth is unknown, written as text.
    return table.with_columns(pl.when(pl.col("birthq").str.contains(r"^\d{4}:[1-4]$")).then(pl.col("birthq")))


def check(table: pl.DataFrame) -> None:
    """Stops at the first thing that is not as it should be."""
    if table.height != N_ROWS:
        raise SystemExit(f"{table.height} rows, expected {N_ROWS}")
    if table.select(pl.struct("id", "gr").is_duplicated().any()).item():
        raise SystemExit("a pupil occurs twice in one grade")
    for column, levels in LEVELS.items():
        found = set(table[column].drop_nulls().unique())
        if found != levels:
            raise SystemExit(f"{column} holds {sorted(found)}, expected {sorted(levels)}")
    scored = table.filter(pl.col("math").is_not_null())
    for grade, expected in EXPECTED.items():
        part = scored.filter(pl.col("gr") == grade)
        found = (part.height, part["tch"].n_unique(), part["sch"].n_unique())
        if found != expected:
            raise SystemExit(f"grade {grade}: pupils, teachers, schools {found}, expected {expected}")


def content_sum(table: pl.DataFrame) -> str:
    """The sum of the table as CSV: the same whichever version of polars wrote the file."""
    return hashlib.sha256(table.write_csv(null_value="").encode()).hexdigest()


def main() -> None:
    """Reads, types, checks, writes, reads again."""
    parser = argparse.ArgumentParser(description="Make star.parquet.")
    parser.add_argument("source", type=Path)
    parser.add_argument("output", type=Path, nargs="?", default=OUTPUT)
    paths = parser.parse_args()
    table = prepare(pl.read_parquet(paths.source))
    check(table)
    table.write_parquet(paths.output, compression="zstd", compression_level=19, statistics=True)
    if not pl.read_parquet(paths.output).equals(table):
        raise SystemExit("what was written does not read back")
    print("polars", pl.__version__)
    print("content", content_sum(table))
    print("file   ", hashlib.sha256(paths.output.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
