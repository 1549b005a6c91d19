"""The section of ``params.yaml`` that says what a version must show before it takes the place of the one in use."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from leadml.params.section import Count, Section, Share


class GateParams(Section):
    """What a challenger must show; see decision 30."""

    approval: bool = False
    """Whether a person must approve of it by name: ``leadml promote --by NAME``, ``leadml rollback --by NAME``."""
    least_gain: Annotated[Share, Field(le=0.5)] = 0.02
    """The least gain that matters, as a share of the log loss of the version in use. The fewer, the more leads must be
    known before a challenger is judged."""
    floor: Annotated[float, Field(ge=0, le=0.5)] = 0.005
    """The gain that must at least be measured, as a share of the log loss: what another seed alone may bring."""
    power: Annotated[float, Field(ge=0.5, lt=1)] = 0.8
    """The probability with which a gain of that size is found."""
    confidence: Annotated[float, Field(ge=0.8, lt=1)] = 0.95
    """Of each one-sided test: 5% of challengers that are no better seem to be."""
    looks: Literal[1, 2, 3, 4, 5] = 1
    """How often a challenger is judged on its way to the planned number of leads, at even distances; the first looks
    must show more (O'Brien and Fleming)."""
    attempts: Count = 4
    """Challengers with other choices that are judged in a year; of twelve that are no better, one in two years would
    seem to be."""
    margin: Annotated[float, Field(ge=0, le=1)] = 0.02
    """By which part of the log loss the calibration, or any slice, must be worse before that alone refuses."""
    slice_leads: Count = 200
    """Slices with fewer leads are not judged: among many small ones some always look bad."""
    slice_conversions: Count = 20
    """Slices with fewer conversions are not judged, for the same reason."""
    slower: Annotated[float, Field(ge=1, le=1000)] = 3.0
    """How many times as long as the version in use it may take for the same leads."""
    megabytes: Annotated[float, Field(gt=0, le=10_000)] = 50.0
    """How large the files of a version may be, in millions of bytes."""
