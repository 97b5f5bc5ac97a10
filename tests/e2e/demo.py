"""The whole system on this machine: a service is updated by its package, and
nobody hears of it; its binary is swapped while it runs, and a trap arrives; and
once more, when somebody logs on from there to other hosts: that is a lateral
movement, and a trap of its own. Everything that is started ends with it."""

import os
import sys
import time

import processes
from debian import architecture
from harness import Postgres, Service, copy_binary
from net_host import USER, Site
from packages import made_deb
from processes import BUILD, STATE, Failed, fresh_dir, wait_for
from senders import readme_line
from snmp import Agentx, Snmpd, wait_hashed

HOST, NAME = "web-1", "demo-service"
OTHERS = ["db-1", "vault-1"]
PATH = f"/usr/sbin/{NAME}"
SCAN_INTERVAL_S = 5
GRAPH = BUILD / "lateral-movement.svg"


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

    def printed(self, alert, state="raised"):
        """Show the trap about an alert or a movement."""
        [trap] = wait_for(
            f"a trap of {alert['key']}, {state}",
            lambda: self.central.nms.traps(AlertKey=alert["key"],
                                           AlertState=state))
        show("what snmptrapd printed",
             trap["printed"].replace("\t", "\n    "))

    def set_up(self):
        self.begin("PostgreSQL: a private cluster on a unix socket")
        postgres = Postgres(STATE / "pg").start()
        self.begin("a central host on a network of its own: snmptrapd, the "
                   "correlator and its database")
        self.site = Site(STATE / "site", postgres).start()
        self.central = self.site.central
        self.begin(f"three hosts on it, {HOST}, {' and '.join(OTHERS)}: each this "
                   "machine's own / under an overlay, with sshd and rsyslog")
        self.host, *self.others = hosts = [
            self.site.host(name, options={"ScanInterval": SCAN_INTERVAL_S})
            for name in [HOST, *OTHERS]]
        for host in hosts:
            host.trust(*hosts).start_rsyslog().start_sshd()
        for host in self.others:
            host.start()
        show("in each /etc/rsyslog.conf", readme_line())

    def packages(self):
        """The service in two versions; the central host knows them."""
        self.begin(f"{NAME} 1.0 and 2.0: two packages, made by dpkg-deb")
        place = fresh_dir(self.host.directory / "packages")
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
        digest = self.host.swap(PATH)
        wait_for("the trap", lambda: self.central.nms.traps(
            AlertObservedSha256=digest))
        self.took = time.monotonic() - swapped
        self.alert = self.host.wait_critical(PATH, "not-in-manifest", digest)
        self.printed(self.alert)

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
        self.printed(self.alert, "cleared")

    def move(self):
        """The attacker swaps it again, and goes on to the others."""
        self.begin(f"an attacker swaps {PATH} once more, and logs on with a key "
                   "that lies there")
        swapped = time.monotonic()
        digest = self.host.swap(PATH)
        came_from = self.host
        for host in self.others:
            say(f"          {came_from.name}$ ssh {USER}@{host.name}")
            came_from.logs_on_to(host, target=host.name)
            came_from = host
        found = self.site.wait_movement(observed_sha256=digest)
        self.moved = time.monotonic() - swapped
        self.printed(found)
        wait_for("the whole way", lambda: len(
            self.site.wait_movement()["hops"]) == len(self.others))
        self.begin("what the operator asks")
        correlator = self.central.correlator
        show("process-dna-correlator detections", correlator.run("detections"))
        show(f"process-dna-correlator explain {found['alert_id']}",
             correlator.run("explain", found["alert_id"]))
        correlator.run("detections", "--svg", GRAPH)
        self.begin(f"process-dna-correlator detections --svg {GRAPH}")

    def run(self):
        self.set_up()
        self.packages()
        self.install()
        self.update()
        self.table()
        self.swap()
        self.look()
        self.accept()
        self.move()
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
    say(f"demo: ok (update silent, swap to trap {demo.took:.1f} s, swap to "
        f"lateral movement {demo.moved:.1f} s; its graph: {GRAPH})")
    return 0


if __name__ == "__main__":
    os.chdir(processes.ROOT)
    sys.exit(main())
