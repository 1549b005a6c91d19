"""The part of a project's Python interface that judges the version in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadml.arguments import file_path, require_suffix
from leadml.bundle.model import Model, load
from leadml.jobs.cuts import CutReview, review_cuts
from leadml.jobs.lead_records import LeadRecords, as_text, current_instant
from leadml.jobs.review import Review, review_version
from leadml.jobs.review_page import build_review_page
from leadml.jobs.rules import RuleReview, judge_rules
from leadml.jobs.store import store_url
from leadml.publish.files import write_text
from leadml.publish.page import render

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path
    from typing import Any


@dataclass(frozen=True, repr=False, eq=False)
class JudgedVersion(LeadRecords):
    """The version in use of a project, and how it is judged."""

    def model(self, version: str | int | None = None) -> Model:
        """Return a stored version, loaded.

        Parameters
        ----------
        version
            The version, as `Model.version` names it; None for the version in use.

        Raises
        ------
        BundleError
            If there is no such version, or one of its files was changed.

        Examples
        --------
        >>> project.model().version, project.model(1).target
        ('1', 'subscribed')
        """
        registry = self.places.registry
        folder = registry.champion_path() if version is None else registry.path(str(version))
        return load(folder, threads=self.places.params.model.threads)

    def cuts(self, rules: Mapping[str, Any] | None = None, *, save: bool = False) -> CutReview:
        """Return what the cuts of the version in use let in, and what other rules would change.

        Parameters
        ----------
        rules
            Rules by stage, as for `leadml.solve_cuts`; stages that are not named keep their cuts. None for none.
        save
            Whether scoring uses the new cuts from now on.

        Raises
        ------
        ParamsError
            If a rule is not valid.
        LeadmlError
            If no cut meets a rule, or the cuts do not rise and params refuse that.

        Examples
        --------
        >>> review = project.cuts({"mql": {"rule": "share", "top": 0.3}})
        >>> review.difference["stage"].tolist(), review.saved
        (['MQL'], 0)
        """
        return review_cuts(self.model(), self.places.params, rules, save=save, now=current_instant())

    def rules(self) -> RuleReview:
        """Return how the business's own rules did, on leads that the version in use was not fitted on.

        Raises
        ------
        LeadmlError
            If params have no rule that can be applied, or the target drives no stage.

        Examples
        --------
        >>> lifted = "stages.rules={sql: {overriding: [{field: poutcome, any_of: [success]}]}}"
        >>> import leadml
        >>> review = leadml.open_project(project.places.root, overrides=[lifted]).rules()
        >>> review.moved["rule"].tolist(), review.ways["way"].unique().tolist()
        (['poutcome is success'], ['model alone', 'rules alone', 'both'])
        """
        return judge_rules(self.model(), self.places, now=current_instant(), progress=self.progress)

    def review(self, as_of: str | date | None = None) -> Review:
        """Judge the scores of the version in use by the outcomes that are known, and keep the verdict in the store.

        Parameters
        ----------
        as_of
            What was known by this date or time is judged; None for now.

        Raises
        ------
        LeadmlError
            If the project has no store, or the store has no score of the version.
        """
        now, day = current_instant(), as_text(as_of)
        return review_version(self.model(), self.places, until=day or now, now=now, progress=self.progress)

    def review_page(self, review: Review, out: str | Path | None = None) -> Path:
        """Write the page of a review, with the verdicts so far, and return its path.

        Parameters
        ----------
        review
            A review that `review` returned.
        out
            File to write, ``.html``; None for ``reports/<target>_review.html``.
        """
        from leadml.publish.store.opening import reading  # noqa: PLC0415 - SQLAlchemy takes time
        from leadml.publish.store.reviews import stored_reviews  # noqa: PLC0415

        path = self.places.reports / f"{review.target}_review.html" if out is None else file_path(out, "out")
        require_suffix(path, ".html")
        with reading(store_url(self.places)) as store:
            past = [] if store is None else stored_reviews(store, review.target)
        write_text(path, render(build_review_page(review, past)))
        return path
