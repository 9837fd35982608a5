"""Write ``brightspot/_records.py`` from the published JSON Schemas: ``python python/generate_records.py [--check]``.

The records are written once, as Rust structs; their schemas are committed; from these come the Python classes. A test
runs this with ``--check`` and fails where the file is stale.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent
SCHEMAS = ROOT.parent / "docs" / "schemas" / "records.json"
TARGET = ROOT / "brightspot" / "_records.py"

# Records with more to them than their fields: what stands behind each name is written by hand in `_faces.py`.
FACES = {"Study": "StudyFace", "Cycle": "CycleFace", "PracticeStanding": "StandingFace", "Measure": "Record"}
# An example for each record that people meet by name; they are run as tests.
PLAN = """>>> plan = bs.Plan(
...     aim="Fractions secure by winter", change="Number talks", outcome=bs.Measure("exit ticket", value="score"),
...     predictions=[bs.Prediction("exit ticket", at_least=3.0, belief=0.7)],
...     baseline=("2026-09-01", "2026-10-25"), test=("2026-10-26", "2026-12-11"),
... )"""
CYCLE = f"""{PLAN}
>>> with tempfile.TemporaryDirectory() as folder, bs.Journal(Path(folder) / "plc.db") as journal:
...     id = journal.draft(plan, by="Kim", at="2026-10-20").id
...     _ = journal.lock(id, by="Kim", at="2026-10-25"), journal.start(id, by="Kim", at="2026-10-26")
...     _ = journal.do(id, as_planned="fully", by="Kim", at="2026-12-11")
...     tickets = bs.datasets.district(seed=1).exit_tickets.filter(plc_id="S02-G5")
...     _ = journal.study(id, tickets, as_of="2026-12-14", at="2026-12-14")
...     cycle = journal.decide(id, "adopt", by="Kim", at="2026-12-15")"""
EXAMPLES = {
    "Measure": """>>> bs.Measure("absence", value="absent", size="enrolled", kind="proportion", direction="down")
Measure(name='absence', value='absent', size='enrolled', direction='down', kind='proportion')""",
    "Guard": """>>> bs.Guard(bs.Measure("fact fluency"), margin=1.5).margin
1.5""",
    "Prediction": """>>> bs.Prediction("exit ticket", at_least=3.0, belief=0.7, by="2026-12-11").by
datetime.date(2026, 12, 11)""",
    "Task": """>>> bs.Task("Watch the lesson", who="Ann", when="2026-10-05").when
datetime.date(2026, 10, 5)""",
    "Comparison": """>>> bs.Comparison(["5a", "5b"], prior="fall").group
'class'""",
    "Selection": """>>> bs.Selection("worst", unit="school", chosen=["S02"], on="2026-08-20").on
datetime.date(2026, 8, 20)""",
    "FidelityRule": """>>> bs.FidelityRule(fully=0.9)
FidelityRule(fully=0.9)""",
    "Plan": f"""{PLAN}
>>> plan.test[0]
datetime.date(2026, 10, 26)""",
    "Doing": """>>> bs.Doing(as_planned="partly", fidelity=0.6, surprises=["Two lessons fell out."])
Doing(as_planned='partly', fidelity=0.6, surprises=('Two lessons fell out.',))""",
    "Study": f"""{PLAN}
>>> tickets = bs.datasets.district(seed=1).exit_tickets.filter(plc_id="S02-G5")
>>> study = bs.study(plan, tickets, as_of="2026-12-14")
>>> study.signal, study.recommendation, study.reasons
('improved', 'continue_test', ('not_preregistered',))""",
    "Decision": f"""{CYCLE}
>>> cycle.decision.chosen, cycle.decision.is_override
('adopt', False)""",
    "Origin": """>>> bs.Origin(source="Ms. Rivera, room 4").kind
'person'""",
    "Retirement": """>>> bs.Retirement("Replaced by number talks", on="2027-04-01").on
