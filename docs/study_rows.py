# SPDX-License-Identifier: MIT
"""What the studies of docs/ share: result files whose rows stay until they are made anew."""
import csv


def read_rows(path):
    """The rows of a CSV file; none where it is not there."""
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def kept_rows(path, *key):
    """Lists of rows by the values of these columns."""
    kept = {}
    for row in read_rows(path):
        kept.setdefault(tuple(row[k] for k in key), []).append(row)
    return kept


def write_rows(path, rows):
    """Writes rows of the same columns and says so."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"Wrote {len(rows)} rows to {path}.")
