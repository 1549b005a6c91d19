"""Recognise targets and fields that are about credit, housing, insurance or work, by the words of their names.

A score that decides about these falls under stricter law than one that decides whom to call. Names decide, so there are
false alarms and missed ones: a person must decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.errors import inert
from leadml.leads.judge.findings import Finding
from leadml.leads.judge.name_words import name_words

if TYPE_CHECKING:
    from collections.abc import Sequence

# Words of names by what they are about, without accents, in the languages of `outcome_words`. Words with a common other
# meaning are not among them: a premium plan, a policy, a job title.
ABOUT = {
    "credit": "bonitat bonite credit credito creditworthiness credits debt debts hypotek hypotheek hypothek hypotheque "
    "kredit kredite loan loans mortgage mortgages mutuo prestamo prestito pret schufa underwriting",
    "housing": "housing landlord lodging logement loyer miete mieter rent rental tenancy tenant vermieter vivienda "
    "wohnung",
    "insurance": "assicurazione assurance insurance insured insurer seguro versicherung verzekering",
    "work": "applicant applicants bewerber bewerbung candidat candidate candidates candidato employment hire hired "
    "hiring recruiting recruitment salary sollicitant vacancy",
}
# By what the EU AI Act (Annex III) and the law of the United States name.
LAW = {
    "credit": "EU AI Act, Annex III 5(b); US Equal Credit Opportunity Act",
    "housing": "US Fair Housing Act",
    "insurance": "EU AI Act, Annex III 5(c)",
    "work": "EU AI Act, Annex III 4; US Title VII",
}


def subject_of(name: str) -> str | None:
    """Return which of credit, housing, insurance and work a name is about, or None.

    Examples
    --------
    >>> subject_of("LoanAmount__c"), subject_of("Mieter seit"), subject_of("job")
    ('credit', 'housing', None)
    """
    words = set(name_words(name))
    return next((about for about, known in ABOUT.items() if words & set(known.split())), None)


def judge_uses(targets: Sequence[str], fields: Sequence[str]) -> list[Finding]:
    """Return the findings RD13 of targets and fields that are about credit, housing, insurance or work.

    Parameters
    ----------
    targets
        Names of what is predicted, and of its column; of one subject the first is named.
    fields
        Names of the columns that fields come from.
    """
    subjects = {subject_of(name): name for name in reversed(targets)}
    targeted = {about: name for about, name in subjects.items() if about is not None}
    findings = [
        Finding("RD13", "warn", f"the target {inert(name)} is about {about}", _remedy(about))
        for about, name in targeted.items()
    ]
    found = {name: about for name in fields if (about := subject_of(name))}
    findings += [Finding("RD13", "warn", f"is about {about}", _remedy(about), name) for name, about in found.items()]
    if findings:
        return findings
    evidence = "no name is about credit, housing, insurance or work, on which decisions fall under stricter law"
    return [Finding("RD13", "passed", evidence)]


def _remedy(about: str) -> str:
    return f"let the score say whom to call, and not who gets {about} or on which terms ({LAW[about]})"
