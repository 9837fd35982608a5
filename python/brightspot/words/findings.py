"""The four findings about a study, as they stand on a page: signal, prediction, fidelity, guards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from brightspot.words.caveats import no_verdict, short_name
from brightspot.words.numbers import capital, in_step, listed, percent, share
from brightspot.words.studies import MET, region, scale

if TYPE_CHECKING:
    from brightspot._records import MeasureStudy, Study


Tone = Literal["good", "bad", "even", "unknown"]
"""What a finding's shape and colour say; its word says it too."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, as it stands on a page: what was asked, the answer in a word or two, and why."""

    name: str
    word: str
    tone: Tone
    why: str


def _levels(study: Study, one: MeasureStudy) -> str:
    on = scale(study, one.measure)
    if one.standard is not None and one.mean_after is not None:
        return f"{on.level(one.mean_after)} where {on.level(one.standard)} is the standard."
    if one.regression is not None and one.mean_before is not None and one.mean_after is not None:
        expected = on.signed(one.regression.expected)
        levels = f"Mean {on.level(one.mean_before, bare=True)} before, {on.level(one.mean_after)} after"
        return f"{levels}; {expected} were to be expected."
    if one.mean_before is None or one.mean_after is None:
        seen = [("before", one.mean_before), ("after", one.mean_after)]
        return " ".join(f"Mean {on.level(mean)} {when}." for when, mean in seen if mean is not None)
    who = " in the classes that tried it" if one.classes else ""
    return f"Mean {on.level(one.mean_before, bare=True)} before, {on.level(one.mean_after)} after{who}."


def finding_signal(study: Study) -> Finding:
    """What the outcome did."""
    one = study.outcome
    word, tone = _SIGNALS[study.signal]
    if one.standard is not None and study.signal in ("improved", "worsened"):
        word = "Beyond the standard" if study.signal == "improved" else "Short of the standard"
    why = _levels(study, one)
    if study.signal == "insufficient":
        why = f"{no_verdict(study, one.measure)} {why}".strip()
    elif study.signal == "no_signal":
        why += " The likely range includes no change."
    else:
        p = one.p_better if study.signal == "improved" else one.p_worse
        why += "" if p is None else f" Chance alone would show as much in {percent(p)} of tests."
    return Finding("Signal", word, tone, why.strip())


_SIGNALS: dict[str, tuple[str, Tone]] = {
    "improved": ("Improved", "good"),
    "worsened": ("Got worse", "bad"),
    "no_signal": ("No clear change", "even"),
    "insufficient": ("No verdict", "unknown"),
}


_PREDICTIONS: dict[str, tuple[str, Tone]] = {
    "met": ("Met", "good"),
    "not_met": ("Not met", "bad"),
    "undecided": ("Still open", "unknown"),
}


def finding_prediction(study: Study) -> Finding:
    """Whether what was predicted came true."""
    checks = study.prediction_checks
    if not checks:
        return Finding("Prediction", "None made", "unknown", "Nobody said beforehand what to expect.")
    worst = min(checks, key=lambda check: ("not_met", "undecided", "met").index(check.finding))
    said = capital(region(worst.prediction, on=scale(study, worst.prediction.measure)))
    about = worst.prediction.measure
    of = "" if about == study.outcome.measure else f" ({short_name(about)})"
    sure = "" if worst.prediction.belief is None else f", {percent(worst.prediction.belief)} sure"
    if worst.finding == "met":
        told = (
            "all of the likely range lies there"
            if worst.is_certain
            else "the estimate lies there, part of its range does not"
        )
    elif worst.finding == "not_met":
        told = "none of the likely range lies there"
    else:
        told = (
            "the likely range leaves it open" if worst.is_hit is not None and worst.lo is not None else "no verdict yet"
        )
        told = "no verdict" if no_verdict(study, about) else told
    others = [check.finding for check in checks if check is not worst]
    counts = [(sum(1 for finding in others if finding == code), MET[code]) for code in ("not_met", "undecided", "met")]
    rest = listed([f"{n} more {word}" for n, word in counts if n])
    word, tone = _PREDICTIONS[study.prediction]
    return Finding("Prediction", word, tone, f"{said}{of}{sure}: {told}.{f' {capital(rest)}.' if rest else ''}")


