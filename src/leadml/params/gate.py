"""The section of ``params.yaml`` that says what a version must show before it is put in use."""

from __future__ import annotations

from leadml.params.section import Section


class GateParams(Section):
    """What is asked before another version is put in use; see decision 30."""

    approval: bool = False
    """Whether a person must approve of it by name: ``leadml promote --by NAME``, ``leadml rollback --by NAME``."""
