"""Records: values that do not change, checked when made, the same in Python, JSON and the published schema."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import polars as pl
import pytest

import brightspot as bs
from brightspot import _records
from brightspot import exceptions as ex

ROOT = Path(__file__).parents[2]
SCHEMAS = json.loads((ROOT / "docs" / "schemas" / "records.json").read_text())


def measure(**changes) -> bs.Measure:
    return bs.Measure(**{"name": "score", **changes})


def plan(**changes) -> bs.Plan:
    return bs.Plan(
        **{
            "aim": "Scores rise by 3 points",
            "change": "Begin with a worked example",
            "outcome": measure(),
            "predictions": [bs.Prediction("score", at_least=3.0, belief=0.7)],
            "baseline": ("2026-08-03", "2026-09-27"),
            "test": ("2026-09-28", "2026-11-08"),
            **changes,
        }
    )


@pytest.fixture(scope="module")
def cycle(tmp_path_factory) -> bs.Cycle:
    """A cycle that has been through everything: one record of every kind is inside."""
    weeks = [date(2026, 8, 3) + timedelta(weeks=i) for i in range(14)]
    values = [61.0, 64, 62, 63, 60, 62, 63, 61, 66, 68, 65, 67, 69, 67]
    full = plan(
        process=[bs.Measure("routine")],
        guards=[bs.Guard(bs.Measure("pace", value="pace"), margin=1.5)],
        tasks=[bs.Task("Prepare examples", who="Kim", when="2026-09-25", where="Room 4")],
        data_plan=[bs.Task("Collect tickets")],
        context={"grade": "5"},
        practice="worked examples",
    )
    frame = pl.DataFrame({"date": weeks, "value": values, "pace": [20.0 + i % 2 for i in range(14)]})
    with bs.Journal(tmp_path_factory.mktemp("journal") / "plc.db") as journal:
        made = journal.draft(full, by="Kim", at="2026-09-01")
        journal.lock(made.id, by="Kim", at="2026-09-27")
        journal.amend(made.id, "One week later in room 3", by="Ana", at="2026-09-30")
        journal.start(made.id, by="Kim", at="2026-09-28")
        journal.do(made.id, as_planned="fully", fidelity=0.9, observations=["lively"], by="Kim", at="2026-11-08")
        journal.study(made.id, frame, "2026-11-20", learned="Start small", at="2026-11-20")
        return journal.decide(made.id, "adapt", reason="One more room first", by="Ana", at="2026-11-21")


def every_record(cycle: bs.Cycle) -> dict[str, _records.Record]:
    study = cycle.studies[0]
    practice = bs.Practice("worked examples", what="One is worked aloud.", fidelity=["It is on the board."])
    named = dataclasses.replace(cycle, plan=dataclasses.replace(cycle.plan, practice=practice.title))
    standing = bs.practice_state(practice, [named], as_of="2026-12-01")
    found = [
        practice, practice.origin, standing, standing.gates[0], standing.steps[0], standing.cycles[0],
        bs.PracticeRules(closed_cycles=4),
        bs.Adoption("Room 4", offered="2026-11-23", tried="2026-11-30"), bs.Retirement("Replaced", on="2027-04-01"),
        cycle, cycle.plan, cycle.doing, cycle.decision, cycle.amendments[0],
        study, study.outcome, study.guard_checks[0], study.prediction_checks[0], study.outcome.points[0],
        cycle.plan.outcome, cycle.plan.guards[0], cycle.plan.predictions[0], cycle.plan.tasks[0],
        _records.Cancellation("No time", by="Kim", at=datetime(2026, 11, 1, tzinfo=UTC)),
        bs.Comparison(["5a", "5b"], prior="fall"), bs.Selection("worst", unit="school", chosen=["S02"]),
        bs.FidelityRule(fully=0.9),
        _records.ClassStudy("5a", is_treated=True, n=20, before=50.0, after=54.0, value=53.5),
        _records.RegressionToMean(1.5, se=0.4, lasting=0.6, mean_of_all=60.0, n_units=12),
    ]  # fmt: skip
    return {type(record).__name__: record for record in found}


KINDS = [name for name in SCHEMAS["records"] if name != "Note"]


def test_every_kind_has_a_class_and_an_example(cycle):
    assert set(every_record(cycle)) == set(KINDS)
    assert [name for name in KINDS if not hasattr(_records, name)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back(kind, cycle):
    record = every_record(cycle)[kind]
    data = record.to_dict()
    assert json.loads(json.dumps(data)) == data, "plain data"
    for twin in (
        type(record).from_dict(data),
        type(record).from_dict(json.loads(json.dumps(data))),
        pickle.loads(pickle.dumps(record)),
        copy.copy(record),
        copy.deepcopy(record),
        dataclasses.replace(record),
    ):
        assert twin == record
        assert hash(twin) == hash(record)
        assert type(twin) is type(record)
        assert repr(twin) == repr(record)
    assert len({record, type(record).from_dict(data)}) == 1
    assert record != data
    assert record != "text"


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_shows_itself(kind, cycle):
    record = every_record(cycle)[kind]
    assert repr(record).startswith(f"{kind}(")
    shown = record._repr_html_()
    assert shown.startswith("<p>")
    assert kind in shown
    names = {name: getattr(_records, name) for name in _records.__all__}
    assert eval(repr(record), {**names, "datetime": sys.modules["datetime"], "Note": bs.Note}) == record


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_does_not_change(kind, cycle):
    record = every_record(cycle)[kind]
    for field in dataclasses.fields(record):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(record, field.name, None)
        assert not isinstance(getattr(record, field.name), list | set)


def test_a_mapping_inside_does_not_change():
    record = plan(context={"grade": "5"})
    before = hash(record)
    for change in (
        lambda context: context.update(grade="6"),
        lambda context: context.__setitem__("grade", "6"),
        lambda context: context.pop("grade"),
        lambda context: context.clear(),
        lambda context: context.setdefault("room", "4"),
    ):
        with pytest.raises(TypeError, match="replace"):
            change(record.context)
    assert record.context == {"grade": "5"}
    assert repr(record.context) == "{'grade': '5'}"
    assert hash(record) == before


def test_equal_records_have_one_hash():
    for one, other in (
        (bs.Guard(measure(), margin=1), bs.Guard(measure(), margin=1.0)),
        (bs.Guard(measure(), margin=0.0), bs.Guard(measure(), margin=-0.0)),
        (plan(context={"a": "1", "b": "2"}), plan(context={"b": "2", "a": "1"})),
        (plan(test=(date(2026, 9, 28), date(2026, 11, 8))), plan()),
        (plan(outcome={"name": "score"}), plan()),
        (plan(predictions=(bs.Prediction("score", at_least=3, belief=0.7),)), plan()),
    ):
        assert one == other
        assert hash(one) == hash(other)
    assert plan(aim="Another") != plan()
    assert bs.Measure("score") != bs.Task("score")


def test_replace_checks_anew():
    assert dataclasses.replace(plan(), aim="Another aim").aim == "Another aim"
    with pytest.raises(ex.InvalidRecordError, match=r"Plan\.aim"):
        dataclasses.replace(plan(), aim=" ")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (np.float64(1.5), 1.5),
        (np.float32(1.5), 1.5),
        (np.int64(2), 2.0),
        (Decimal("1.5"), 1.5),
        (1, 1.0),
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_numbers_of_every_kind(value, kept):
    margin = bs.Guard(measure(), margin=value).margin
    assert (margin, type(margin)) == (kept, float)


def test_times_of_every_kind():
    at = datetime(2026, 11, 1, 9, tzinfo=timezone(timedelta(hours=-5)))
    given = {"recommended": "adopt", "is_override": False, "by": "Kim"}
    decision = bs.Decision("adopt", at=at, **given)
    assert decision.at == at
    assert decision == bs.Decision("adopt", at="2026-11-01T14:00:00Z", **given)
    task = bs.Task("Watch", when=date(2026, 9, 25))
    assert task == bs.Task("Watch", when="2026-09-25")
    assert task.when == date(2026, 9, 25)
    assert task.to_dict()["when"] == "2026-09-25"


@pytest.mark.parametrize(
    ("path", "make"),
    [
        ("Plan.aim", lambda: plan(aim="  ")),
        ("Plan.aim", lambda: plan(aim=None)),
        ("Plan.aim", lambda: plan(aim=object())),
        ("Plan.aim", lambda: plan(aim=b"bytes")),
        ("Plan.aim", lambda: plan(aim="\ud800")),
        ("Plan.test[0]", lambda: plan(test=("2026-13-01", "2026-11-08"))),
        ("Plan.test", lambda: plan(test=("2026-09-28",))),
        ("Plan.test", lambda: plan(test="2026-09-28")),
        ("Plan.lag_days", lambda: plan(lag_days=-1)),
        ("Plan.lag_days", lambda: plan(lag_days=1.5)),
        ("Plan.lag_days", lambda: plan(lag_days=True)),
        ("Plan.lag_days", lambda: plan(lag_days=10**30)),
        ("Plan.fair_tries", lambda: plan(fair_tries=0)),
        ("Plan.context.grade", lambda: plan(context={"grade": 5})),
        ("Plan.context.grade", lambda: plan(context={"grade": float("nan")})),
        ("Plan.guards[1].margin", lambda: plan(guards=[bs.Guard(measure(), margin=1), {**GUARD, "margin": -1}])),
        ("Plan.guards[0].margin", lambda: plan(guards=[{**GUARD, "margin": float("inf")}])),
        ("Plan.guards[0].measure.kind", lambda: plan(guards=[{"measure": {"name": "x", "kind": "sum"}, "margin": 1}])),
        ("Plan.guards", lambda: plan(guards="none")),
        ("Plan.guards", lambda: plan(guards={1, 2})),
        ("Plan.guards", lambda: plan(guards=(guard for guard in ()))),
        ("Plan.outcome.colour", lambda: plan(outcome={"name": "x", "colour": "red"})),
        ("Plan.colour", lambda: bs.Plan.from_dict({**plan().to_dict(), "colour": "red"})),
        ("Plan", lambda: bs.Plan.from_dict(None)),
        ("Plan", lambda: bs.Plan.from_dict([])),
        ("Plan", lambda: bs.Plan.from_dict({"aim": "x"})),
        ("Measure.direction", lambda: measure(direction="sideways")),
        ("Measure.size", lambda: measure(kind="rate")),
        ("Measure.per", lambda: measure(per=float("nan"))),
        ("Measure.version", lambda: measure(version=0)),
        ("Guard.margin", lambda: bs.Guard(measure(), margin=float("nan"))),
        ("Guard.margin", lambda: bs.Guard(measure(), margin="1")),
        ("Prediction.belief", lambda: bs.Prediction("score", at_least=1, belief=1.5)),
        ("Prediction.between", lambda: bs.Prediction("score", between=(3, 1))),
        ("Prediction.at_least", lambda: bs.Prediction("score", at_least=float("-inf"))),
        ("Prediction", lambda: bs.Prediction("score")),
        ("Prediction", lambda: bs.Prediction("score", at_least=1, at_most=2)),
        ("Doing.as_planned", lambda: bs.Doing("mostly")),
        ("Doing.fidelity", lambda: bs.Doing(fidelity=1.2)),
        ("Decision.reason", lambda: bs.Decision("adopt", recommended="adapt", is_override=True, by="Kim", at=NOON)),
        ("Decision.at", lambda: bs.Decision("adopt", recommended="adopt", is_override=False, by="Kim", at="today")),
    ],
)
def test_errors_name_the_field(path, make):
    with pytest.raises(ex.InvalidRecordError) as caught:
        make()
    assert str(caught.value).startswith(f"{path}: ")
    record, _, field = path.partition(".")
    assert (caught.value.details["record"], caught.value.details["path"]) == (record, field)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    for technical in ("serde", "struct ", "f64", "u32", "byte array", "unit value"):
        assert technical not in str(caught.value)


GUARD: dict[str, Any] = {"measure": {"name": "pace"}, "margin": 1.0}
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "make",
    [
        lambda: plan(outcome=["score"]),
        lambda: plan(guards=[[["pace"], 1.0]]),
        lambda: plan(predictions=[["score", 3.0]]),
        lambda: bs.Note.from_dict(["interim"]),
    ],
    ids=["measure", "guard", "prediction", "note"],
)
def test_a_list_is_no_record(make):
    with pytest.raises(ex.InvalidRecordError):
        make()


def test_a_day_has_no_time_of_day():
    with pytest.raises(ex.InvalidRecordError, match=r"Task\.when"):
        bs.Task("Watch", when="2026-09-28T15:00:00")


def test_a_word_that_is_no_field_is_refused():
    with pytest.raises(TypeError, match="colour"):
        bs.Measure("score", colour="red")
    with pytest.raises(TypeError, match="positional"):
        bs.Measure("score", "value")


def test_html_is_escaped():
    shown = plan(aim="<script>&")._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;&amp;" in shown


def test_a_note_is_data_and_a_sentence():
    note = bs.Note.from_dict({"code": "interim", "at": "score"})
    assert note.code == "interim"
    assert note.message.startswith("score: ")
    assert str(note) == f"[interim] {note.message}"
    assert bs.Note.from_dict(note.to_dict()) == note
    for data in ({"code": "nonsense"}, {"code": "interim", "colour": "red"}, {}):
        with pytest.raises(ex.InvalidRecordError):
            bs.Note.from_dict(data)


def test_the_generated_file_is_fresh():
    done = subprocess.run(
        [sys.executable, str(ROOT / "python" / "generate_records.py"), "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def validator(kind: str) -> jsonschema.Draft202012Validator:
    schema = {"$schema": SCHEMAS["$schema"], "$ref": f"#/$defs/{kind}", "$defs": SCHEMAS["$defs"]}
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker(["date"]))


def test_the_published_document_is_a_json_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMAS)
    assert set(SCHEMAS["records"]) <= set(SCHEMAS["$defs"])
    for name, schema in SCHEMAS["$defs"].items():
        assert schema.get("description"), name
        for field, of in schema.get("properties", {}).items():
            assert of.get("description"), f"{name}.{field}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_is_what_records_accept(kind, cycle):
    record, schema, check = every_record(cycle)[kind], SCHEMAS["$defs"][kind], validator(kind)
    data = record.to_dict()
    check.validate(data)
    assert schema["additionalProperties"] is False
    assert set(data) == set(schema["properties"]) == {field.name for field in dataclasses.fields(record)}
    # What may be null has to be given to the class, and may be missing in data.
    required = set(schema.get("required", []))
    assert required <= {field.name for field in dataclasses.fields(record) if field.default is field.default_factory}

    def is_accepted(data: object) -> bool:
        try:
            type(record).from_dict(data)
        except ex.InvalidRecordError:
            return False
        return True

    assert not is_accepted({**data, "colour": "red"})
    for field in schema["properties"]:
        if field in required:
            assert not is_accepted({name: value for name, value in data.items() if name != field}), field
        for wrong in (None, True, -1, 0.5, 3, 10**12, "x", "", [], ["x"], [1, 2], {}, {"x": 1}, "2026-02-30"):
            changed = {**data, field: wrong}
            # What a record accepts, the schema does too; a record has rules of its own beyond the schema's.
            if is_accepted(changed):
                assert check.is_valid(changed), f"{field} = {wrong!r}"
