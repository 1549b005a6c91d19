"""What a source of leads answers, flat or dated: the training set, the leads as of an instant, one lead, outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    import pandas as pd

    from leadml.leads.sources.leads_as_of import LeadsAsOf
    from leadml.leads.sources.scored_pairs import ScoredPairs
    from leadml.leads.sources.training_set import TrainingSet
    from leadml.types import Progress


class LeadSource(Protocol):
    """A source of leads; each method reads the source again."""

    def training(self, *, progress: Progress) -> TrainingSet:
        """Return the labelled training set.

        Raises
        ------
        DataError
            If a row does not fit its declaration.
        ModelError
            If no snapshot is mature, or one side of the split has no rows.
        """

    def later(self, since: int, *, progress: Progress) -> pd.DataFrame:
        """Return labelled rows of the leads whose outcomes became known after an instant.

        Of a group (a person or an account) of which any label was known by then there is no row.

        Parameters
        ----------
        since
            The instant, microseconds.
        progress
            Called with the name of each step as it begins.

        Returns
        -------
        DataFrame
            The columns of `TrainingSet.frame`; without a row where there is no such lead.

        Raises
        ------
        DataError
            If a row does not fit its declaration.
        LeadmlError
            If leads have no dates.
        ModelError
            If no snapshot is mature.
        """

    def at(self, as_of: str | None, *, progress: Progress, rows: int) -> AbstractContextManager[LeadsAsOf]:
        """Give the leads as of an instant until the block ends, at most ``rows`` at a time.

        Parameters
        ----------
        as_of
            A date or a time in ISO 8601 for dated leads; None for flat leads.
        progress
            Called with the name of each step as it begins.
        rows
            Maximum number of rows in a chunk.

        Raises
        ------
        DataError
            If the source cannot be read. A row with a fault is no error: the chunks contain the fault.
        LeadmlError
            If the instant is missing, not allowed or in the future.
        """

    def find(self, lead_id: str, as_of: str | None, *, progress: Progress) -> pd.DataFrame:
        """Return the row of one lead as of an instant: the row that `at` gives, for the leads that `at` gives.

        Raises
        ------
        DataError
            If there is no such lead, one of its rows has a fault, or it is outside the population.
        """

    def labels(self, scores: ScoredPairs, *, progress: Progress) -> pd.DataFrame:
        """Return what became of leads that were scored, as far as it is known.

        Returns
        -------
        frame
            ``lead_id, as_of, split_key, converted`` and ``fitted`` (whether the version may have been fitted on the
            row) and the attributes (as `ScoredPairs.columns` names them), one row for each pair whose label is
            known. Of flat leads ``as_of`` is that of the score.

        Raises
        ------
        DataError
            If the source cannot be read, or a row of flat leads does not fit its declaration.
        LeadmlError
            If an attribute is none that a lead has, or flat leads have no ids.
        """

    def stamp(self, as_of: str | None) -> Mapping[str, str]:
        """Return the column and value that name the instant of all leads: ``as_of``; empty for flat leads.

        Raises
        ------
        LeadmlError
            If the instant is missing, not allowed or in the future.
        """
