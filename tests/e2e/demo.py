"""The whole system on this machine: a service's binary is swapped while it
runs, and a trap arrives. Everything that is started ends with it."""

import os
import sys
import time

import processes
from collectd_packet import identity
from harness import Collectd, Postgres, Service, copy_binary, swap
from host import System, sha256_of
from processes import STATE, Failed, fresh_dir, wait_for
from snmp import Agentx, Snmpd, wait_hashed

HOST = "demo-host"
SCAN_INTERVAL_S = 5


def say(text):
    print(text, flush=True)


def show(title, text):
    say(f"\n--- {title}")
    say(text.rstrip("\n"))
    say("---\n")


def path_text(path):
    """As the database and the traps have it."""
    return identity(os.fsencode(path))


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
        self.begin("a service: a copy of /bin/sleep")
        self.path = fresh_dir(STATE / "service") / "nginx"
        copy_binary(self.path)
        self.service = Service.of(self.path)
        self.begin("collectd with process_dna.so: every process of this "
                   f"machine, each {SCAN_INTERVAL_S} s")
        Collectd.agent(HOST, STATE / "collectd", self.central.ports,
                       options={"ScanInterval": SCAN_INTERVAL_S}).start()
        self.begin("waiting until the service's baseline stands")
        wait_for("the service's baseline", lambda: self.baseline() == [
            [sha256_of(self.path), "first-use"]], 60)
        count = self.central.value("SELECT count(*) FROM process_dna.baselines")
        say(f"          {count} executables of this machine have one")

    def baseline(self):
        return self.central.sql(
            "SELECT sha256, grade FROM process_dna.baselines "
            f"WHERE until IS NULL AND path = '{path_text(self.path)}'")

    def swap(self):
        self.begin(f"swapping {self.path} by rename; "
                   f"process {self.service.pid} runs on")
        swapped = time.monotonic()
        swap(self.path, b"not what the administrator installed")
        [alert] = wait_for("the trap", lambda: [
            t for t in self.central.nms.traps(AlertExePath=path_text(self.path))
            if t["notification"] == "pdnaBinaryChanged"])
        self.took = time.monotonic() - swapped
        [self.alert] = self.central.alerts(HOST, path_text(self.path))
        self.printed(self.alert, "pdnaBinaryChanged")
        assert alert["pdnaAlertSeverity"] == "critical"

    def look(self):
        self.begin("what the operator asks")
        correlator = self.central.correlator
        show("process-dna-correlator alerts", correlator.run("alerts"))
        show(f"process-dna-correlator explain {self.alert['alert_id']}",
             correlator.run("explain", self.alert["alert_id"]))

    def table(self):
        self.begin("the same over SNMP: snmpd, and process-dna-agentx beside it")
        snmpd = Snmpd(STATE / "snmpd").start()
        Agentx.of(STATE / "agentx", snmpd, [self.path]).start()
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
    say(f"demo: ok (swap to trap {demo.took:.1f} s)")
    return 0


if __name__ == "__main__":
    os.chdir(processes.ROOT)
    sys.exit(main())
