# SPDX-License-Identifier: MIT
"""What the studies of docs/ share: work that is not done again, and result files whose rows stay until they are made anew."""
import csv
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent


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


def run(*words, **options):
    subprocess.run([str(word) for word in words], check=True, **options)


def trained(o, recipe, *words):
    """The folder in o.work where a recipe of ours has been run, to its end; weights that are in the repository are taken from there. The program goes on from its checkpoint, and refuses one of another recipe."""
    folder = o.work / recipe
    folder.mkdir(parents=True, exist_ok=True)
    shipped = ROOT / "examples" / "weights" / "trained" / f"{recipe}.safetensors"
    if shipped.exists():
        shutil.copyfile(shipped, folder / "weights.safetensors")
    else:
        run(o.program, "train", ROOT / "examples" / "recipes" / f"{recipe}.json", *words, "--out", folder, "--threads", o.threads, cwd=o.work)
    return folder


def struck(o, out, *words):
    """The rows of a campaign in a folder. The journal there knows which trials of this very plan have been run: asked otherwise, it is another."""
    run(o.program, *words, "--seed", "1", "--threads", o.threads, "--out", out)
    return read_rows(out / "results.csv")


def write_rows(path, rows):
    """Writes rows of the same columns and says so."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"Wrote {len(rows)} rows to {path}.")
