"""What the tests of fetching speak of: a signed repository, its mirror, and a
correlator that fetches from there."""

from apt_repository import ARCH, Mirror, Repository
from harness import TENANT

EXE = "/usr/bin/served"


def content(text):
    """An executable as far as anybody looks."""
    return b"\x7fELF" + text.encode() * 100


class Site:
    """A repository, its mirror, and a correlator that fetches from there."""

    MANAGER = "dpkg"
    ARCH = ARCH
    make_repository = Repository

    def __init__(self, place, central, signer, **section):
        self.central = central
        self.repository = self.make_repository(place / "repository", signer)
        self.mirror = Mirror(self.repository.directory)
        self.sources = place / "test.sources"
        self.sources.write_text(self.repository.sources(self.mirror.uri))
        self.section = {"manager": self.MANAGER, "sources": self.sources,
                        "keyring": signer.keyring,
                        "architectures": [self.ARCH],
                        **section}
        self.correlator = central.add_correlator(
            fetches={"test": self.section})

    @property
    def root(self):
        return self.correlator.directory / "state/fetch/test"

    def add(self, version, name="served", path=EXE, **kwargs):
        return self.repository.add(name, version, {path: content(version)},
                                   **kwargs)

    def fetch(self, *packages, status=(0, 1)):
        """The lines that it says, as (outcome, package, why)."""
        out = self.correlator.run("manifest", "fetch", "--", *packages,
                                  status=status)
        return [(line.split(" ", 1)[0], *line.split(" ", 1)[1].split(": ", 1))
                for line in out.splitlines()]

    def fetch_one(self, package):
        [(outcome, _, why)] = self.fetch(package)
        # Nothing stays of a download.
        assert list((self.root / "download").glob("*")) == []
        return outcome, why

    def manifests(self, version, name="served"):
        return self.central.sql(
            "SELECT path, sha256, provenance, origin FROM process_dna.manifests"
            f" WHERE package = '{name}' AND version = '{version}'")

    def request(self, name, version, arch=None):
        self.central.sql(
            "SELECT process_dna.manifests_request(process_dna.tenant_id("
            f"'{TENANT}'), ARRAY[('{self.MANAGER}', '{name}', '{version}',"
            f" '{arch or self.ARCH}')"
            "::process_dna.package_key])")

    def state(self, name, version):
        [row] = self.central.sql(
            "SELECT state, coalesce(error, ''), due_at > now() FROM"
            f" process_dna.manifest_requests WHERE package = '{name}'"
            f" AND version = '{version}'")
        return row


def made_sites(kind, place, central, signer):
    """For a fixture: makes sites, and ends them with the test."""
    made = []

    def make(**section):
        made.append(kind(place / f"site{len(made)}", central, signer, **section))
        return made[-1]

    yield make
    for site in made:
        site.mirror.stop()


def fetching_tenant(make_system, manager):
    """A database with a tenant that fetches; no correlator runs."""
    made = make_system()
    made.correlator.migrate()
    made.sql("SELECT process_dna.configure_tenant("
             f"'{TENANT}', 180, 0, 1800, 'critical', '{{{manager}}}')")
    return made
