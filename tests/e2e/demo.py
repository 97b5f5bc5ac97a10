"""The whole system on this machine: a service is updated by its package, and
nobody hears of it; its binary is swapped while it runs, and a trap arrives.
Everything that is started ends with it."""

import os
import sys
import time

import processes
from debian import architecture
from debian_host import DebianHost
from harness import Postgres, Service, copy_binary
from host import System
from packages import made_deb
from processes import STATE, Failed, fresh_dir, wait_for
from snmp import Agentx, Snmpd, wait_hashed

HOST, NAME = "demo-host", "demo-service"
PATH = f"/usr/sbin/{NAME}"
SCAN_INTERVAL_S = 5


def say(text):
    print(text, flush=True)


def show(title, text):
    say(f"\n--- {title}")
    say(text.rstrip("\n"))
    say("---\n")


class Demo:
    def __init__(self):
        self.step = "starting"
        self.began = time.monotonic()

    def begin(self, step):
        self.step = step
        say(f"[{time.monotonic() - self.began:5.1f} s] {step}")

    def printed(self, alert, notification):
        trap = wait_for(
            f"{notification} at snmptrapd", lambda: next(
                (t for t in self.central.nms.traps(AlertKey=alert["key"])
                 if t["notification"] == notification), None))
        show("what snmptrapd printed",
             trap["printed"].replace("\t", "\n    "))

    def set_up(self):
        self.begin("PostgreSQL: a private cluster on a unix socket")
        postgres = Postgres(STATE / "pg").start()
        self.begin("snmptrapd, the correlator and its database")
        self.central = System(STATE / "central", postgres).start()
        self.begin("a host: this machine's own /, under an overlay and in "
                   "namespaces of its own, where dpkg may do as it likes")
        self.host = DebianHost(HOST, STATE / "host", self.central, lower="/",
                               options={"ScanInterval": SCAN_INTERVAL_S})

    def packages(self):
        """The service in two versions; the central host knows them."""
        self.begin(f"{NAME} 1.0 and 2.0: two packages, made by dpkg-deb")
        place = fresh_dir(STATE / "host/packages")
        sleep = open("/bin/sleep", "rb").read()
        self.debs = [made_deb(place, NAME, version, {PATH: sleep + version.encode()},
                              architecture())
                     for version in ("1.0", "2.0")]
        self.begin("the central host learns what they ship")
        show("process-dna-correlator manifest import", self.central.correlator.run(
            "manifest", "import", *self.debs))

    def install(self):
        self.begin(f"the host installs {NAME} 1.0 with dpkg, and runs it; "
                   f"collectd with process_dna.so looks each {SCAN_INTERVAL_S} s")
        self.host.root.run("dpkg", "-i", self.debs[0])
        self.service = self.host.run_inside(PATH, "86400")
        self.host.start()
        self.host.wait_known("manifest")

    def update(self):
        self.begin(f"the host updates to {NAME} 2.0 with dpkg; the service "
                   "runs on")
        self.host.root.run("dpkg", "-i", self.debs[1])
        self.host.wait_known("manifest")
        self.host.wait_scans(2)
        assert self.central.correlator.json("alerts", "--all") == []
        assert self.central.nms.traps() == []
        show("process-dna-correlator alerts",
             self.central.correlator.run("alerts"))
        show("process-dna-correlator alerts --restart-pending",
             self.central.correlator.run("alerts", "--restart-pending"))
        self.begin("the service is restarted into the new version")
        self.service.restart()
        self.host.wait_scans(1)
        assert self.host.restart_pending() == set()
        say("          no alert, no trap")

    def swap(self):
        [pid] = wait_for("the service", self.service.pids)
        self.begin(f"an attacker swaps {PATH} by rename; process {pid} runs on")
        swapped = time.monotonic()
        self.host.swap(PATH)
        [trap] = wait_for("the trap", lambda: [
            t for t in self.central.nms.traps(AlertExePath=PATH)
            if t["notification"] == "pdnaBinaryChanged"])
        self.took = time.monotonic() - swapped
        [self.alert] = self.host.alerts(PATH)
        self.printed(self.alert, "pdnaBinaryChanged")
        assert trap["pdnaAlertSeverity"] == "critical"

    def look(self):
        self.begin("what the operator asks")
        correlator = self.central.correlator
        show("process-dna-correlator alerts", correlator.run("alerts"))
        show(f"process-dna-correlator explain {self.alert['alert_id']}",
             correlator.run("explain", self.alert["alert_id"]))

    def table(self):
        self.begin("a host over SNMP: snmpd, and process-dna-agentx beside it")
        path = fresh_dir(STATE / "service") / "nginx"
        copy_binary(path)
        Service.of(path)
        snmpd = Snmpd(STATE / "snmpd").start()
        Agentx.of(STATE / "agentx", snmpd, [path]).start()
        wait_hashed(snmpd, 1)
        show("snmptable PROCESS-DNA-MIB::pdnaProcessTable", snmpd.run(
            "snmptable", "-Ci", "-Cb", "-Cw", "110",
            "PROCESS-DNA-MIB::pdnaProcessTable", mibs="PROCESS-DNA-MIB"))

    def accept(self):
        number = self.alert["alert_id"]
        self.begin(f"process-dna-correlator accept {number} --why 'my own doing'")
        self.central.correlator.run("accept", number, "--why", "my own doing")
        self.printed(self.alert, "pdnaAlertCleared")

    def run(self):
        self.set_up()
        self.packages()
        self.install()
        self.update()
        self.swap()
        self.look()
        self.table()
        self.accept()
        self.begin("cleaning up")
        processes.stop_everything()


def main():
    processes.end_all_at_exit()
    demo = Demo()
    try:
        lock = processes.lock_state()
        demo.run()
        lock.close()
    except (Failed, AssertionError, OSError) as failure:
        say(f"\ndemo: failed: {demo.step}\n{failure}")
        for name, tail in processes.log_tails():
            show(name, tail)
        return 1
    say(f"demo: ok (update silent, swap to trap {demo.took:.1f} s)")
    return 0


if __name__ == "__main__":
    os.chdir(processes.ROOT)
    sys.exit(main())
