import itertools

import pytest

import processes
from debian_host import DebianHost
from apt_repository import Signer
from harness import Postgres, Service
from host import Host, System
from net_host import Site
from processes import STATE, Failed, fresh_dir
from snmp import Agentx, Snmpd, wait_sequence

_numbers = itertools.count(1)


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes twenty seconds and more")


def is_worker(config):
    """Are we one of the workers that pytest-xdist starts?"""
    return hasattr(config, "workerinput")


def pytest_sessionstart(session):
    if is_worker(session.config):
        # As what it started itself, a worker ends with who started it.
        processes.die_with_parent()
    elif not session.config.option.collectonly:
        try:
            lock = processes.lock_state()
        except Failed as failure:
            raise pytest.UsageError(failure) from None
        session.config.add_cleanup(lock.close)


def shares(item):
    """Does a test use what is made once for all of its module?"""
    return any(made[-1].scope == "module"
               for made in item._fixtureinfo.name2fixturedefs.values())


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config, items):
    """What shares something stays together in one worker; all else goes where
    there is room. What takes long is begun first, or it would end alone."""
    if not is_worker(config):
        return
    for item in items:
        if shares(item):
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))
    items.sort(key=lambda item: not any(
        map(item.get_closest_marker, ("xdist_group", "long"))))


@pytest.fixture(scope="session", autouse=True)
def state_directory():
    """Everything of a worker is below it, and what was started ends with it."""
    processes.end_all_at_exit()
    yield STATE
    processes.stop_everything()


@pytest.fixture(scope="session")
def postgres(state_directory):
    cluster = Postgres(state_directory / "pg").start()
    yield cluster
    cluster.stop()


def _maker(postgres):
    """Makes central hosts; takes what System takes."""
    made = []

    def make(**kwargs):
        made.append(System(STATE / f"s{next(_numbers)}", postgres, **kwargs))
        return made[-1]

    yield make
    for central in made:
        central.stop()
    postgres.resume()


@pytest.fixture(scope="module")
def make_module_system(postgres):
    yield from _maker(postgres)


@pytest.fixture
def make_system(postgres):
    yield from _maker(postgres)


@pytest.fixture(scope="module")
def system(make_module_system):
    """A central host, running, which the tests of a module share."""
    return make_module_system().start()


@pytest.fixture
def make_host(request):
    """Makes monitored hosts for one test, each with a name of its own."""
    made = []

    def make(central, **kwargs):
        test = request.node.name.removeprefix("test_").replace("_", "-")
        name = test[:50] + (f"-{len(made) + 1}" if made else "")
        made.append(Host(name, STATE / f"h{next(_numbers)}", central, **kwargs))
        return made[-1]

    yield make
    for host in made:
        host.stop()


@pytest.fixture
def make_debian_host(request):
    """Makes monitored hosts that are Debian roots."""
    made = []

    def make(central, **kwargs):
        test = request.node.name.removeprefix("test_").replace("_", "-")
        name = f"{test[:50]}-{len(made) + 1}"
        made.append(DebianHost(name, STATE / f"d{next(_numbers)}", central,
                               **kwargs))
        return made[-1]

    yield make
    for host in made:
        host.stop()


@pytest.fixture
def make_site(postgres):
    """Makes central hosts with a network of their own, for hosts on it."""
    made = []

    def make(**system):
        made.append(Site(STATE / f"n{next(_numbers)}", postgres, **system))
        return made[-1]

    yield make
    for site in made:
        site.stop()


@pytest.fixture
def site(make_site):
    return make_site().start()


@pytest.fixture
def host(system, make_host):
    return make_host(system)


@pytest.fixture(scope="module")
def make_signer(state_directory):
    made = []

    def make(name):
        # Short: a socket's path is below it.
        made.append(Signer(STATE / f"gpg{next(_numbers)}", name))
        return made[-1]

    yield make
    for signer in made:
        signer.stop()


@pytest.fixture(scope="module")
def signer(make_signer):
    """The one whose keys are trusted."""
    return make_signer("owner")


@pytest.fixture(scope="module")
def stranger(make_signer):
    """Another one."""
    return make_signer("stranger")


@pytest.fixture
def place(state_directory):
    """A directory of a test's own."""
    return fresh_dir(STATE / f"p{next(_numbers)}")


@pytest.fixture
def snmpd(place):
    """A master agent, running."""
    master = Snmpd(place / "snmpd").start()
    yield master
    master.stop()


@pytest.fixture
def start(place, snmpd):
    """Starts a subagent that looks at what is in bin/; to be called once."""
    started = []
    fresh_dir(place / "bin")

    def start_agent(**directives):
        agent = Agentx.of(place / "agentx", snmpd, [f"{place}/bin/*"],
                          **directives).start()
        started.append(agent)
        wait_sequence(snmpd, 0)
        return agent

    yield start_agent
    for agent in started:
        agent.stop()


@pytest.fixture
def services():
    """Starts services; they end with the test."""
    running = []

    def run(path, *args, **kwargs):
        running.append(Service([path, *args], **kwargs))
        return running[-1]

    yield run
    for service in running:
        service.stop()


@pytest.fixture(autouse=True)
def no_sanitizer_report(state_directory):
    yield
    reports = [r for r in (log.new_sanitizer_report()
                           for log in processes.Log.all) if r]
    if reports:
        pytest.fail("\n".join(reports), pytrace=False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What failed is shown with the ends of the logs."""
    report = (yield).get_result()
    if report.when == "setup":
        item.began = call.start
    if report.failed:
        # A file's time is up to a tick of the clock behind.
        for name, tail in processes.log_tails(since=item.began - 1):
            report.sections.append((name, tail))
        if call.excinfo and call.excinfo.errisinstance(Failed):
            report.sections.insert(0, ("what failed", str(call.excinfo.value)))
