"""A configuration with a mistake in it: a message with file and line, exit
status 2, nothing started."""

import os
import subprocess

import pytest

from processes import CORRELATOR, free_port, wait_for

GOOD = """\
database = "host=/nonexistent dbname=none"
state-dir = "{state}"
collectd {{
  listen = {{"127.0.0.1:{port}"}}
  auth-file = "{auth}"
  max-skew = 600
  relay "proxy" {{
    hosts = {{"edge-*"}}
  }}
}}
trap-sink nms {{
  session = "-v 2c -c public 127.0.0.1:9"
}}
policy {{
  silent = 180
}}
"""


def change(old, new):
    assert old in GOOD
    return GOOD.replace(old, new, 1)


# what is wrong, the text, the line, what the message must name
WRONG = [
    ("unknown key", change("  max-skew", "  min-skew"), 6, "min-skew"),
    ("doubled key", change("  max-skew = 600", "  max-skew = 600\n  max-skew = 60"),
     7, "max-skew"),
    ("doubled section", GOOD + "policy {{\n  silent = 180\n}}\n", 17, "policy"),
    ("doubled sink",
     GOOD + 'trap-sink nms {{\n  session = "-v 2c -c p 127.0.0.1"\n}}\n', 17, "nms"),
    ("unclosed section", GOOD.rstrip("}\n"), 14, "expected }"),
    ("number out of bounds", change("600", "0"), 6, "max-skew"),
    ("word for a number", change("600", "soon"), 6, "max-skew"),
    ("list for a number", change("600", "{{600}}"), 6, "{"),
    ("unknown level", change("  max-skew = 600", '  security-level = "full"'),
     6, "security-level"),
    ("no port", change(":{port}", ""), 4, "listen"),
    ("passphrase missing", change("-v 2c -c public", "-v 3 -u me -l authPriv"),
     12, "session"),
    ("options of the library", change("-v 2c", "-v 2c -Dall"), 12, "session"),
    ("logging options", change("-v 2c", "-v 2c -Lf /tmp/x"), 12, "session"),
    ("mib options", change("-v 2c", "-v 2c -m ALL"), 12, "session"),
]


@pytest.fixture
def checked(tmp_path, state_directory):
    port = free_port()

    def run(text, mode=0o600, command=("agents",)):
        auth = tmp_path / "auth"
        auth.write_text("agents: password\n")
        auth.chmod(0o600)
        (tmp_path / "state").mkdir(exist_ok=True)
        config = tmp_path / "correlator.conf"
        config.write_text(text.format(port=port, auth=auth,
                                      state=tmp_path / "state"))
        config.chmod(mode)
        done = subprocess.run([CORRELATOR, "-c", config, *command],
                              capture_output=True, text=True, timeout=60)
        return done.returncode, done.stderr, config
    return run


@pytest.mark.parametrize("what, text, line, names", WRONG,
                         ids=[w[0].replace(" ", "-") for w in WRONG])
def test_mistake_in_the_configuration(checked, what, text, line, names):
    # The untouched one is read: only its database is out of reach.
    status, _, _ = checked(GOOD)
    assert status == 3
    status, message, config = checked(text)
    assert status == 2
    assert f"{config}:{line}: " in message and names in message


def test_secrets_that_others_can_read_are_refused(checked):
    assert checked(GOOD)[0] == 3
    status, message, config = checked(GOOD, mode=0o644)
    assert status == 2 and str(config) in message


def test_help_needs_no_configuration(tmp_path):
    done = subprocess.run([CORRELATOR, "-c", tmp_path / "none", "accept", "-h"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "Usage: " in done.stdout


@pytest.mark.parametrize("command", [
    ("accept", "5", "--why", "-h"), ("accept", "5", "--why", "--help"),
    ("agents", "rebind", "--user", "-h", "x"), ("explain", "--", "-h")])
def test_the_value_of_an_option_asks_for_no_help(checked, command):
    assert checked(GOOD, command=command)[0] == 3  # its database is away


@pytest.mark.parametrize("command, said, see", [
    (("statsu",), 'unknown command "statsu"', ""),
    (("run", "now"), 'run: unknown argument "now"', "run "),
    (("migrate", "-x"), "migrate: invalid option -- 'x'", "migrate "),
    (("manifest", "import", "--now"),
     "manifest import: unrecognized option '--now'", "manifest import "),
    (("alerts", "--all", "--restart-pending"),
     "alerts: expected one of --all and --restart-pending", "alerts "),
])
def test_wrong_usage_says_where_the_help_is(checked, command, said, see):
    status, message, _ = checked(GOOD, command=command)
    assert status == 2
    assert message == (f"process-dna-correlator: {said}\n"
                       f"Try 'process-dna-correlator {see}--help'.\n")


@pytest.mark.parametrize("make", [
    pytest.param(lambda path: None, id="missing"),
    pytest.param(os.mkdir, id="folder"),
    pytest.param(os.mkfifo, id="fifo"),
])
def test_configuration_that_is_no_file(tmp_path, make):
    path = tmp_path / "correlator.conf"
    make(path)
    done = subprocess.run([CORRELATOR, "-c", path, "run"],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and str(path) in done.stderr


PLUGIN_WRONG = [
    ("ScanIntervall", "1"), ("ScanInterval", "0"), ("ScanInterval", '"soon"'),
    ("MinRSS", "-1"), ("AlwaysRoot", "7"), ("RehashInterval", '"x"'),
]


@pytest.mark.parametrize("key, value", PLUGIN_WRONG)
def test_mistake_in_the_plugins_configuration(system, make_host, key, value):
    """An unknown or bad option is reported with its name and refused."""
    host = make_host(system)
    host.established(host.binary())
    wrong = make_host(system, options={key: value})
    wait_for("said", lambda: any(
        key in line and "process_dna" in line
        for line in wrong.collectd.log.text().splitlines()))
    host.wait_scans(2)
    assert system.last_observed(wrong.name) == 0
