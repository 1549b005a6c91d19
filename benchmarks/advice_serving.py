"""Cases of advice about versions that are in use or want to be, and about what is published; see `advice_cases`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advice_cases import case

if TYPE_CHECKING:
    from advice_attempt import Attempt
    from advice_cases import Steps

CHAMPION = "models/subscribed/champion"  # the file that names the version in use
PROMOTE = ["leadml", "promote", "2"]
OTHER_SEED = "leadml train --set split.seed=1"  # a second version, as good as the first


@case("must name versions that exist", "trained bank")
def name_a_version_that_is_there(at: Attempt) -> Steps:
    """Edit the file of the version in use, and name one that does not exist."""
    (at.folder / CHAMPION).write_text("7\n", encoding="utf-8")
    yield "leadml status"
    at.follow("leadml promote VERSION --ungated --reason REASON")
    at.do(["leadml", "promote", "1", "--ungated", "--reason", "the file was edited"])
    yield "leadml status"


@case("train one first (leadml train)")
def train_first(at: Attempt) -> Steps:
    """Ask for the status before there is a version."""
    yield "leadml status"
    at.follow("leadml train")
    at.do("leadml train")
    yield "leadml status"


@case("there is no other; train one", "trained bank")
def train_another(at: Attempt) -> Steps:
    """Put a second version in use before there is one."""
    yield [*PROMOTE, "--ungated", "--reason", "newer leads"]
    at.follow("with other choices")
    at.prepare("split.seed", 1)
    at.follow("leadml train")
    at.do("leadml train")
    yield [*PROMOTE, "--ungated", "--reason", "newer leads"]


@case("must be whole to judge another beside it", "trained bank")
def replace_a_damaged_version(at: Attempt) -> Steps:
    """Promote a second version after a file of the one in use was changed."""
    at.do(OTHER_SEED)
    with (at.folder / "models/subscribed/1/evaluation.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    yield PROMOTE
    at.follow("leadml promote 2 --ungated --reason REASON")
    yield [*PROMOTE, "--ungated", "--reason", "the files of version 1 were changed"]


@case("to tell which are later than the training", "trained bank")
def promote_without_dates(at: Attempt) -> Steps:
    """Promote a version of leads that have no dates."""
    at.do(OTHER_SEED)
    yield PROMOTE
    at.follow("--ungated --reason REASON")
    yield [*PROMOTE, "--ungated", "--reason", "newer leads"]


@case("(to use it all the same: leadml promote", "trained stream")
def promote_what_the_gate_refuses(at: Attempt) -> Steps:
    """Promote a version that has not been judged on enough leads."""
    at.do(OTHER_SEED)
    yield PROMOTE
    at.follow("--ungated --reason REASON")
    yield [*PROMOTE, "--ungated", "--reason", "newer leads"]


@case("save (--save) must come with a rule", "trained bank")
def save_with_a_rule(at: Attempt) -> Steps:
    """Save cuts without a rule."""
    yield "leadml cuts --save"
    at.follow("--rule")
    yield "leadml cuts --save --rule share=0.2"


@case("leads must have been handed over", "trained bank")
def hand_over(at: Attempt) -> Steps:
    """Ask what became of the leads before any was handed over."""
    yield "leadml handoff"
    at.follow("leadml score")
    at.do("leadml score data/raw/bank.csv -o scored.csv")
    at.follow("leadml handoff --out FILE")
    at.do("leadml handoff --out sales.csv")
    yield "leadml handoff"


@case("the store must have scores of version", "trained bank")
def score_before_a_review(at: Attempt) -> Steps:
    """Review a version that has scored nothing."""
    yield "leadml review"
    at.follow("leadml score")
    at.do("leadml score data/raw/bank.csv -o scored.csv")
    yield "leadml review"


@case("none yet: leadml train --target", "trained crm")
def train_the_other_target(at: Attempt) -> Steps:
    """Ask for the status while one of two targets has no version."""
    sql = {"outcome": "sql", "horizon": 30, "drives": ["iql", "mql", "sql"]}
    at.prepare("targets", {"sql": sql, "mql": {"outcome": "mql", "horizon": 30}})
    at.prepare("limits.allow_small", value=True)
    at.prepare("model.max_rounds", 20)
    yield "leadml status"
    at.follow("leadml train --target mql")
    at.do("leadml train --target mql")
    yield "leadml status"


@case("deltalake is not installed", "trained bank")
def write_parquet(at: Attempt) -> Steps:
    """Write a Delta table without its library."""
    with at.without("deltalake"):
        yield "leadml score data/raw/bank.csv -o scored.delta"
        at.follow("write .parquet")
        yield "leadml score data/raw/bank.csv -o scored.parquet"


@case("XlsxWriter is not installed", "trained bank")
def write_csv(at: Attempt) -> Steps:
    """Write a workbook without its library."""
    with at.without("xlsxwriter"):
        yield "leadml score data/raw/bank.csv -o scored.xlsx"
        at.follow("write .csv")
        yield "leadml score data/raw/bank.csv -o scored.csv"


@case("cuts must rise, got")
def say_what_to_do_where_cuts_cross(at: Attempt) -> Steps:
    """Train with a rule of SQL that lets in more leads than that of MQL."""
    at.prepare("stages.sql", {"rule": "share", "top": 0.3})
    yield "leadml train"
    at.set("stages.crossing", "raise")
    yield "leadml train"


@case("for rules to be judged, got none", "crm")
def let_the_target_drive_stages(at: Attempt) -> Steps:
    """Judge rules by a version of a target that drives no stage."""
    at.prepare("targets", {"sql": {"outcome": "sql", "horizon": 30, "drives": []}})
    at.prepare("limits.allow_small", value=True)
    at.prepare("model.max_rounds", 20)
    at.prepare("stages.sql", {"rule": "share", "top": 0.1})
    at.prepare("stages.rules", {"mql": {"overriding": [{"field": "demo_request_30d", "at_least": 1}]}})
    at.do("leadml train")
    yield "leadml rules"
    at.set("targets.sql.drives", ["iql", "mql", "sql"])
    at.follow("leadml train")
    at.do("leadml train")
    at.follow("leadml promote")
    at.do([*PROMOTE, "--ungated", "--reason", "the target drives the stages"])
    yield "leadml rules"
