"""What a correlator costs that polls 1000 simulated SNMP agents with 30
executables each every minute, with a dead SNMPv3 agent among them: its CPU
time over two minutes, and how late polls are. Lines of `name value unit`.

poll.py BUILD-FOLDER WORK-FOLDER CONNINFO"""

import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from snmp_agent import Executable, Responder, SnmpAgent, digest  # noqa: E402

AGENTS, EXECUTABLES, INTERVAL = 1000, 30, 60
WARM_S, MEASURED_S = 90, 120


class Timed(SnmpAgent):
    """Remembers when its polls began and ended."""

    def message(self, request):
        now = time.monotonic()
        if now - getattr(self, "seen", 0) > INTERVAL / 2:
            self.begun = now
            self.polls = getattr(self, "polls", 0) + 1
        self.seen = now
        self.took = now - self.begun
        return super().message(request)


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def write_config(path, work, conninfo, agents, dead):
    state = work / "poll-state"
    state.mkdir(exist_ok=True)
    v3 = ("-v 3 -u u -l authPriv -a SHA-256 -A 'some passphrase' -x AES "
          f"-X 'some passphrase' 127.0.0.1:{dead.port}")
    sessions = {f"p{i}": f"-v 2c -c public 127.0.0.1:{a.port}"
                for i, a in enumerate(agents)} | {"dead": v3}
    path.touch(0o600)
    path.write_text(
        f'database = "{conninfo}"\ntenant = "poll"\nstate-dir = "{state}"\n' +
        "".join(f'snmp-poll {name} {{\n  session = "{session}"\n'
                f"  interval = {INTERVAL}\n}}\n"
                for name, session in sessions.items()))


def main():
    build, work, conninfo = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    responder = Responder()
    agents = [responder.add(Timed(f"host{i}", [
        Executable(f"/usr/sbin/{e}", digest(str(e))) for e in range(EXECUTABLES)],
        interval=INTERVAL - 5)) for i in range(AGENTS)]
    dead = responder.add(SnmpAgent("dead"))
    dead.away = True
    responder.start()
    config = work / "poll.conf"
    write_config(config, work, conninfo, agents, dead)
    correlator = subprocess.Popen(
        [build / "process-dna-correlator", "-c", config, "run"],
        stderr=open(work / "poll.log", "w"))
    try:
        time.sleep(WARM_S)  # each agent was read once, and is known
        polls = sum(getattr(a, "polls", 0) for a in agents)
        begun, cpu = time.monotonic(), cpu_s(correlator.pid)
        time.sleep(MEASURED_S)
        seconds = time.monotonic() - begun
        cpu = cpu_s(correlator.pid) - cpu
        polls = sum(getattr(a, "polls", 0) for a in agents) - polls
        took = sorted(a.took for a in agents if hasattr(a, "took"))
        print(f"poll_cpu {100 * cpu / seconds:.3f} percent")
        print(f"poll_done {100 * polls / (AGENTS * seconds / INTERVAL):.1f} percent")
        print(f"poll_median {1000 * took[len(took) // 2]:.2f} ms")
        print(f"poll_worst {1000 * took[-1]:.2f} ms")
    finally:
        correlator.terminate()
        correlator.wait(timeout=30)
        responder.stop()


main()
