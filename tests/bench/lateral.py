"""The search for lateral movement beside the article's query, on ten million auth
events. Run by itself it prints its figures."""

import sys

from common import WORK, figures_of_script, say


def measure_lateral():
    say("ten million auth events, a quarter of an hour")
    return figures_of_script("lateral", "bench_lateral.sql")


def lateral_rows(figures):
    return [
        ("auth events, in ninety days", figures["lateral_events"], None, ""),
        ("  their size with indexes, MiB", figures["lateral_mib"], None, ""),
        ("  unexplained alerts", figures["lateral_alerts"], None, ""),
        ("  a cycle of lateral movement, ms; without history",
         figures["lateral_known"], figures["lateral_few"], "< 10"),
        ("    never analyzed", figures["lateral_new"],
         figures["lateral_few"], "< 10"),
        ("    the longest", figures["lateral_worst"], None, ""),
        ("    CPU time, mean", figures["lateral_cpu"], None, ""),
        ("  the article's query, ms, with indexes",
         figures["lateral_query"], None, ""),
        ("  the same with none, ms, at most ten minutes",
         figures["lateral_query_bare"], None, ""),
        ("  all alerts anew, ms for each", figures["lateral_all"], None, ""),
    ]


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    for name, value in measure_lateral().items():
        sys.stdout.write(f"{name} {value:g}\n")
