//! Numbers from print, from R's manual, and from numpy 2.4.6 and scipy 1.17.1, where the specification was written once more
//! with full N x N matrices, the regularised beta of `scipy.special` and, for the median, all differences one by one.

use brightspot::stats::gaps::gaps_between_events;
use brightspot::stats::median_shift::median_shift;
use brightspot::stats::proportions::proportions_by_period;
use brightspot::stats::rates::{RateChange, rates_by_period};
use brightspot::stats::standard::{clopper_pearson, garwood, proportion_against, rate_against};
use brightspot::stats::tally::{Spread, Tally};
use brightspot::stats::totals::{clumping, two_totals};

use super::{over, tallies};

/// Of quantities in closed form.
const EXACT: f64 = 1e-12;
/// Of tails and quantiles, which two libraries compute in different ways.
const TAIL: f64 = 1e-9;

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance * (1.0 + expected.abs()), "{found}, expected {expected}");
}

#[track_caller]
fn spread_is(found: &Spread, [phi_raw, phi, df, dispersion, inflation]: [f64; 5]) {
    close(found.phi_raw, phi_raw, EXACT);
    close(found.phi, phi, EXACT);
    close(found.df, df, 1e-11);
    close(found.dispersion, dispersion, EXACT);
    close(found.inflation, inflation, 1e-11);
}

#[track_caller]
fn ratio_is(found: &RateChange, [estimate, lo, hi, p_above, p_below]: [f64; 5]) {
    close(found.ratio.estimate, estimate, EXACT);
    close(found.ratio.lo, lo, TAIL);
    close(found.ratio.hi, hi, TAIL);
    close(found.ratio.p_above, p_above, TAIL);
    close(found.ratio.p_below, p_below, TAIL);
}

/// Sums of binomial coefficients over 2^(x0 + x1), by hand and by scipy: .0909, .0459, .0241.
#[test]
fn two_totals_of_equal_exposure() {
    for (before, after, p) in [
        (40.0, 28.0, 0.090_905_027_267_796_7),
        (60.0, 42.0, 0.045_918_839_134_541_27),
        (80.0, 56.0, 0.024_091_347_973_075_133),
    ] {
        let found = two_totals(Tally::new(before, 1.0), Tally::new(after, 1.0), 1.0).unwrap();
        close(found.p_below, p, 1e-12);
        close(found.estimate, 0.7, EXACT);
        assert_eq!(found.hi < 1.0, p < 0.05);
    }
}

/// R's manual, `poisson.test(c(11, 6+8+7), c(800, 1083+1050+878))`: ratio 1.971488, 95% interval .8584264 to 4.2772659;
/// at a ratio of either end the one-sided p is .025.
#[test]
fn two_totals_of_the_r_manual() {
    let before = Tally::new(21.0, 3011.0);
    let found = two_totals(before, Tally::new(11.0, 800.0), 1.0).unwrap();
    close(found.estimate, 1.971_488, 3e-7);
    for (end, is_lower) in [(0.858_426_4, true), (4.277_265_9, false)] {
        let scaled = two_totals(before, Tally::new(11.0, 800.0 * end), 1.0).unwrap();
        close(if is_lower { scaled.p_above } else { scaled.p_below }, 0.025, 1e-7);
    }
}

#[test]
fn clumps_count_once() {
    // Every event comes in a pair: the same as half as many independent ones.
    let factor = clumping(&[2.0; 30]).unwrap();
    close(factor, 2.0, EXACT);
    let clumped = two_totals(Tally::new(60.0, 1.0), Tally::new(42.0, 1.0), factor).unwrap();
    let single = two_totals(Tally::new(30.0, 1.0), Tally::new(21.0, 1.0), 1.0).unwrap();
    close(clumped.p_below, single.p_below, EXACT);
    close(clumped.hi, single.hi, EXACT);
    // sum of C(51, k) for k up to 21, over 2^51.
    close(single.p_below, 0.131_218_767_855_521_9, 1e-12);
}

/// Etchells & Woodcock (2018): 6 of 12 against 80%, p = .019; 3 of 6 against 90%, .016.
#[test]
fn small_samples_against_a_standard() {
    for (x, n, standard, p) in [(6.0, 12.0, 0.8, 0.019_405_279_232), (3.0, 6.0, 0.9, 0.015_85)] {
        let found = proportion_against(Tally::new(x, n), standard).unwrap();
        close(found.p_below, p, 1e-12);
        assert!(found.hi < standard);
    }
}

/// R's manual: `binom.test(682, 682 + 243)` (Conover 1971, p. 97) has the 95% interval .7076683 to .7654066;
/// `poisson.test(137, 24.19893)` has 4.753125 to 6.692709 and p < 2.2e-16 against a rate of 1. Garwood's table has 4.795
/// to 18.390 for 10 events.
#[test]
fn exact_intervals() {
    let (lo, hi) = clopper_pearson(Tally::new(682.0, 925.0), 0.95).unwrap();
    close(lo, 0.707_668_3, 5e-8);
    close(hi, 0.765_406_6, 5e-8);
    let total = Tally::new(137.0, 24.198_93);
    let (lo, hi) = garwood(total, 0.95).unwrap();
    close(lo, 4.753_125, 5e-7);
    close(hi, 6.692_709, 5e-7);
    close(rate_against(total, 1.0).unwrap().p_above / 2.845_227_264_114_6e-56, 1.0, 1e-6);
    let (lo, hi) = garwood(Tally::new(10.0, 1.0), 0.95).unwrap();
    close(lo, 4.795_388_696_132_43, TAIL);
    close(hi, 18.390_356_042_017_8, TAIL);
}

#[test]
fn rates_calm_wild_empty_and_alike() {
    let found = rates_by_period(
        &over(&[9.0, 12.0, 8.0, 11.0, 10.0, 13.0, 9.0, 10.0], 500.0),
        &over(&[5.0, 4.0, 6.0, 3.0, 5.0, 4.0], 500.0),
    );
    let found = found.unwrap();
    spread_is(
        &found.spread,
        [-0.676_965_775_241_633_3, 0.3, 10.580_369_042_249_512, 0.260_388_437_217_705_5, 1.790_097_573_427_291_7],
    );
    ratio_is(
        &found,
        [
            0.439_024_390_243_902_4,
            0.253_117_948_068_650_23,
            0.734_351_798_241_252,
            0.998_934_575_517_911_4,
            0.002_619_015_373_801_510_7,
        ],
    );

    let before = tallies(
        &[3.0, 9.0, 14.0, 2.0, 11.0, 1.0, 8.0, 16.0, 5.0],
        &[410.0, 395.0, 420.0, 380.0, 400.0, 415.0, 390.0, 405.0, 400.0],
    );
    let after = tallies(&[2.0, 0.0, 5.0, 1.0, 7.0, 0.0, 3.0], &[400.0, 410.0, 390.0, 405.0, 395.0, 380.0, 420.0]);
    let found = rates_by_period(&before, &after).unwrap();
    spread_is(
        &found.spread,
        [-0.499_177_876_389_091_1, 0.3, 12.246_045_350_137_106, 3.242_764_088_462_549_5, 5.848_374_734_473_592],
    );
    ratio_is(
        &found,
        [
            0.336_801_242_236_024_8,
            0.082_762_812_813_621_01,
            1.050_238_081_350_482_8,
            0.983_503_747_818_680_6,
            0.060_304_320_981_718_056,
        ],
    );

    let found = rates_by_period(&over(&[1.0, 0.0, 2.0, 1.0, 0.0, 1.0, 3.0, 1.0], 1.0), &over(&[0.0; 5], 1.0)).unwrap();
    spread_is(
        &found.spread,
        [-0.165_909_090_909_090_9, 0.3, 9.731_931_839_119_683, 0.555_555_555_555_555_7, 1.765_327_167_784_097_6],
    );
    ratio_is(&found, [0.0, 0.0, 1.279_477_674_824_825_3, 1.0, 0.084_144_608_478_327_17]);

    let found = rates_by_period(
        &over(&[4.0, 5.0, 9.0, 12.0, 11.0, 14.0, 10.0, 6.0, 3.0, 4.0], 200.0),
        &over(&[5.0, 4.0, 3.0, 1.0, 1.0, 2.0, 4.0], 180.0),
    );
    let found = found.unwrap();
    spread_is(
        &found.spread,
        [
            0.489_328_324_608_641_23,
            0.793_737_039_872_838_6,
            6.252_376_857_985_819,
            1.505_641_025_641_025_8,
            10.026_793_350_940_403,
        ],
    );
    ratio_is(
        &found,
        [
            0.407_000_407_000_406_96,
            0.061_706_415_764_785_48,
            1.688_416_440_221_418_8,
            0.940_109_435_102_148_2,
            0.202_887_464_489_727_17,
        ],
    );
}

#[test]
fn proportions_calm_wild_empty_and_alike() {
    type Case = (Vec<Tally>, Vec<Tally>, [f64; 5], [f64; 6]);
    let cases: [Case; 4] = [
        (
            over(&[30.0, 33.0, 28.0, 31.0, 35.0, 30.0, 29.0, 32.0], 60.0),
            over(&[44.0, 41.0, 46.0, 43.0, 42.0, 45.0], 60.0),
            [-0.419_184_067_677_388, 0.3, 10.580_369_042_249_512, 0.322_131_212_008_853_75, 1.790_097_573_427_291_7],
            [
                0.208_333_333_333_333_26,
                0.206_241_137_341_868_89,
                0.043_714_299_670_644_025,
                0.127_449_388_542_370_7,
                0.285_032_886_141_367_07,
                0.000_351_067_104_623_168_84,
            ],
        ),
        (
            tallies(
                &[3.0, 9.0, 14.0, 2.0, 11.0, 1.0, 8.0, 16.0, 5.0],
                &[41.0, 39.0, 42.0, 38.0, 40.0, 41.0, 39.0, 40.0, 40.0],
            ),
            tallies(&[12.0, 20.0, 15.0, 21.0, 7.0, 10.0, 13.0], &[40.0, 41.0, 39.0, 40.0, 39.0, 38.0, 42.0]),
            [-0.299_391_427_883_195_4, 0.3, 12.246_045_350_137_106, 3.703_521_462_388_134, 6.679_357_720_246_814],
            [
                0.159_587_813_620_071_66,
                0.155_352_309_091_499_2,
                0.090_235_762_876_543_13,
                -0.005_204_962_569_274_746,
                0.315_909_580_752_273_16,
                0.055_138_886_012_002_74,
            ],
        ),
        // A short phase without a success: still an error of its own.
        (
            over(&[2.0, 1.0, 0.0, 3.0, 1.0, 0.0, 2.0, 1.0, 1.0, 0.0, 2.0, 1.0], 25.0),
            over(&[0.0; 3], 25.0),
            [-0.433_908_045_977_011_5, 0.3, 11.263_586_574_403_956, 0.668_562_207_023_745_4, 1.588_023_478_712_336_2],
            [
                -0.046_666_666_666_666_67,
                -0.031_102_321_107_939_86,
                0.025_685_013_055_045_97,
                -0.077_131_064_746_603_86,
                0.014_926_422_530_724_147,
                0.874_637_959_589_093_1,
            ],
        ),
        (
            tallies(
                &[30.0, 33.0, 38.0, 41.0, 45.0, 40.0, 39.0, 32.0],
                &[60.0, 62.0, 58.0, 60.0, 61.0, 59.0, 60.0, 63.0],
            ),
            over(&[44.0, 41.0, 36.0, 33.0, 32.0, 35.0], 60.0),
            [
                0.284_757_135_004_711_45,
                0.598_659_989_006_596,
                7.559_746_378_196_976,
                1.897_005_540_297_600_7,
                6.771_609_004_856_558_5,
            ],
            [
                -0.003_088_336_783_988_898_7,
                -0.004_026_948_800_582_741,
                0.086_870_160_322_023_73,
                -0.166_794_249_158_575_24,
                0.158_740_351_557_409_76,
                0.517_886_215_313_668_9,
            ],
        ),
    ];
    for (before, after, spread, [estimate, middle, se, lo, hi, p_above]) in cases {
        let found = proportions_by_period(&before, &after).unwrap();
        spread_is(&found.spread, spread);
        close(found.estimate, estimate, EXACT);
        close(found.middle, middle, 1e-11);
        close(found.se, se, 1e-11);
        close(found.lo, lo, TAIL);
        close(found.hi, hi, TAIL);
        close(found.p_above, p_above, TAIL);
    }
}