datetime.date(2027, 4, 1)""",
    "PracticeRules": """>>> bs.PracticeRules(closed_cycles=4).other_adopters
2""",
    "PracticeStanding": """>>> practice = bs.Practice("exit tickets", what="One question at the end, answered alone.")
>>> standing = bs.practice_state(practice, as_of="2026-12-01")
>>> standing.state, standing.n_closed
('suspected', 0)""",
    "Practice": """>>> practice = bs.Practice("exit tickets", what="One question at the end, answered alone.")
>>> practice.origin.kind, practice.consent
('person', False)""",
    "Adoption": """>>> bs.Adoption("Room 12", offered="2026-10-05", tried="2026-10-12").tried
datetime.date(2026, 10, 12)""",
    "Cycle": f"""{CYCLE}
>>> cycle.state, cycle.study.recommendation
('decided', 'adopt')""",
}

# Notes are shared with all results.
BY_HAND = {"Note"}

HEADER = '''"""The records, generated from their JSON Schemas by `make records`; do not edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from brightspot._faces import CycleFace, StandingFace, StudyFace
from brightspot._record import (
    Record,
    load_date,
    load_each,
    load_mapping,
    load_moment,
    load_note,
    load_optional,
    load_record,
    load_tuple,
)
from brightspot._result import Note

Day = date | str
"""A date, or its ISO text."""
Moment = datetime | date | str
"""A moment, or its ISO text."""

