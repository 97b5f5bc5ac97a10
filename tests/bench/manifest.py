"""Reading packages beside dpkg-deb and sha256sum, on real ones of the
machine's own mirror. Run by itself it prints its figures."""

import resource
import statistics
import subprocess
import sys
import time

from common import BUILD, RUNS, WORK, say

# What the tests need anyway, so that each mirror has them.
PACKAGES = ["git", "postgresql-15", "cppcheck", "shellcheck"]


def download():
    """The packages' files, kept from run to run."""
    folder = WORK / "debs"
    folder.mkdir(parents=True, exist_ok=True)
    for name in PACKAGES:
        if not list(folder.glob(f"{name}_*.deb")):
            subprocess.run(["apt-get", "download", "-qq", name], cwd=folder,
                           check=True, stderr=subprocess.DEVNULL)
    return sorted(folder.glob("*.deb"))


def unpacked_bytes(deb):
    tar = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb],
                           stdout=subprocess.PIPE)
    total = sum(len(block) for block in iter(lambda: tar.stdout.read(1 << 20),
                                             b""))
    if tar.wait() != 0:
        raise RuntimeError(f"dpkg-deb: {deb}")
    return total


def timed(command):
    """Elapsed and CPU time of a command, in seconds."""
    def cpu():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    begun, cpu_begun = time.monotonic(), cpu()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun, cpu() - cpu_begun


def measure_manifest():
    say("manifest import")
    debs = download()
    config = WORK / "manifest.conf"
    config.touch(0o600)
    config.write_text('database = ""\n')
    megabytes = sum(map(unpacked_bytes, debs)) / 1e6
    ours = [BUILD / "process-dna-correlator", "-c", config, "manifest", "import",
            "--dry-run", *debs]
    theirs = ["sh", "-c", "for deb; do dpkg-deb --fsys-tarfile \"$deb\" | "
              "sha256sum; done", "sh", *debs]
    runs = [(timed(ours), timed(theirs)) for _ in range(RUNS)]

    def rate(of, which):
        return megabytes / statistics.median(run[of][which] for run in runs)
    return {"manifest_ours": rate(0, 0), "manifest_dpkg": rate(1, 0),
            "manifest_ours_cpu": rate(0, 1), "manifest_dpkg_cpu": rate(1, 1)}


def manifest_rows(figures):
    return [
        ("import, MB/s unpacked; dpkg-deb | sha256sum",
         figures["manifest_ours"], figures["manifest_dpkg"], ""),
        ("  MB for a second of CPU", figures["manifest_ours_cpu"],
         figures["manifest_dpkg_cpu"], ""),
    ]


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    for name, value in measure_manifest().items():
        sys.stdout.write(f"{name} {value:.1f} MB/s\n")
