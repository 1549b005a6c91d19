"""Write docs/findings.md from the catalogue of findings: python docs/write_findings.py [--check].

With --check nothing is written, and a page that is out of date is an error.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from leadml.leads.judge.findings import CATALOGUE, Topic
from leadml.model.leaks.gate import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = re.compile(r"[a-z_]+(?:\.[a-z_]+)+(?:: true)?")
PAGE = Path(__file__).with_name("findings.md")
TOP = """# Findings and what to do

`leadml check` and `leadml train` judge the training set before any model is fitted, and `leadml score` compares leads
with those of the training. Each finding has a code, a severity and evidence with numbers; one that warns or stops also
says what to do. This page lists all codes. It is written by `python docs/write_findings.py` from the catalogue in
`leadml.leads.judge.findings` and from the checks of `leadml.model.leaks.gate`, and a test holds that both agree.

| severity | meaning |
|---|---|
| stop | Training refuses. `leadml check` ends with exit code 1. |
| warn | Training goes on; scores are written, and `leadml score` ends with exit code 3. Read the evidence and decide. |
| passed | It was judged, and nothing was found. |
| not applicable | It could not be judged; the evidence says why. This is not the same as passed. |

A finding is about one field or about all leads. *What to do* holds for a finding that warns or stops, and of RV0 for
one that is not applicable; the finding says what to do in the case at hand."""
QUESTIONS: dict[Topic, str] = {
    "readiness": "Are there enough leads, and can the fields be used?",
    "dates": "Do the tables of dated leads fit together, and are outcomes known in time? For dated leads only.",
    "leaks": """Does a field know the outcome? [Decision 16](decisions/0016-leak-gate.md) says how each rule judges,
[leaks](params.md#leaks) lists the limits, and `leaks.accept` accepts a finding with a reason.""",
    "review": """Are the leads that `leadml score` reads like those of the training? They are compared with counts that
the version keeps, by the sizes of [review.changes](params.md#reviewchanges), each raised to what the training's own
leads varied by over time. The scores are written all the same; a warning gives exit code 3. One cause gives one line:
of an empty field nothing else is said, and RV6 only where no field and no stage changed.""",
}


def page() -> str:
    """Return the page."""
    return "\n".join([TOP, *(line for topic in get_args(Topic) for line in _topic(topic))]) + "\n"


def _topic(topic: Topic) -> Iterator[str]:
    """Yield the lines of a topic: a heading, its question and a row for each code."""
    yield from ("", f"## {topic.capitalize()}", "", QUESTIONS[topic], "")
    yield from ("| code | what is judged | what to do |", "|---|---|---|")
    for code, kind in (CATALOGUE | {code: kind for check in CHECKS for code, kind in check.kinds.items()}).items():
        if kind.topic == topic:
            remedy = KEY.sub(lambda key: f"`{key[0]}`", kind.remedy)
            yield f"| {code} | {kind.title} | {remedy} |"


def main() -> None:
    """Write the page, or say that it is out of date."""
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit("docs/findings.md is out of date; run python docs/write_findings.py")


if __name__ == "__main__":
    main()
