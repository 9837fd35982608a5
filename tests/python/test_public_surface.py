"""What the package promises: names, words about them, errors, and an import that is quick."""

from __future__ import annotations

import doctest
import importlib
import inspect
import json
import pickle
import pkgutil
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import brightspot as bs
from brightspot import _records, datasets, exceptions

ROOT = Path(__file__).parents[2]

# These names are a contract: they may be joined by others, and none may go.
PROMISED = {
    *("run_chart", "mixed_model", "bright_spots", "study", "report", "datasets", "exceptions"),
    *("pool", "Pool", "funnel", "Funnel", "growth_percentiles", "Growth", "GrowthModel"),
    *(
        "run_chart",
        "mixed_model",
        "bright_spots",
        "practices",
        "practice_state",
        "study",
        "report",
        "datasets",
        "exceptions",
    ),
    *("pool", "Pool", "funnel", "Funnel", "growth_percentiles", "Growth", "GrowthModel", "value_added"),
    *("RunChart", "MixedModel", "BrightSpots", "Explanation", "Report", "Note", "BrightspotError", "Journal", "Event"),
    *("Measure", "Plan", "Prediction", "Guard", "Task", "Doing", "Cycle", "Study", "Decision"),
    *("Comparison", "Selection", "FidelityRule"),
}

PARAMETERS = {
    "run_chart": "df value time by size baseline phases exclude target direction aggregate rules",
    "mixed_model": "df outcome fixed random method",
    "bright_spots": "df outcome unit within adjust period threshold fdr min_n",
    "pool": "df effect variance by site method interval",
    "funnel": "df value size unit kind overdispersion levels",
    "growth_percentiles": "df outcome priors unit model",
    "practices": "b uses unit practice fidelity",
    "practice_state": "practice cycles adoptions as_of",
    "value_added": "df outcome teacher year classroom adjust lags",
    "study": "plan frames as_of",
}


def test_the_promised_names_are_there():
    assert set(bs.__all__) >= PROMISED
    assert list(bs.__all__) == sorted(bs.__all__)
    assert [name for name in bs.__all__ if not hasattr(bs, name)] == []
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", bs.__version__)


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_promised_arguments_are_there(name):
    parameters = inspect.signature(getattr(bs, name)).parameters
    assert set(PARAMETERS[name].split()) <= set(parameters)
    # Those that take two things and more of their own kind take them in order.
    if name not in ("study", "practices", "practice_state"):
        assert [p.kind.name for p in parameters.values()] == ["POSITIONAL_OR_KEYWORD"] + ["KEYWORD_ONLY"] * (
            len(parameters) - 1
        )


def public() -> dict[str, object]:
    """Every public function and class."""
    here = {name: getattr(bs, name) for name in bs.__all__}
    here |= {f"datasets.{name}": getattr(datasets, name) for name in datasets.__all__}
    return {name: thing for name, thing in here.items() if not isinstance(thing, str | types.ModuleType)}


def is_record(thing: object) -> bool:
    return isinstance(thing, type) and thing.__module__ == _records.__name__


@pytest.mark.parametrize("name", public())
def test_every_public_name_is_described(name):
    thing = public()[name]
    text = inspect.getdoc(thing) or ""
    assert len(text.splitlines()[0].split()) > 3
    if inspect.isfunction(thing):
        assert "Parameters\n" in text or not inspect.signature(thing).parameters
        for parameter in inspect.signature(thing).parameters:
            assert re.search(rf"\b{parameter}\b", text), parameter
    if isinstance(thing, type):
        for member, value in vars(thing).items():
            if not member.startswith("_") and callable(getattr(value, "fget", value)):
                assert inspect.getdoc(getattr(thing, member)), f"{name}.{member}"


@pytest.mark.parametrize("name", public())
def test_every_public_name_has_an_example(name):
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(public()[name]) or "")
    assert examples
    # An example shows a result.
    assert any(example.want for example in examples)


@pytest.mark.parametrize("name", [name for name in _records.__all__ if is_record(getattr(_records, name))])
def test_every_field_of_a_record_is_described(name):
    text = inspect.getdoc(getattr(_records, name)) or ""
    _, _, attributes = text.partition("Attributes\n----------\n")
    lines = attributes.splitlines()
    lines = lines[: lines.index("Examples")] if "Examples" in lines else lines
    described = [line for line in lines if line and not line.startswith(" ")]
    assert described == [field for field in getattr(_records, name).__dataclass_fields__ if field != "_"]
    assert all(lines[lines.index(field) + 1].strip() for field in described)


def test_the_import_is_quick():
    script = """
    import json, sys, time
    import polars
    start = time.process_time()
    import brightspot
    print(json.dumps([time.process_time() - start, sorted(sys.modules)]))
    """
    done = subprocess.run([sys.executable, "-c", inspect.cleandoc(script)], capture_output=True, text=True, check=True)
    took, modules = json.loads(done.stdout)
    heavy = {"altair", "vl_convert", "jinja2", "typer", "rich", "pandas", "pyarrow", "duckdb", "numpy", "IPython"}
    assert heavy & set(modules) == set()
    assert took < 1.0


def test_every_module_can_be_imported_and_is_described():
    for found in pkgutil.walk_packages(bs.__path__, "brightspot."):
        module = importlib.import_module(found.name)
        assert module.__doc__, found.name


def core_codes() -> set[str]:
    """The codes of the core's errors, from its source."""
    source = (ROOT / "src" / "error.rs").read_text()
    _, _, body = source.partition("pub fn code(&self)")
    codes = set(re.findall(r'Self::\w+(?: \{ \.\. \})? => "(\w+)"', body))
    variants = re.findall(r"^    (\w+)(?: \{|,)", source[: source.index("impl Error")], re.MULTILINE)
    assert len(codes) == len(variants) > 10, "every variant is read"
    return codes


def test_every_error_of_the_core_has_a_class():
    # Ctrl-C is Python's own.
    assert core_codes() - {"interrupted"} == set(exceptions.BY_CODE) - {"missing_dependency"}


@pytest.mark.parametrize("code", exceptions.BY_CODE)
def test_errors_are_the_builtin_that_fits(code):
    kind = exceptions.BY_CODE[code]
    assert issubclass(kind, bs.BrightspotError)
    assert kind.__name__.endswith("Error")
    assert inspect.getdoc(kind)
    builtin = kind.__mro__[2]
    assert builtin.__module__ == "builtins"
    assert builtin is not Exception
    made = exceptions.from_core("what, and what to do", {"code": code, "column": "score"})
    assert type(made) is kind
    assert (str(made), made.code, made.details) == ("what, and what to do", code, {"column": "score"})
    again = pickle.loads(pickle.dumps(made))
    assert (type(again), str(again), again.details) == (kind, str(made), made.details)


def test_an_error_that_is_not_known_is_still_one_of_ours():
    made = exceptions.from_core("from the future", {"code": "from_the_future", "n": 3})
    assert type(made) is bs.BrightspotError
    assert made.details == {"n": 3}
