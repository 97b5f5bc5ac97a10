"""Verdicts beside a store of ten million digests, in a cluster of its own that is
removed afterwards. Run by itself it prints its figures."""

import sys

from common import WORK, figures_of_script, say


def measure_store():
    say("ten million digests, some minutes")
    return figures_of_script("store", "bench_manifests.sql")


def store_rows(figures):
    return [
        ("digests in the store of manifests", figures["manifests_rows"], None,
         ""),
        ("  its size with indexes, MiB", figures["manifests_mib"], None, ""),
        ("  1000 verdicts, listed, ms", figures["manifests_listed"], None,
         "< 50"),
        ("  1000 verdicts, listed otherwise, ms", figures["manifests_other"],
         None, "< 50"),
        ("  1000 verdicts, of releases, ms", figures["manifests_release"],
         None, "< 50"),
        ("  CPU time of 1000 verdicts, ms", figures["manifests_cpu"], None,
         "< 50"),
        ("  1000 taken in and committed, ms", figures["manifests_ingest"],
         None, ""),
    ]


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    for name, value in measure_store().items():
        sys.stdout.write(f"{name} {value:g}\n")
