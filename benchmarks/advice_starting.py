"""Cases of advice about the first steps: a label, params, a simulated CRM, a first training; see `advice_cases`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advice_cases import case
from advice_leads import day, prepare_small, visits, write_leads

from leadml import propose_params

if TYPE_CHECKING:
    from advice_attempt import Attempt
    from advice_cases import Steps

SMALL = "leadml check --set limits.allow_small=true"  # judges leads that are too few for a training by default


@case(": read it, correct it, then run leadml check", base="nothing")
def check_what_was_proposed(at: Attempt) -> Steps:
    """Propose params under another name."""
    write_leads(at, leads=1200)
    yield "leadml init leads.csv --out leads.yaml"
    at.follow("run leadml check --params leads.yaml")
    yield "leadml check --params leads.yaml"


@case("must be a new file, got one that exists; name another with --out, or replace it with --force", base="nothing")
def name_other_params(at: Attempt) -> Steps:
    """Propose params where there are some."""
    write_leads(at)
    at.do("leadml init leads.csv")
    yield "leadml init leads.csv"
    at.follow("--out")
    at.do("leadml init leads.csv --out other.yaml")
    if at.refused:
        raise ValueError(at.output)
    at.follow("--force")
    yield "leadml init leads.csv --force"


@case("# What leadml does with these leads. Proposed by leadml init", base="nothing")
def train_on_what_was_proposed(at: Attempt) -> Steps:
    """Read the first line of proposed params."""
    write_leads(at, leads=300)
    yield lambda: propose_params(at.folder / "leads.csv")
    at.follow("leadml init")
    at.do("leadml init leads.csv")
    at.follow("correct it")
    at.prepare("limits.allow_small", value=True)
    at.prepare("tracking.enabled", value=False)
    at.follow("run leadml train")
    yield "leadml train"


@case("no column says by its name and values which leads converted", base="nothing")
def name_a_label(at: Attempt) -> Steps:
    """Propose params for leads whose outcome has an unusual name and unusual values."""
    write_leads(at, header="id,verdict,visits", values=("good", "bad"))
    yield "leadml init leads.csv"
    at.follow("--label")
    at.follow("--positive")
    yield "leadml init leads.csv --label verdict --positive good"


@case("both seem to say which leads converted, and they disagree", base="nothing")
def choose_a_label(at: Attempt) -> Steps:
    """Propose params for leads with two outcomes."""
    lines = [f"A{n},{'no' if n % 3 else 'yes'},{'no' if n % 2 else 'yes'},{n % 7}" for n in range(200)]
    (at.folder / "leads.csv").write_text("\n".join(["id,won,converted,visits", *lines]), encoding="utf-8")
    yield "leadml init leads.csv"
    at.follow("leadml init FILE --label 'won'")
    yield "leadml init leads.csv --label won"


@case("it is open which values of ", base="nothing")
def name_the_positive_values(at: Attempt) -> Steps:
    """Name a label with as many values as teams have reasons."""
    reasons = [f"reason {n}" for n in range(25)]
    lines = [f"A{n},{reasons[n % 25]},{n % 7}" for n in range(500)]
    (at.folder / "leads.csv").write_text("\n".join(["id,verdict,visits", *lines]), encoding="utf-8")
    yield "leadml init leads.csv --label verdict"
    at.follow("--positive")
    yield ["leadml", "init", "leads.csv", "--label", "verdict", "--positive", "reason 3"]


@case(" is their date, name it: leadml init FILE --date ", base="nothing")
def name_the_date(at: Attempt) -> Steps:
    """Propose params for leads with two dates, neither named like that of an inquiry."""
    lines = [f"A{n},{'no' if n % 3 else 'yes'},{day(n)},{day(n + 30)},{n % 7}" for n in range(200)]
    (at.folder / "leads.csv").write_text("\n".join(["id,won,when,meeting,visits", *lines]), encoding="utf-8")
    yield "leadml init leads.csv --out first.yaml"
    at.follow("--date 'when'")
    yield "leadml init leads.csv --out second.yaml --date when"


@case("of which none says whether the day or the month comes first", base="nothing")
def say_the_order_of_dates(at: Attempt) -> Steps:
    """Propose params for leads whose days are all the twelfth or earlier."""
    lines = [f"A{n},{'no' if n % 3 else 'yes'},{1 + n % 12:02}/{1 + n // 12 % 12:02}/2025,{n % 7}" for n in range(200)]
    (at.folder / "leads.csv").write_text("\n".join(["id,won,created,visits", *lines]), encoding="utf-8")
    yield "leadml init leads.csv"
    at.follow("--date-format day_first")
    yield "leadml init leads.csv --date-format day_first"


@case("write leadml simulate crm FOLDER", base="nothing")
def name_what_is_simulated(at: Attempt) -> Steps:
    """Simulate as one did when there was one simulation."""
    few = "--leads 200 --months 2"
    yield f"leadml simulate demo {few}"
    at.follow("leadml simulate crm FOLDER")
    yield f"leadml simulate crm demo {few}"


@case("raise split.test_share, or bring more leads of the rarer outcome", base="nothing")
def raise_the_share_of_the_holdout(at: Attempt) -> Steps:
    """Check leads of whom so few converted that the holdout has none."""
    write_leads(at, leads=400, every=40)
    at.do("leadml init leads.csv")
    at.prepare("split.test_share", 0.02)
    yield SMALL
    at.set("split.test_share", 0.4)
    yield SMALL


@case("and set there what is said above", base="nothing")
def write_the_params(at: Attempt) -> Steps:
    """Check a file without params."""
    write_leads(at)
    yield "leadml check leads.csv"
    at.follow("leadml init leads.csv")
    at.do("leadml init leads.csv")
    at.set("limits.allow_small", value=True)
    yield "leadml check leads.csv"


@case("are warnings; leadml check shows them", base="nothing")
def see_the_warnings(at: Attempt) -> Steps:
    """Train with a field whose name is that of an outcome."""
    lines = [f"A{n},{'no' if n % 3 else 'yes'},{visits(n, won=n % 3 == 0)},{n * 7919 % 101}" for n in range(300)]
    prepare_small(at, "id,won,visits,call duration", *lines)
    yield "leadml train"
    at.follow("leadml check shows them")
    shown = at.do("leadml check")
    if "move it to features.excluded" not in shown:
        raise ValueError(shown)
    at.params(lambda chosen: chosen["features"]["engagement"].pop("call duration"))
    at.prepare("features.excluded", {"call duration": "known after the deal"})
    yield "leadml train"


@case("leadml scores no leads with it; to use it all the same, leadml train --accept-weak", base="nothing")
def accept_a_weak_version(at: Attempt) -> Steps:
    """Train on leads whose only field tells nothing."""
    lines = [f"A{n},{'no' if n % 3 else 'yes'},{n * 7919 % 101}" for n in range(300)]
    prepare_small(at, "id,won,visits", *lines)
    yield "leadml train"
    at.follow("leadml train --accept-weak")
    yield ["leadml", "train", "--accept-weak", "a first look"]


@case("to put it in use, once the gate lets it pass: leadml promote ", base="nothing")
def ask_the_gate(at: Attempt) -> Steps:
    """Train another version beside the one in use, and pass over the gate, which has no later leads to judge it by."""
    lines = [f"A{n},{'no' if n % 3 else 'yes'},{visits(n, won=n % 3 == 0)},{day(n // 3)}" for n in range(900)]
    prepare_small(at, "id,won,visits,created", *lines)
    at.do("leadml train")
    again = "leadml train --set split.seed=1"
    yield again
    at.follow("leadml promote 2")
    shown = at.do("leadml promote 2")
    if "to use it all the same: leadml promote 2 --ungated --reason REASON" not in shown:
        raise ValueError(shown)
    at.do("leadml promote 2 --ungated --reason trial")
    yield again


@case("to put it in use without a gate, which would need leads with dates", base="trained bank")
def put_a_version_in_use(at: Attempt) -> Steps:
    """Train another version of leads without dates beside the one in use."""
    train = "leadml train --set split.seed=1"
    yield train
    at.follow("leadml promote 2 --ungated --reason")
    at.do("leadml promote 2 --ungated --reason trial")
    yield train