'''


def reference(schema: dict[str, Any]) -> str:
    """The name behind a ``$ref``."""
    return schema["$ref"].rsplit("/", 1)[1]


def kind(schema: dict[str, Any], definitions: dict[str, Any]) -> tuple[str, str | None]:
    """The Python type of a field, and the expression that loads it from plain data (None: as it is)."""
    if "anyOf" in schema:
        inner = [option for option in schema["anyOf"] if option != {"type": "null"}]
        name, load = kind(inner[0], definitions)
        return f"{name} | None", f"load_optional({load})" if load else None
    if "$ref" in schema:
        name = reference(schema)
        if name == "Note":
            return "Note", "load_note"
        is_record = "properties" in definitions[name]
        return name, f'load_record("{name}")' if is_record else None
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    is_optional = "null" in types
    name, load = plain(next(t for t in types if t != "null"), schema, definitions)
    if is_optional:
        return f"{name} | None", f"load_optional({load})" if load else None
    return name, load


def plain(name: str, schema: dict[str, Any], definitions: dict[str, Any]) -> tuple[str, str | None]:
    """A type that is no reference."""
    match name, schema.get("format"):
        case "string", "date":
            return "date", "load_date"
        case "string", "date-time":
            return "datetime", "load_moment"
        case "array", _:
            item, load = kind(schema["items"], definitions)
            size = schema.get("maxItems")
            shape = (
                f"tuple[{', '.join([item] * size)}]" if size and size == schema.get("minItems") else f"Sequence[{item}]"
            )
            return shape, f"load_each({load})" if load else "load_tuple"
        case "object", _:
            value, _ = kind(schema["additionalProperties"], definitions)
            return f"Mapping[str, {value}]", "load_mapping"
        case _:
            return {"string": "str", "number": "float", "integer": "int", "boolean": "bool"}[name], None


def default(schema: dict[str, Any], name_of_type: str, load: str | None) -> str:
    """How the default of a field is written."""
    value = schema["default"]
    if isinstance(value, dict) and load == f'load_record("{name_of_type}")':
        # A record whose fields all have defaults; it stands earlier in the file.
        return f"field(default_factory={name_of_type}{metadata(load, after=True)})"
    if isinstance(value, dict):
        assert not value, "only empty mappings are defaults"
        return f"field(default_factory={name_of_type.replace('Mapping', 'dict')}{metadata(load, after=True)})"
    shown = "()" if value == [] else json.dumps(value) if isinstance(value, str) else repr(value)
    return f"field(default={shown}{metadata(load, after=True)})" if load else shown


def metadata(load: str | None, *, after: bool) -> str:
    """How to load a field, kept with it."""
    return "" if load is None else f'{", " if after else ""}metadata={{"load": {load}}}'


def wrapped(text: str, indent: str) -> str:
    """Prose at the project's width."""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    return f"\n\n{indent}".join(
        f"\n{indent}".join(textwrap.wrap(part, 120 - len(indent), break_long_words=False)) for part in paragraphs
    )


def record(name: str, schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """One class."""
    fields = schema["properties"]
    needed = [field for field in fields if "default" not in fields[field]]
    order = needed + [field for field in fields if field not in needed]
    lines = ["@dataclass(frozen=True, slots=True, eq=False, repr=False)", f"class {name}({FACES.get(name, 'Record')}):"]
    lines += [f'    """{wrapped(schema["description"], "    ")}', "", "    Attributes", "    ----------"]
    for attribute in order:
        lines += [f"    {attribute}", f"        {wrapped(fields[attribute].get('description', ''), ' ' * 8)}"]
    if name in EXAMPLES:
        needs = (
            "import tempfile\n>>> from pathlib import Path\n>>> import" if "tempfile" in EXAMPLES[name] else "import"
        )
        example = f">>> {needs} brightspot as bs\n{EXAMPLES[name]}".splitlines()
        lines += ["", "    Examples", "    --------", *(f"    {line}" for line in example)]
    lines += ['    """', ""]
    for position, attribute in enumerate(order):
        name_of_type, load = kind(fields[attribute], definitions)
        line = f"    {attribute}: {name_of_type}"
        if attribute not in needed:
            line += f" = {default(fields[attribute], name_of_type, load)}"
        elif load:
            line += f" = field({metadata(load, after=False)})"
        lines.append(line)
        if position == 0:
            lines.append("    _: KW_ONLY")
    return "\n".join([*lines, *constructor(order, needed, fields, definitions)])


def constructor(order: list[str], needed: list[str], fields: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    """What a type checker should see where fields hold dates: they may be given as text, and are dates when read."""
    types = {attribute: kind(fields[attribute], definitions)[0] for attribute in order}
    given = {
        attribute: re.sub(r"\bdate\b", "Day", re.sub(r"\bdatetime\b", "Moment", t)) for attribute, t in types.items()
    }
    if given == types:
        return []
    arguments = [f"{name}: {given[name]}{'' if name in needed else ' = ...'}" for name in order]
    parts = ["self", arguments[0], "*", *arguments[1:]] if len(arguments) > 1 else ["self", *arguments]
    return ["", "    if TYPE_CHECKING:", "", f"        def __init__({', '.join(parts)}) -> None: ..."]


def generated() -> str:
    """The whole file."""
    definitions = json.loads(SCHEMAS.read_text())["$defs"]
    codes, classes, names = [], [], []
    for name, schema in definitions.items():
        if name in BY_HAND or name == "NoteCode":
            continue
        names.append(name)
        if "properties" in schema:
            classes.append(record(name, schema, definitions))
            continue
        values = schema.get("enum") or [option["const"] for option in schema["oneOf"]]
        codes.append(
            f"{name} = Literal[{', '.join(json.dumps(value) for value in values)}]\n"
            f'"""{wrapped(schema["description"], "")}"""'
        )
    listed = "\n".join(f'    "{name}",' for name in sorted(names))
    return HEADER + "\n".join(codes) + "\n\n\n" + "\n\n\n".join(classes) + f"\n\n\n__all__ = [\n{listed}\n]\n"


if __name__ == "__main__":
    text = generated()
    if "--check" in sys.argv:
        sys.exit(
            0
            if TARGET.exists() and TARGET.read_text() == text
            else "python/brightspot/_records.py is stale: run `make records`"
        )
    TARGET.write_text(text)
