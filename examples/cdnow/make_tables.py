"""Turn the CDNOW purchase log into three dated tables: python examples/cdnow/make_tables.py.

A customer is a lead that came with the first purchase; every purchase is an activity, and every later one an outcome.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
LOG = HERE.parents[1] / "data" / "raw" / "CDNOW_master.txt.gz"
LARGE = 3


def main(folder: Path = HERE / "data") -> None:
    """Read the log, write the tables to a folder."""
    log = pd.read_csv(LOG, sep=r"\s+", dtype={"customer_id": str, "date": str})
    log["date"] = pd.to_datetime(log["date"], format="%Y%m%d").dt.strftime("%Y-%m-%d")
    log = log.sort_values(["customer_id", "date"], kind="stable")
    first = log.groupby("customer_id").head(1)
    later = log[log["date"] > log["customer_id"].map(first.set_index("customer_id")["date"])]
    leads = first.rename(columns={"date": "created_at", "number_of_cds": "first_cds", "dollar_value": "first_value"})
    large = log[log["number_of_cds"] >= LARGE]
    activities = pd.concat([log.assign(kind="purchase"), large.assign(kind="large_purchase")])
    folder.mkdir(exist_ok=True)
    leads.to_csv(folder / "leads.csv", index=False, lineterminator="\n")
    activities[["customer_id", "date", "kind"]].to_csv(folder / "activities.csv", index=False, lineterminator="\n")
    later[["customer_id", "date"]].drop_duplicates().assign(outcome="purchase").to_csv(
        folder / "outcomes.csv", index=False, lineterminator="\n"
    )
    print(f"{len(leads):,} customers, {len(log):,} purchases: {folder}")


if __name__ == "__main__":
    main()
