//! Data frames as a Rust user has them: a frame in, a frame out.

use std::error::Error;

use brightspot::charts::ChartKind;
use brightspot::frame::{
    Aggregate, Baseline, BrightRequest, ChartRequest, MixedRequest, Phases, PlanFrames, TimeValue, bright_spots, chart,
    mixed_model, plan_series,
};
use brightspot::synthetic::district;
use polars::prelude::*;

type Test = Result<(), Box<dyn Error>>;

fn quiet(_: usize, _: usize) -> brightspot::Result<()> {
    Ok(())
}

/// Two teams over twelve weeks; team b rises by 10 after the sixth.
fn weeks() -> PolarsResult<DataFrame> {
    let week: Vec<i64> = (1..=12).rev().chain(1..=12).collect();
    let team: Vec<&str> = std::iter::repeat_n("b", 12).chain(std::iter::repeat_n("a", 12)).collect();
    let value: Vec<f64> = week
        .iter()
        .zip(&team)
        .map(|(&week, &team)| {
            [50.0, 53.0, 51.0][(week % 3) as usize] + if team == "b" && week > 6 { 10.0 } else { 0.0 }
        })
        .collect();
    df!("week" => week, "team" => team, "value" => value)
}

#[test]
fn charts_come_sorted_by_group_and_time() -> Test {
    let request = ChartRequest {
        by: vec!["team".into()],
        baseline: Some(Baseline::Count(6)),
        ..ChartRequest::new(ChartKind::Run, "value", "week")
    };
    let tables = chart(&weeks()?, &request, &quiet)?;
    let teams: Vec<&str> = tables.summary.column("team")?.str()?.iter().flatten().collect();
    assert_eq!(teams, ["a", "b"]);
    assert_eq!(tables.summary.column("center")?.f64()?.to_vec(), [Some(51.0), Some(51.0)]);
    let times: Vec<i64> = tables.points.column("time")?.i64()?.iter().flatten().collect();
    assert_eq!(times, (1..=12).chain(1..=12).collect::<Vec<i64>>());
    // Only team b came in the wrong order.
    let unsorted = tables.notes.iter().find(|note| note.code.as_str() == "sorted_by_time").map(|note| note.count);
    assert_eq!(unsorted, Some(1));
    Ok(())
}

#[test]
fn a_repeated_time_is_an_error_until_it_is_combined() -> Test {
    let mut request = ChartRequest::new(ChartKind::Run, "value", "week");
    let error = chart(&weeks()?, &request, &quiet).unwrap_err();
    assert_eq!(error.code(), "duplicate_times");
    request.aggregate = Some(Aggregate::Mean);
    assert_eq!(chart(&weeks()?, &request, &quiet)?.points.height(), 12);
    Ok(())
}

#[test]
fn work_stops_when_the_caller_says_so() -> Test {
    let request = ChartRequest { by: vec!["team".into()], ..ChartRequest::new(ChartKind::Run, "value", "week") };
    let stop = |_: usize, _: usize| Err(brightspot::Error::Interrupted);
    assert_eq!(chart(&weeks()?, &request, &stop).unwrap_err().code(), "interrupted");
    Ok(())
}

#[test]
fn a_phase_outside_the_data_is_refused() -> Test {
    let request = ChartRequest {
        by: vec!["team".into()],
        phases: Some(Phases::Starts(vec![("late".into(), TimeValue::Number(40.0))])),
        ..ChartRequest::new(ChartKind::Run, "value", "week")
    };
    let error = chart(&weeks()?, &request, &quiet).unwrap_err();
    assert!(error.to_string().contains("between the first time of the data (1) and the last (12)"), "{error}");
    Ok(())
}

#[test]
fn a_district_goes_through_models_and_back() -> Test {
    let place = district(1)?;
    let frames: std::collections::BTreeMap<_, _> = place.frames()?.into_iter().collect();
    let scores = &frames["scores"];
    let model = mixed_model(
        scores,
        &MixedRequest {
            outcome: "spring".into(),
            fixed: vec!["prior".into(), "frl".into()],
            random: vec!["school_id/teacher_id".into()],
            ..Default::default()
        },
        &|| Ok(()),
    )?;
    assert_eq!(model.effects("school_id/teacher_id", None)?.height(), 300);
    assert_eq!(model.fixed()?.column("term")?.str()?.get(2), Some("frlyes"));

    let found = bright_spots(
        scores,
        &BrightRequest {
            outcome: "spring".into(),
            unit: "teacher_id".into(),
            within: vec!["school_id".into()],
            adjust: vec!["prior".into(), "frl".into(), "el".into()],
            period: Some("year".into()),
            spec: Default::default(),
        },
    )?;
    let n_candidates = found.units()?.column("is_candidate")?.bool()?.sum();
    assert!(n_candidates.is_some_and(|n| n >= 10), "{n_candidates:?}");
    assert_eq!(found.explain("T999", &[]).unwrap_err().code(), "invalid_option");
    Ok(())
}

#[test]
fn a_frame_becomes_the_series_of_a_plan() -> Test {
    use brightspot::cycle::Plan;
    use brightspot::measure::Measure;

    let place = district(1)?;
    let frames: std::collections::BTreeMap<_, _> = place.frames()?.into_iter().collect();
    let mut measure = Measure::new("exit ticket");
    measure.value = "score".into();
    let window = |from: &str, to: &str| -> Result<_, Box<dyn Error>> { Ok([from.parse()?, to.parse()?]) };
    let plan =
        Plan::new("aim", "change", measure, window("2026-09-01", "2026-10-25")?, window("2026-10-26", "2026-12-11")?);
    let series = plan_series(&plan, &PlanFrames::One(frames["exit_tickets"].clone()), "2026-12-14".parse()?)?;
    let exit = &series["exit ticket"];
    assert!(exit.points.len() > 20 && exit.n_combined > exit.points.len());
    assert!(exit.points.is_sorted_by(|a, b| a.time < b.time));
    Ok(())
}
