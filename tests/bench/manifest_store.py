"""Verdicts beside a store of ten million digests, in a cluster of its own that is
removed afterwards. Run by itself it prints its figures."""

import shutil
import subprocess
import sys

from common import BUILD, ROOT, WORK, figures_of, say


def measure_store():
    say("ten million digests, some minutes")
    cluster = WORK / "postgres-store"
    shutil.rmtree(cluster, ignore_errors=True)
    script = ["sh", ROOT / "tests/postgres.sh"]
    try:
        conninfo = subprocess.run([*script, "start", cluster], check=True,
                                  stdout=subprocess.PIPE,
                                  text=True).stdout.strip()
        config = WORK / "store.conf"
        config.touch(0o600)
        config.write_text(f'database = "{conninfo}"\nstate-dir = "{WORK}"\n')
        subprocess.run([BUILD / "process-dna-correlator", "-c", config,
                        "migrate"], check=True, stdout=subprocess.DEVNULL)
        return figures_of(subprocess.run(
            ["psql", "-X", "-d", conninfo, "-f",
             ROOT / "tests/bench/bench_manifests.sql"],
            check=True, stdout=subprocess.PIPE, text=True).stdout)
    finally:
        subprocess.run([*script, "stop", cluster], check=False)
        shutil.rmtree(cluster, ignore_errors=True)


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
