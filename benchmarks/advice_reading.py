"""Cases of advice about files, columns and params of flat leads; see `advice_cases`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advice_cases import case
from advice_leads import write_leads

if TYPE_CHECKING:
    from advice_attempt import Attempt
    from advice_cases import Steps


@case("bring more leads, or set limits.allow_small: true")
def train_with_few(at: Attempt) -> Steps:
    """Train with 600 leads."""
    file = at.folder / "data" / "raw" / "bank.csv"
    file.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:601]), encoding="utf-8")
    yield "leadml train"
    at.set("limits.allow_small", value=True)
    yield "leadml train"


@case("there is no such file; make one with leadml init FILE", base="nothing")
def make_params(at: Attempt) -> Steps:
    """Check a folder without params."""
    write_leads(at, leads=1200)
    yield "leadml check"
    at.follow("leadml init")
    at.do("leadml init leads.csv")
    yield "leadml check"


@case("set data.delimiter: ")
def set_delimiter(at: Attempt) -> Steps:
    """Check a file with another delimiter."""
    file = at.folder / "data" / "raw" / "bank.csv"
    file.write_text(file.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    yield "leadml check"
    at.set("data.delimiter", ";")
    yield "leadml check"


@case("leadml check --verbose shows all")
def show_all(at: Attempt) -> Steps:
    """Check leads of which most findings passed."""
    yield "leadml check"
    at.follow("leadml check --verbose")
    yield "leadml check --verbose"
