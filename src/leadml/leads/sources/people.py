"""Read which leads are one person, from the columns that ``split.same_person`` names.

E-mail addresses, telephone numbers and names are read for this alone and are neither kept nor written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.leads.check.contract import LEAD_ID, Contract
from leadml.leads.check.field import Field
from leadml.leads.check.load import checked_chunks
from leadml.leads.check.same_person import same_people
from leadml.params import normal_name

if TYPE_CHECKING:
    from leadml.leads.read.table_source import TableSource
    from leadml.params import PersonColumns


def read_people(table: TableSource, lead_id: str | None, choices: PersonColumns) -> pd.Series:
    """Return by id the person of each lead that is the same person as another lead; see `same_people`.

    Parameters
    ----------
    table
        The table of leads.
    lead_id
        Column of the id; None if the number of the row is the id.
    choices
        The columns of e-mail address, telephone number and name.

    Raises
    ------
    DataError
        If a column is missing.
    """
    names = [name and normal_name(name) for name in (choices.email, choices.phone, choices.name)]
    fields = tuple(Field(name, "category", "fit") for name in dict.fromkeys(names) if name)
    frames = [checked.frame for checked in checked_chunks(table, Contract(fields, lead_id=lead_id))]
    frame = pd.concat(frames, ignore_index=True)
    nothing = np.full(len(frame), None, dtype=object)
    columns = [frame[name].to_numpy(dtype=object) if name else nothing for name in names]
    return same_people(frame[LEAD_ID].to_numpy(dtype=object), *columns)