_FIDELITIES: dict[str, tuple[str, Tone, str]] = {
    "fully": ("As planned", "good", "The team says that the change was carried out as planned."),
    "partly": ("In part", "even", "The team says that the change was carried out in part."),
    "not_done": ("Not done", "bad", "The change was not carried out: the idea is untested."),
    "unknown": ("Not recorded", "unknown", "Nobody has said whether the change was carried out."),
}


def finding_fidelity(study: Study, share_done: float | None = None) -> Finding:
    """Whether the change was carried out, with the share of planned steps where it was counted."""
    word, tone, why = _FIDELITIES[study.fidelity]
    if share_done is not None:
        why = f"{share(share_done)} of the planned steps were carried out."
    if study.process_checks:
        order = ("worsened", "insufficient", "no_signal", "improved")
        one = min(study.process_checks, key=lambda one: order.index(one.signal))
        told = {"improved": "rose" if (one.effect or 0) > 0 else "fell", "worsened": "got worse"}.get(one.signal, "")
        told = told or ("no clear change" if one.signal == "no_signal" else "no verdict")
        on = scale(study, one.measure)
        levels = (
            ""
            if one.mean_before is None or one.mean_after is None
            else f", {on.level(one.mean_before, bare=True)} to {on.level(one.mean_after)}"
        )
        n = len(study.process_checks) - 1
        why += f" {capital(short_name(one.measure))}: {told}{levels}{f'; {n} more measured' if n else ''}."
    return Finding("Fidelity", word, tone, why)


_GUARDS: dict[str, tuple[str, Tone]] = {
    "not_worse": ("Not worse", "good"),
    "cannot_tell": ("Cannot tell", "unknown"),
    "harmed": ("Got worse", "bad"),
}


def finding_guards(study: Study) -> Finding:
    """Whether what must not get worse did."""
    checks = study.guard_checks
    if not checks:
        return Finding("Guards", "None planned", "unknown", "What got worse elsewhere would not have been seen.")
    worst = min(checks, key=lambda check: ("harmed", "cannot_tell", "not_worse").index(check.finding))
    one, on = worst.study, scale(study, worst.study.measure)
    if one.effect is None or one.lo is None or one.hi is None:
        told = no_verdict(study, one.measure).rstrip(".") or "could not be compared"
        why = f"{capital(short_name(one.measure))}: {told[:1].lower()}{told[1:]}."
    else:
        moved, low, high = (on.in_unit(value) for value in (one.effect, one.lo, one.hi))
        why = (
            f"{capital(short_name(one.measure))}: {in_step(moved, high - low)}, likely {in_step(low, high - low)} to "
            f"{in_step(high, high - low)}; a loss of {on.size(worst.margin)} would matter."
        )
        if worst.finding == "cannot_tell" and (against := no_verdict(study, one.measure)):
            why += f" {against}"
    others = [check.finding for check in checks if check is not worst]
    said = {"harmed": "got worse", "cannot_tell": "cannot be told", "not_worse": "not worse"}
    rest = listed([f"{others.count(code)} more {word}" for code, word in said.items() if code in others])
    word, tone = _GUARDS[study.guards]
    return Finding("Guards", word, tone, f"{why}{f' {capital(rest)}.' if rest else ''}")


def findings(study: Study, share_done: float | None = None) -> list[Finding]:
    """The four findings of a study: signal, prediction, fidelity, guards."""
    return [
        finding_signal(study),
        finding_prediction(study),
        finding_fidelity(study, share_done),
        finding_guards(study),
    ]
