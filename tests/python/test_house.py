"""The house: which Rust module may use which, and what the core never does. Read from the sources."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src"
MODULES = [*sorted(path.name for path in SOURCES.iterdir() if path.is_dir()), "error", "note"]


def code(path: Path) -> str:
    """A source without its comments (and so without links in its documentation)."""
    return "\n".join(re.sub(r"(^|\s)//.*", "", line) for line in path.read_text().splitlines())


def files(module: str) -> list[Path]:
    single = SOURCES / f"{module}.rs"
    return [single] if single.exists() else sorted((SOURCES / module).rglob("*.rs"))


def uses(module: str) -> set[str]:
    """The other modules that a module names."""
    found: set[str] = set()
    for path in files(module):
        text = code(path)
        found |= set(re.findall(r"\bcrate::(\w+)", text))
        for group in re.findall(r"\bcrate::\{(.*?)\};", text, re.DOTALL):
            found |= set(re.findall(r"(?:^|,)\s*(\w+)", re.sub(r"\{.*?\}", "", group, flags=re.DOTALL)))
    # Errors and notes are named at the root, as types.
    return {name for name in found if name in MODULES} - {module}


def documented() -> dict[str, int]:
    """The modules in the order of the map in `lib.rs`, low to high; those of one row are at one height."""
    rows = re.findall(r"^//! \| (\[?`.*?) \|", (SOURCES / "lib.rs").read_text(), re.MULTILINE)
    return {name: height for height, row in enumerate(rows) for name in re.findall(r"`(\w+)`", row)}


def test_every_module_is_on_the_map():
    assert set(documented()) == set(MODULES)
    declared = re.findall(r"^pub mod (\w+);", (SOURCES / "lib.rs").read_text(), re.MULTILINE)
    assert set(declared) == set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_uses_what_stands_before_it(module):
    height = documented()
    above = {other for other in uses(module) if height[other] > height[module]}
    assert above == set()


def test_some_uses_are_seen():
    assert {"mixed", "stats"} <= uses("bright")
    assert {"charts", "measure", "record", "stats"} <= uses("cycle")
    assert {"bright", "charts", "cycle", "mixed"} <= uses("frame")


# Beyond the order: who does not know whom.
STRANGERS = [
    ("bright", "cycle"),
    ("cycle", "bright"),
    ("mixed", "measure"),
    ("measure", "mixed"),
    ("record", "charts"),
    ("synthetic", "bright"),
    ("synthetic", "cycle"),
    ("frame", "journal"),
    *((module, above) for module in MODULES for above in ("journal", "frame") if module != above),
]


@pytest.mark.parametrize(("module", "other"), STRANGERS)
def test_who_does_not_know_whom(module, other):
    assert other not in uses(module)


def test_one_module_knows_polars_one_the_database_and_none_python():
    for name, home in (("polars", "frame"), ("rusqlite", "journal"), ("pyo3", None), ("rayon", "frame")):
        strangers = {
            str(path.relative_to(ROOT))
            for path in SOURCES.rglob("*.rs")
            if re.search(rf"\b{name}\w*(::|\s*[,;{{])", code(path)) and path.relative_to(SOURCES).parts[0] != home
        }
        assert strangers == set(), name
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    dependencies = manifest["dependencies"]
    assert not [name for name in dependencies if "pyo3" in name]
    for name in ("polars", "rusqlite"):
        assert dependencies[name]["optional"], name
    assert "lazy" not in dependencies["polars"].get("features", [])


@pytest.mark.parametrize(
    "source",
    [
        r"SystemTime::now",
        r"Instant::now",
        r"Timestamp::now",
        r"Zoned::now",
        r"thread_rng",
        r"rand::rng\(",
        r"from_os_rng",
        r"OsRng",
        r"std::env::var",
        r"println!",
    ],
)
def test_the_core_reads_no_clock_no_chance_and_no_environment(source):
    found = [
        str(path.relative_to(ROOT))
        for path in SOURCES.rglob("*.rs")
        if re.search(source, code(path).partition("#[cfg(test)]")[0])
    ]
    assert found == []


def test_the_binding_is_thin():
    lines = sum(len(path.read_text().splitlines()) for path in (ROOT / "python" / "src").glob("*.rs"))
    core = sum(len(path.read_text().splitlines()) for path in SOURCES.rglob("*.rs"))
    assert lines < core / 10


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_its_outputs(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []
