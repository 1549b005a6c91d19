"""How docs/measured.md shows each kept result: titles, data, tables, notes. docs/write_measured.py puts the figures in.

A cell is a format string over the figures, or over one row of them: ``{0}``, ``{1}`` are the keys that lead to the row,
then the row itself where it is one number. The form ``.3s`` is three significant digits. A cell whose figures were not
measured is empty, and rows and columns of empty cells are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Grid:
    """A table whose rows are written here, each cell over all figures.

    Parameters
    ----------
    head
        Titles of the columns.
    rows
        Cells of each row.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Rows:
    """A table with a row for each entry of the figures.

    Parameters
    ----------
    path
        Keys that lead to the rows, with a dot between; ``*`` is every key, or every item of a list.
    columns
        A cell by the title of its column.
    each
        A cell for each entry of a row; the key of the entry is the title of the column.
    """

    path: str
    columns: Mapping[str, str]
    each: str = ""


@dataclass(frozen=True)
class Layout:
    """How one result is shown.

    Parameters
    ----------
    title
        Of its section.
    data
        Which data were read.
    tables
        In order.
    notes
        What a reader must know to judge the figures: paragraphs of Markdown, figures in braces.
    picture
        Name of a file beside the result, and what it shows.
    words
        Arguments of the command, where the result does not hold them.
    earlier
        Notes on a result that was kept before results held hashes; they go when it is measured anew.
    shaped
        What makes the figures ready for the tables.
    """

    title: str
    data: str
    tables: tuple[Grid | Rows, ...]
    notes: str = ""
    picture: tuple[str, str] | None = None
    words: str = ""
    earlier: str = ""
    shaped: Callable[[Figures], Figures] = dict


def _with_leadml(figures: Figures) -> Figures:
    """Return the models of each split, leadml first."""
    return {split: {"leadml": row, **row["others"]} for split, row in figures.items()}


def _by_grain(figures: Figures) -> Figures:
    """Return the figures of a replay with those of the bank under one key."""
    bank = {name: row for name, row in figures.items() if name != "streams"}
    return {"bank": bank, "streams": figures["streams"]}


def _with_totals(figures: Figures) -> Figures:
    """Return the counts with those of all seeds."""
    seeds = figures.get("seeds", 1)
    return {**figures, "all_planted": seeds * figures["planted"], "all_clean": seeds * figures["clean"]}


def _with_wins(figures: Figures) -> Figures:
    """Return the rows with whether leadml is surely better, and counts of it beside Odoo and the points, by leads."""
    rows = [
        {**row, "better": row["high"] < 0 if row["metric"] == "log_loss" else row["low"] > 0} for row in figures["rows"]
    ]
    wins: dict[str, dict[str, int]] = {}
    for row in (row for row in rows if row["model"] != "logistic regression"):
        count = wins.setdefault(row["leads"], {"won": 0, "of": 0})
        count["won"] += row["better"]
        count["of"] += 1
    return {
        **figures,
        "wins": wins,
        "rows": [{**row, "better": "yes" if row["better"] else "no"} for row in rows],
    }


BUNDLED = "`data/raw/bank.csv`"
FURTHER = (
    "Moro, Cortez and Rita 2014 (UCI 222, `bank-additional-full.csv.gz`) and Sakar et al. 2019 (UCI 468, "
    "`online_shoppers_intention.csv.gz`), both CC BY 4.0 and in `--data DIR`"
)
HELD = {
    "hold": "{coverage:.1%}",
    "standard deviation of data sets": "{sd_of_coverage:.1%}",
    "width, times the narrowest": "{width_over_narrowest:.2f}",
}
CAMPAIGNS, FORWARD, SESSIONS = "the bank's campaigns", "first 70% against the last 30%", "a shop's sessions"
NAMES = {
    "bank_random": f"{CAMPAIGNS}, random 70/30",
    "bank_forward": f"{CAMPAIGNS}, {FORWARD}",
    "shoppers": f"{SESSIONS}, random 70/30",
    "bank_small": "the bundled leads, random 70/30",
    "crm sql": "simulated CRM, target `sql`",
    "crm customer": "simulated CRM, target `customer`",
    "roc_auc": "ROC AUC",
    "log_loss": "log loss",
    "immature as negative": "young leads called negative",
    "small trees": "trees of 3 leaves",
    "True": "kept from an earlier run",
}

LAYOUTS = {
    "bank": Layout(
        "Predictions on the bank's leads",
        f"{BUNDLED}, 4,521 prospects of a bank, without `duration`, which is known only when the outcome is",
        (
            Grid(
                ("", "leadml, default params"),
                (
                    ("ROC AUC, mean of three splits", "{auc:.4f}"),
                    ("log loss, mean of three splits", "{log_loss:.4f}"),
                    ("calibration error, over the three test sets", "{ece:.4f}"),
                    ("calibration error of a perfect model, by chance", "{ece_by_chance:.4f}"),
                ),
            ),
        ),
    ),
    "compare": Layout(
        "Beside other models",
        f"{FURTHER}, without `duration` and `PageValues`; {BUNDLED} without `duration`",
        (
            Rows(
                "*",
                {
                    "log loss, split": "{0}",
                    "leadml": "{leadml[log_loss]:.4f} ({leadml[seconds]:.0f} s)",
                    "logistic regression": "{logistic regression[log_loss]:.4f}",
                    "HistGradientBoosting": "{HistGradientBoosting[log_loss]:.4f}",
                    "LightGBM": "{LightGBM[log_loss]:.4f}",
                    "FLAML": "{FLAML[log_loss]:.4f}",
                    "AutoGluon": "{AutoGluon[log_loss]:.4f}",
                },
            ),
            Rows(
                "*.*",
                {
                    "split": "{0}",
                    "model": "{1}",
                    "log loss": "{log_loss:.4f}",
                    "ROC AUC": "{auc:.4f}",
                    "calibration error": "{ece:.4f}",
                    "of a perfect model": "{ece_by_chance:.4f}",
                    "seconds to fit": "{seconds:.3s}",
                    "MB": "{megabytes:.3s}",
                    "leads explained a second": "{explained_per_second:.3s}",
                    "run": "{kept}",
                },
            ),
        ),
        notes="""
            Seconds in brackets are those that leadml takes to fit.

            FLAML had 60 seconds; AutoGluon had 180 at best quality, without its neural networks and XGBoost, which its
            environment could not load. The other models have their defaults.

            leadml's defaults (leaves, penalty, share of fields) were settled with other shuffles of these data and
            with these splits in view, so the table flatters it a little; other data will tell. What each choice is
            worth is in the next section.

            A perfect model has a calibration error too, by chance: the column beside says how large it is for the
            probabilities of each model.
        """,
        words="--data DIR --peers PYTHON",
        earlier="Times are of a machine with 2 cores.",
        shaped=_with_leadml,
    ),
    "ablations": Layout(
        "What each choice of the estimator is worth",
        f"{FURTHER}, without `duration` and `PageValues`; {BUNDLED} without `duration`",
        (
            Rows("default.*", {"split": "{0}", "log loss of the default": "{1:.4f}"}),
            Rows("changed.*", {"changed": "{0}"}, "{difference:+z.4f} ± {standard_error:.4f}"),
        ),
        notes="""
            A cell of the second table is the log loss with the change less that of the default, ± its standard error
            over the leads that judge: above 0 the default is better. A difference within two standard errors says
            nothing.

            The defaults were settled with these data in view; [the decision](decisions/0001-additive-model.md) says
            how.
        """,
        words="--data DIR",
    ),
    "rivals": Layout(
        "Beside Odoo's lead scoring, a team's points and logistic regression",
        f"{CAMPAIGNS} (UCI 222, `bank-additional-full.csv.gz` in `--data DIR`) and {BUNDLED}, both without `duration`; "
        "a simulated CRM",
        (
            Rows(
                "wins.*",
                {"leads": "{0}", "intervals beside Odoo and the points on leadml's side of 0": "{won} of {of}"},
            ),
            Rows(
                "rows.*",
                {
                    "leads": "{leads}",
                    "beside": "{model}",
                    "metric": "{metric}",
                    "its figure": "{value:.4f}",
                    "leadml's figure less it": "{difference:+z.4f}",
                    "95% interval": "{low:+z.4f} to {high:+z.4f}",
                    "leadml surely better": "{better}",
                },
            ),
        ),
        notes="""
            In all, {beaten} of {compared} intervals beside Odoo's scoring and the points lie on leadml's side of 0.
            The bundled leads that judge are few (1,357), so their intervals are wide.

            The points are a rule that was written for these data; it stands in `benchmarks/rivals.py`.
        """,
        words="--data DIR",
        earlier="The CRM had 40,000 leads over 24 months.",
        shaped=_with_wins,
    ),
    "estimate": Layout(
        "Performance that is estimated before outcomes are known",
        f"simulated leads with a known truth; {CAMPAIGNS} (UCI 222, `bank-additional-full.csv.gz` in `--data DIR`) "
        "without `duration`",
        (
            Grid(
                ("without drift", "ROC AUC", "precision at the cut of MQL"),
                tuple(
                    (label, *(f"{{{kind}[{figure}][{key}]:{form}}}" for figure in ("roc_auc", "precision")))
                    for label, kind, key, form in (
                        ("periods whose interval holds the expected figure", "figures", "held", ""),
                        ("realised figures that are held", "figures", "held_realised", ".1%"),
                        ("of the model whose intervals hold least", "figures", "held_realised_lowest", ".1%"),
                        ("width, times that of sampling alone", "figures", "width", ".2f"),
                        ("width", "figures", "mean_width", ".3f"),
                        ("error, mean of all models", "figures", "mean_error", "+z.4f"),
                        ("standard deviation of the models' errors", "figures", "spread_of_errors", ".4f"),
                        ("interval of sampling alone: realised figures held", "sampling_only", "held_realised", ".1%"),
                        ("of the model that it holds least", "sampling_only", "held_realised_lowest", ".1%"),
                        ("standard deviation of its errors", "sampling_only", "spread_of_errors", ".4f"),
                    )
                ),
            ),
            Rows(
                "drift.figures.*",
                {
                    "with drift": "{0}",
                    "months": "{periods}",
                    "held": "{held}",
                    "realised less estimated, mean": "{mean_error:+z.3f}",
                    "mean absolute difference": "{mean_absolute_error:.3f}",
                },
            ),
            Rows(
                "drift.months.*",
                {
                    "month": "{month}",
                    "leads": "{leads:,}",
                    **{
                        f"{name}, {kind}": text.replace("FIGURE", key)
                        for name, key in (("rate", "rate"), ("AUC", "roc_auc"), ("precision", "precision"))
                        for kind, text in (
                            ("estimated", "{FIGURE[estimated]:.3f} ({FIGURE[low]:.3f} to {FIGURE[high]:.3f})"),
                            ("came", "{FIGURE[realised]:.3f}"),
                        )
                    },
                },
            ),
        ),
        notes="""
            Without drift the intervals hold the expected figure in {held} of {periods} periods, and are at most
            {width:.2f} times as wide as chance alone makes the realised figures vary. They are made to hold the
            realised figures, 90% of them, so they hold the expected ones more often.

            The interval of sampling alone takes the probabilities as they are. It is narrower, but it holds fewer than
            90% of the realised figures.

            With drift an estimate is wrong, and nothing in it shows it: it assumes that fields and outcome are related
            as they were. On the campaigns {drift[rate_of_training]:.1%} of the leads in the first 70% converted, and
            about half of those in the last months, among them many whose fields are those of leads that hardly ever
            converted before. The model says the probabilities of before, so rate and precision are estimated too low.
            The ROC AUC is off by less, as a rise of all probabilities changes no order. Outcomes alone show this, which
            is why each past estimate is shown beside what came. From the fourth month on the outcomes of the months
            before show how much months differ, and the intervals say so: they are wide, and hold more often.
        """,
        words="--data DIR",
    ),
    "truth": Layout(
        "Probabilities against a known truth",
        "a simulated CRM with its truth; the models never read the truth",
        (
            Grid(
                ("leadml, the worse of its targets", ""),
                (
                    ("calibration error, at most", "{ece:.4f}"),
                    ("slope that is farthest from 1", "{slope:.2f}"),
                    ("snapshots that judge, at least", "{looks:,}"),
                ),
            ),
            Rows(
                "targets.*.*",
                {
                    "target": "{0}",
                    "model": "{1}",
                    "snapshots": "{looks:,}",
                    "calibration error": "{ece:.4f}",
                    "slope": "{slope:.2f}",
                    "mean probability": "{mean_said:.2%}",
                    "true mean": "{mean_true:.2%}",
                    "difference": "{bias:+.1%}",
                    "ROC AUC": "{auc:.3f}",
                    "of the truth": "{auc_of_truth:.3f}",
                    "log loss": "{log_loss:.4f}",
                    "that of the truth": "{log_loss_of_truth:.4f}",
                },
            ),
        ),
        notes="""
            A snapshot is a lead as of a date. Those that judge are held out: other leads at later dates.

            The difference is that of the mean probability to the true mean, as a share of it.

            Where young leads are called negative, all leads whose time has not passed count as lost: this is what
            leadml avoids.
        """,
        earlier="The CRM had 40,000 leads over 24 months.",
    ),
    "intervals": Layout(
        "Intervals against known truths",
        "leads drawn from known truths, all of whose causes are recorded; simulated CRMs, whose truth no model reads",
        (
            Rows("flat.*", {"truth and leads": "{0}", **HELD}),
            Rows("others.*", {"other truth and leads": "{0}", **HELD}),
            Grid(
                ("snapshots of simulated CRMs", ""),
                (
                    ("groups of 200 snapshots whose mean truth is held", "{dated[coverage]:.1%}"),
                    ("groups", "{dated[groups]}"),
                    ("mean width", "{dated[width]:.3f}"),
                    ("held by the version before", "{dated_before[coverage]:.1%}"),
                    ("its mean width", "{dated_before[width]:.3f}"),
                    ("share of the time of a training", "{share_of_time:.1%}"),
                ),
            ),
        ),
        notes="""
            Intervals are meant to hold 90%. The narrowest is the one width that holds them around the same
            probabilities. Means over 20 data sets a row of the first table, five of the second; the constants of
            [the decision](decisions/0018-intervals-of-probabilities.md) were settled on the kinds of the first.
        """,
    ),
    "steady": Layout(
        "How steady a model is when a few leads are left out",
        f"{FURTHER}, without `duration` and `PageValues`; {BUNDLED} without `duration`; CDNOW; simulated CRMs",
        (
            Rows(
                "*",
                {
                    "leads": "{0}",
                    "mean log loss": "{mean:.4f}",
                    "worst": "{worst:.4f}",
                    "standard deviation": "{sd:.4f}",
                    "lowest AUC": "{lowest_auc:.3f}",
                    "leads in another stage": "{stage_changes:.1%}",
                    "worst of 5% left out": "{far_worst:.4f}",
                },
            ),
            Rows("*.others.*", {"leads": "{0}", "model": "{1}", "mean log loss": "{mean:.4f}", "sd": "{sd:.4f}"}),
        ),
        notes="Up to 3.5% of the training leads are left out, the first, the last or any.",
        words="--data DIR --other DIR",
    ),
    "thousandth": Layout(
        "One lead in a thousand left out",
        f"{FURTHER}, without `duration` and `PageValues`; {BUNDLED} without `duration`; divided at random",
        (
            Rows(
                "*",
                {
                    "leads": "{0}",
                    "in the training": "{leads:,}",
                    "median change of a probability": "{median_change:.1%}",
                    "least of the draws": "{lowest:.1%}",
                    "largest": "{highest:.1%}",
                },
            ),
        ),
        words="--data DIR",
    ),
    "parts": Layout(
        "Parts of a model and their weights",
        f"{FURTHER}, without `duration` and `PageValues`; {BUNDLED} without `duration`",
        (Rows("*.families.*", {"leads": "{0}", "kind and half-life": "{1}", "weight": "{2:.2f}"}),),
        picture=("parts.svg", "Weights of families, and of parts against their log loss"),
        words="--data DIR",
    ),
    "exports": Layout(
        "From an export to a model",
        "The same leads, whose truth is known, as 20 exports (`benchmarks/export_files.py`)",
        (),
        notes="""
            Of 17 exports that can be trained {files} were, and their later leads scored, by four commands without an
            edit; id {id_right}, date {date_right}, label {label_right} and numbers {numbers_right} are the true ones,
            and {leaks_used} fields are used that are filled in later. On the later leads the ROC AUC differs from that
            of the true probabilities by {auc_minus_truth:+.4f} at most. {refused_right} of 2 that must be refused are,
            and of an export without a label {new_scored} of 200 leads are scored.
        """,
    ),
    "advice": Layout(
        "Advice that can be followed",
        "The texts of the package that say what to do and name a key, an option or a command",
        (),
        notes="""
            Of {messages} such texts {followed} were shown by a command in a project of their own and followed as one
            would who knows only that text; after {further} of them the command did its work and the text was gone.
        """,
    ),
    "small": Layout(
        "Few leads",
        f"{FURTHER}, without `duration` and `PageValues`; {BUNDLED} without `duration`; CDNOW; a simulated CRM",
        (
            Rows(
                "cases.*",
                {
                    "leads": "{0}",
                    "log loss of leadml": "{leadml:.4f}",
                    "of a logistic regression": "{logistic_regression:.4f}",
                    "of the calibrated points rule": "{points_rule:.4f}",
                },
            ),
        ),
        notes="""
            Means over 20 draws of so many leads, or of so many that convert. With 300, 1,000 and 3,000 leads the log
            loss is not surely above that of the logistic regression in {not_worse} of {sets} cases; with 30, 60 and
            120 conversions it is not surely above that of the rule in {rules[not_worse]} of {rules[sets]}.
        """,
        words="--data DIR",
    ),
    "newlevels": Layout(
        "Levels that training never saw",
        f"{FURTHER}, without `duration` and `PageValues`; {BUNDLED} without `duration`; a simulated CRM",
        (
            Rows(
                "sets.*",
                {
                    "leads": "{0}",
                    "levels left out in turn": "{cases}",
                    "not surely worse than without the field": "{not_worse}",
                    "log loss, summed": "{loss:,.0f}",
                    "of a model without the field": "{loss_without_field:,.0f}",
                },
            ),
        ),
        notes="In all, {not_worse} of {cases} are not surely worse; the log loss is {loss:,.0f}, without the field "
        "{loss_without_field:,.0f}.",
        words="--data DIR",
    ),
    "leaks": Layout(
        "Planted leaks and clean leads",
        f"{FURTHER}; {BUNDLED}; `data/raw/CDNOW_master.txt.gz`; a simulated CRM a seed",
        (
            Grid(
                ("", "seed {seed} alone", "all {seeds} seeds"),
                (
                    ("planted leaks that were stopped", "{stopped} of {planted}", "{all_stopped} of {all_planted}"),
                    ("fewest that were stopped in a seed", "", "{least_stopped} of {planted}"),
                    (
                        "planted leaks of which nothing was said",
                        "{silent} of {planted}",
                        "at most {most_silent} of {planted} a seed",
                    ),
                    ("clean sets that were stopped", "{false_stops} of {clean}", "{all_false_stops} of {all_clean}"),
                    ("most that were stopped in a seed", "", "{most_false_stops} of {clean}"),
                    ("fields that stop for every draw of the holdout or for none", "", "{same_verdict:.1%}"),
                ),
            ),
        ),
        words="--seeds 10 --data DIR",
        earlier="It was measured with an earlier estimator.",
        shaped=_with_totals,
    ),
    "leak_limits": Layout(
        "What other limits of the leak gate do",
        f"{FURTHER}; {BUNDLED}; `data/raw/CDNOW_master.txt.gz`; a simulated CRM a seed; at most 3,000 leads of each",
        (
            Rows(
                "rows.*",
                {
                    "limit": "{limit}",
                    "changed from": "{value}",
                    "planted leaks that stop": "{stopped} of {planted}",
                    "clean sets that stop": "{false_stops} of {clean}",
                },
            ),
        ),
        notes="""
            Each limit is changed alone. Many change nothing here: several checks look at each field, so another one
            stops what a limit lets pass, and few cases lie near one limit.
        """,
    ),
    "store": Layout(
        "What the store costs",
        f"{BUNDLED}, drawn with replacement: {{rows:,}} leads",
        (
            Rows(
                "batches.*",
                {
                    "batch": "{0}",
                    "seconds with the store": "{seconds:.1f}",
                    "without": "{seconds_without:.1f}",
                    "times as long": "{ratio:.2f} ({lowest:.2f} to {highest:.2f})",
                },
            ),
        ),
        notes="""
            Whole commands, in pairs. The file of the store has {megabytes:.0f} MB after one batch and
            {megabytes_of_both:.0f} MB after both. In the second batch one lead in twenty has other values than before.
        """,
    ),
    "drift": Layout(
        "Whether reviews notice that the world moved",
        "streams of `leadml.simulator.stream`",
        (
            Grid(
                ("", "rate 12.5%", "rate 5.5%"),
                (
                    ("runs", "{runs}", "{low_rate[runs]}"),
                    (
                        "odds x 1.6: RECALIBRATE within 60 days",
                        "{named_rightly[odds]}",
                        "{low_rate[named_rightly][odds]}",
                    ),
                    ("half of the mix moved: neither", "{named_rightly[mix]}", "{low_rate[named_rightly][mix]}"),
                    (
                        "two strongest effects halved: REFIT within 60 days",
                        "{named_rightly[effects]}",
                        "{low_rate[named_rightly][effects]}",
                    ),
                    (
                        "healthy years with a false alarm",
                        "{false_alarm_years[healthy]}",
                        "{low_rate[false_alarm_years][healthy]}",
                    ),
                    (
                        "with a level that changes daily by 0.1",
                        "{false_alarm_years[noisy]}",
                        "{low_rate[false_alarm_years][noisy]}",
                    ),
                    (
                        "days to RECALIBRATE, median and nine of ten",
                        "{days[odds][median]:.0f}, {days[odds][nine_of_ten]:.0f}",
                        "{low_rate[days][odds][median]:.0f}, {low_rate[days][odds][nine_of_ten]:.0f}",
                    ),
                    (
                        "days to REFIT, median and nine of ten",
                        "{days[effects][median]:.0f}, {days[effects][nine_of_ten]:.0f}",
                        "{low_rate[days][effects][median]:.0f}, {low_rate[days][effects][nine_of_ten]:.0f}",
                    ),
                ),
            ),
        ),
        notes="""
            The model is leadml's with default choices, another one in each run: fitted on 20,000 leads, judged on 5,000
            others. Then 100 leads a day have their outcomes known, and each day is judged. A daily look at the
            newest 30 days by an ordinary test, |z| above 1.96, alarms in {ordinary_test_years} of {runs} healthy years,
            with the true probabilities.
        """,
    ),
    "gate": Layout(
        "What the gate lets pass",
        "drawn leads, and a stream of `leadml.simulator.stream`",
        (
            Grid(
                ("challenger", "passed"),
                (
                    ("1% above the truth, champion 3%, 8,000 leads", "{better_promoted} of {runs}"),
                    ("the same with 5,000 leads", "{better_promoted_5000} of {runs}"),
                    ("both 2% above the truth", "{equal_promoted} of {runs}"),
                    ("3% above the truth, champion 1%", "{worse_promoted} of {runs}"),
                    ("gradient boosting with another seed", "{seed_only_promoted} of {runs}"),
                    ("leadml with another seed", "{seed_only_leadml} of {pairs}"),
                    ("years with any of 12 such challengers, without a cap", "{years_with_promotion} of {runs}"),
                    ("sabotaged, refused for its own reason", "{sabotaged_refused} of {sabotaged}"),
                ),
            ),
            Rows("reasons.*", {"sabotage": "{0}", "what refuses it": "{1}"}),
        ),
        notes="""
            Both models are calibrated, and each lacks a part that the other one knows; the truth has a log loss of .28.
        """,
    ),
    "exploration": Layout(
        "What leads below the cut would convert if worked",
        "drawn leads in a loop in which work multiplies the odds by 1.8",
        (
            Grid(
                ("", "of the estimate"),
                (
                    ("runs, marked leads in each", "{runs}, {marked:,.0f}"),
                    ("truth", "{truth:.1%}"),
                    ("mean error, and standard deviation of one run, in points", "{mean_bias:+.2f}, {sd:.2f}"),
                    ("90% interval holds the truth", "{covered} of {runs}"),
                    ("rate of unworked leads is off by, in points", "{naive_off:+.2f}"),
                    ("which is said", "{naive_flagged} of {runs}"),
                    ("said where work changes nothing", "{false_flags} of {runs}"),
                ),
            ),
        ),
    ),
    "weak": Layout(
        "First versions that are worth nothing",
        f"{BUNDLED} with outcomes at random; drawn leads with a linear truth",
        (
            Grid(
                ("", "trainings"),
                (
                    ("of each kind", "{runs}"),
                    ("put in use without a person's word", "{champions}"),
                    ("not put in use, and scoring not refused", "{not_said}"),
                ),
            ),
            Rows("random.*", {"outcomes at random": "{0}", "trainings": "{1}"}),
            Rows("no_linear.*", {"linear truth, no linear part": "{0}", "trainings": "{1}"}),
        ),
    ),
    "replay": Layout(
        "The past played as if it were live",
        "the bank's campaigns, by month from 2009-03, without `duration`; streams of `leadml.simulator.stream`",
        (
            Rows(
                "bank.*.*",
                {
                    "outcomes known by": "{0}",
                    "policy": "{1}",
                    "log loss": "{log_loss:.4f}",
                    "less than refit": "{difference:+z.4f} ({difference_low:+z.4f} to {difference_high:+z.4f})",
                    "ROC AUC": "{auc:.3f}",
                    "within months": "{roc_auc_within:.3f}",
                    "ECE": "{ece:.3f}",
                    "gain": "{gain:.3f}",
                },
            ),
            Rows(
                "streams.*",
                {
                    "streams": "{0}",
                    **{name: f"{{{name}:.4f}}" for name in ("once", "refit", "loop", "oracle")},
                    "loop less once, the worst of 10": "{above_once:+z.4f}, {most_above_once:+z.4f}",
                    "way from once to refit, the least of 10": "{way:.0%}, {least_way:.0%}",
                },
            ),
        ),
        notes="""
            All months together. The oracle is told the level of each month, which nobody can know. The difference has
            its interval at 90% over months that are drawn again. The policy was developed on the months of the bank,
            and on none of the streams.
        """,
        words="--data DIR",
        shaped=_by_grain,
    ),
    "replay_shop": Layout(
        "The past of an online shop played as if it were live",
        "`data/raw/CDNOW_master.txt.gz`",
        (
            Rows(
                "*",
                {
                    "policy": "{0}",
                    "log loss": "{log_loss:.4f}",
                    "less than refit": "{difference:+z.4f} ({difference_low:+z.4f} to {difference_high:+z.4f})",
                    "ROC AUC": "{auc:.3f}",
                    "ECE": "{ece:.3f}",
                    "gain": "{gain:.3f}",
                },
            ),
        ),
        notes="""
            Customers who buy for the first time in one quarter age together, so that each month is unlike those before.
        """,
    ),
    "review": Layout(
        "What a review of a million scores costs",
        "a stream of `leadml.simulator.stream` as dated leads, scored every night",
        (
            Grid(
                ("", "`leadml review`"),
                (
                    ("kept scores", "{scores:,}"),
                    ("seconds, median and most", "{seconds:.1f}, {most_seconds:.1f}"),
                    ("megabytes of memory", "{megabytes:,.0f}"),
                    ("verdict", "{verdict}"),
                ),
            ),
        ),
        notes="""
            The whole command with its page, in which nothing has drifted.
        """,
    ),
    "kills": Layout(
        "What a killed job leaves",
        f"{BUNDLED}",
        (
            Grid(
                ("", "scores in SQLite", "scores in PostgreSQL", "promotions"),
                (
                    (
                        "jobs that were killed",
                        "{databases[SQLite][kills]}",
                        "{databases[PostgreSQL][kills]}",
                        "{promote[kills]}",
                    ),
                    (
                        "after which anything was wrong",
                        "{databases[SQLite][broken]}",
                        "{databases[PostgreSQL][broken]}",
                        "{promote[broken]}",
                    ),
                    ("of two promotions at once one wins", "", "", "{promote[one_winner]} of {promote[races]}"),
                    ("seconds of a rollback", "", "", "{promote[rollback_seconds]:.2f}"),
                    ("scores that are the same after it", "", "", "{promote[same_scores]:,} of {promote[scores]:,}"),
                ),
            ),
        ),
    ),
    "cuts": Layout(
        "Whether cuts keep their promises",
        "simulated CRMs, a seed each; judged by the true probabilities",
        (
            Rows(
                "rules.*",
                {
                    "rule": "{0}",
                    "sets": "{sets}",
                    "kept": "{kept}",
                    "of each hundred": "{kept_by_hundred}",
                    "refused where nothing supports it": "{refused_unsupported} of 20",
                },
            ),
        ),
        notes="""
            A promise is made with 90% confidence; {kept} of {promises} are kept in at least 85% of the sets. Between
            sets a share varies {spread_of_share:.2f} times as much as its interval tells.
        """,
    ),
    "bots": Layout(
        "Acts of machines that are recognised",
        "a simulated CRM with mails, scanners and bots",
        (
            Rows(
                "shares.*",
                {
                    "opens and clicks by machines": "{0}",
                    "acts of machines found": "{found:.1%}",
                    "acts of people lost": "{humans_lost:.2%}",
                    "true precision at the MQL cut differs by": "{precision_gap:.1%}",
                    "without rules by": "{gap_without_rules:.1%}",
                },
            ),
        ),
        notes="Without machines the true precision at the MQL cut is {precision_without_machines:.1%}.",
    ),
    "mutation": Layout(
        "Small faults in the code that the tests find",
        "the code itself, where a fault costs most",
        (
            Rows(
                "parts.*",
                {
                    "part": "{part}",
                    "changes": "{changes:,}",
                    "found by a test": "{found:,}",
                    "share": "{share:.1%}",
                },
            ),
        ),
        notes="""
            Of {mutants:,} changes {killed:.1%} fail a test. `benchmarks/results/mutation.json` lists the others, each
            with the reason why it may live; `{not_ended}` changes made a test run without an end, and count as found.
        """,
    ),
    "explain": Layout(
        "Speed of exact reasons",
        f"{CAMPAIGNS} (UCI 222, `bank-additional-full.csv.gz` in `--data DIR`), without `duration`",
        (
            Grid(
                ("", "default params", "300 trees of 31 leaves"),
                tuple(
                    (label, f"{{{key}:{form}}}", f"{{deep[{key}]:{form}}}")
                    for label, key, form in (
                        ("leads a second: leadml, all reasons", "reasons_rows_per_second", ".3s"),
                        ("LightGBM, predictions alone", "predict_rows_per_second", ".3s"),
                        ("`shap`, all reasons", "shap_rows_per_second", ".3s"),
                        ("`woodelf-explainer`, all reasons", "woodelf_rows_per_second", ".3s"),
                        ("leadml is as fast as LightGBM's predictions, times", "times_predict", ".2s"),
                        ("as `shap`, times", "times_shap", ".3s"),
                        ("as `woodelf-explainer`, times", "times_woodelf", ".3s"),
                        ("largest difference to `shap`, log-odds", "largest_difference", ".0e"),
                        ("trees", "trees", ","),
                        ("trees without tables", "trees_without_tables", ","),
                        ("tables", "tables", ","),
                        ("MB of tables", "megabytes", ".1f"),
                        ("fields", "fields", ","),
                    )
                ),
            ),
        ),
        notes="A million leads are scored; the reasons of `shap` and `woodelf-explainer` are timed on 20,000 of them.",
        words="--peers --data DIR",
        earlier="Times are of a machine with 2 cores.",
    ),
    "cost": Layout(
        "Cost of predictions and reasons",
        "leads drawn at random, of normal numbers",
        (
            Rows(
                "rows.*",
                {
                    "varied": "{varied}",
                    "trees": "{trees:,}",
                    "leads": "{leads:,}",
                    "fields": "{fields}",
                    "leads a second, leadml: predictions and reasons": "{reasons:.3s}",
                    "LightGBM: predictions": "{predict:.3s}",
                    "TreeSHAP": "{treeshap:.3s}",
                    "tables": "{tables:,}",
                    "MB of tables": "{megabytes:.3s}",
                    "trees without tables": "{trees_without_tables}",
                    "seconds to make tables": "{seconds_to_make_tables:.2f}",
                },
            ),
        ),
        picture=("cost.svg", "Leads a second against trees, leads and fields"),
        earlier="Times are of a machine with 2 cores.",
    ),
    "features": Layout(
        "Features of a million dated leads",
        "simulated CRMs over 24 months",
        (
            Grid(
                ("largest CRM", ""),
                (
                    ("leads", "{leads:,}"),
                    ("activities", "{activities:,}"),
                    ("seconds: read, one snapshot of every lead, snapshots of a training", "{seconds:.0f}"),
                    ("GB of memory, at most", "{peak_memory_gb:.1f}"),
                    ("power of the number of leads with which time rises", "{power:.2f}"),
                ),
            ),
            Rows(
                "sizes.*",
                {
                    "leads": "{leads:,}",
                    "activities": "{activities:,}",
                    "seconds to read": "{reading:.1f}",
                    "one snapshot of every lead": "{looking_once:.1f}",
                    "snapshots of a training": "{training_looks:.1f}",
                    "all": "{seconds:.1f}",
                    "GB of memory": "{peak_memory_gb:.1f}",
                    "snapshots with a known outcome": "{mature:,}",
                    "of which drawn": "{drawn:,}",
                    "seconds to simulate": "{simulating:.1f}",
                },
            ),
        ),
        notes="Time that rises with the power 1 of the number of leads is linear.",
        picture=("features.svg", "Seconds against leads"),
        earlier="It was measured with an earlier estimator, on a machine with 2 cores.",
    ),
    "door": Layout(
        "Start of the command and of the library",
        "`data/raw/bank.csv`, the first 100 leads; `params.yaml`.",
        (
            Grid(
                ("", ""),
                (
                    ("processor seconds of `leadml --help`", "{help_cpu_seconds:.2f}"),
                    ("processor seconds of `import leadml`, above an empty program", "{import_cpu_seconds:.3f}"),
                    ("seconds to score a frame of 100 leads", "{score_100_seconds:.3f}"),
                ),
            ),
        ),
    ),
    "changes": Layout(
        "Warnings of changed leads",
        f"{BUNDLED}; {FURTHER}",
        (
            Rows(
                "data.*",
                {
                    "data": "{0}",
                    "leads of the training": "{leads:,}",
                    "batches of 200 with a warning": "{alarms[of_200]:.1%}",
                    "of 1,000": "{alarms[of_1000]:.1%}",
                    "of 5,000": "{alarms[of_5000]:.1%}",
                },
            ),
            Rows("found.*", {"planted in batches of 200": "{0}", "planted": "{planted}", "found": "{found}"}),
        ),
        notes="Batches are drawn at random from leads that are not of the training; without a change a warning is a "
        "false alarm. The last 30% of the campaigns are other leads than those before, so their warnings are right.",
        words="--data DIR",
    ),
}