/// With many trials the interval is that of p1 - p0 with SE^2 = F (p0 q0/N0 + p1 q1/N1); the standard error here is
/// numpy's, of the first and fourth case above with a hundred times the trials.
#[test]
fn many_trials_give_the_familiar_standard_error() {
    let grown = |numerators: &[f64]| over(&numerators.iter().map(|x| x * 100.0).collect::<Vec<_>>(), 6000.0);
    let before = grown(&[30.0, 33.0, 28.0, 31.0, 35.0, 30.0, 29.0, 32.0]);
    let after = grown(&[44.0, 41.0, 46.0, 43.0, 42.0, 45.0]);
    let found = proportions_by_period(&before, &after).unwrap();
    let variance = |p: f64, n: f64| p * (1.0 - p) / n;
    let familiar =
        (found.spread.inflation * (variance(248.0 / 480.0, 48_000.0) + variance(261.0 / 360.0, 36_000.0))).sqrt();
    assert!(found.spread.dispersion > 30.0);
    assert!((found.se / familiar - 1.0).abs() < 0.005, "{} {familiar}", found.se);
}

/// The same law as a ratio of two gamma sums: the ends are also `scipy.stats.f.ppf` times the estimate.
#[test]
fn gaps_calm_wild_and_alike() {
    let found =
        gaps_between_events(&[12.0, 30.0, 7.0, 21.0, 15.0, 9.0, 26.0, 18.0], &[60.0, 95.0, 44.0, 120.0, 71.0, 88.0])
            .unwrap();
    spread_is(
        &found.spread,
        [-0.668_025_080_559_337_8, 0.3, 10.580_369_042_249_512, 0.176_810_358_205_379_74, 1.790_097_573_427_291_7],
    );
    ratio_is(
        &found,
        [
            0.216_527_196_652_719_66,
            0.057_174_824_732_759_436,
            0.720_116_688_766_970_9,
            0.980_579_412_239_318_8,
            0.019_420_587_760_681_188,
        ],
    );
    let found =
        gaps_between_events(&[3.0, 41.0, 8.0, 90.0, 12.0, 2.0, 33.0, 17.0, 5.0], &[6.0, 1.0, 30.0, 4.0, 2.0]).unwrap();
    spread_is(
        &found.spread,
        [-0.347_337_183_859_659_9, 0.3, 10.554_268_143_194_319, 1.640_774_797_050_803_8, 2.887_569_887_073_720_3],
    );
    ratio_is(
        &found,
        [
            2.726_098_191_214_470_4,
            0.373_290_222_365_620_8,
            12.344_367_535_624_63,
            0.196_976_356_333_127_82,
            0.803_023_643_666_872,
        ],
    );
    let found = gaps_between_events(
        &[12.0, 15.0, 30.0, 41.0, 38.0, 52.0, 20.0, 14.0, 9.0],
        &[10.0, 8.0, 14.0, 20.0, 33.0, 31.0, 12.0],
    )
    .unwrap();
    spread_is(
        &found.spread,
        [
            0.486_539_519_727_266_06,
            0.815_386_026_303_021_4,
            5.930_503_124_148_565,
            0.331_196_686_188_818_4,
            7.099_945_280_241_716,
        ],
    );
    ratio_is(
        &found,
        [
            1.403_645_833_333_333_5,
            0.071_183_570_607_838_53,
            17.136_113_729_147_63,
            0.433_620_073_954_093_63,
            0.566_379_926_045_906_5,
        ],
    );
}

#[test]
fn shifts_clear_wild_tied_and_alike() {
    type Case<'a> = (&'a [f64], &'a [f64], [f64; 3], [f64; 3], [f64; 3]);
    let cases: [Case; 4] = [
        (
            &[61.0, 64.0, 62.0, 63.0, 60.0, 62.0, 63.0, 61.0],
            &[66.0, 68.0, 65.0, 67.0, 69.0, 67.0],
            [-0.350_736_278_447_121_85, 0.3, 1.587_622_370_525_1],
            [5.0, 3.0, 7.0],
            [0.008_024_701_804_847_906, 0.993_967_702_254_107_8, 0.008_024_701_804_847_906],
        ),
        (
            &[4.1, 7.9, 5.2, 6.6, 12.5, 3.3, 5.8, 6.1, 4.9],
            &[5.5, 8.2, 9.1, 4.4, 7.7],
            [-0.330_379_746_835_443_1, 0.3, 1.564_251_808_858_433_6],
            [1.2, -2.4, 3.9],
            [0.261_202_837_821_261_25, 0.772_241_328_146_482_3, 0.009_504_554_744_992_86],
        ),
        (
            &[3.0, 3.0, 4.0, 4.0, 2.0, 3.0, 4.0, 3.0, 2.0, 3.0],
            &[3.0, 4.0, 3.0, 3.0, 4.0, 2.0],
            [-0.182_125_834_127_740_67, 0.3, 1.607_292_355_372_601_7],
            [0.0, -1.0, 1.0],
            [0.815_493_245_448_294_8, 0.875_951_999_737_379_1, 0.005_803_721_341_579_673],
        ),
        (
            &[4.0, 4.4, 5.1, 6.2, 6.0, 5.3, 4.7, 3.9],
            &[6.1, 6.6, 7.4, 7.0, 6.3, 5.9],
            [0.463_170_766_796_144_44, 0.848_439_073_514_602_1, 2.470_157_337_623_593_5],
            [1.65, 0.1, 3.0],
            [0.046_100_636_610_951_62, 0.961_305_427_563_724_7, 0.026_783_430_066_534_872],
        ),
    ];
    for (before, after, [phi_raw, phi, inflation], [estimate, lo, hi], [p_above, p_below, p_smallest]) in cases {
        let found = median_shift(before, after).unwrap();
        close(found.phi_raw, phi_raw, EXACT);
        close(found.phi, phi, EXACT);
        close(found.inflation, inflation, 1e-11);
        close(found.estimate, estimate, EXACT);
        close(found.lo, lo, EXACT);
        close(found.hi, hi, EXACT);
        close(found.p_above, p_above, TAIL);
        close(found.p_below, p_below, TAIL);
        close(found.p_smallest, p_smallest, TAIL);
    }
}

/// Hollander & Wolfe (1973), p. 69 and following (permeability of membranes, R's example of `wilcox.test`): the shift from
/// 12-26 weeks to term is estimated as .305.
#[test]
fn the_shift_of_hollander_and_wolfe() {
    let term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    let early = [1.15, 0.88, 0.90, 0.74, 1.21];
    close(median_shift(&early, &term).unwrap().estimate, 0.305, EXACT);
}
