"""Runs commands for bench/run.py and measures each.

A process of its own because the kernel counts what a process was before its exec: started from a
large Python, the smallest program has a peak memory of 26 MiB. Started as `python3 -I -S`, this one
adds nothing to programs of more than 9 MiB.

Requests and answers are lines of JSON: {argv, env, cwd, output} and {rc, ms, cpu_ms, mib}.
"""

import json
import os
import sys
import time


def run(request):
    os.chdir(request["cwd"])
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    began = time.perf_counter()
    pid = os.posix_spawnp(request["argv"][0], request["argv"], request["env"], file_actions=[
        (os.POSIX_SPAWN_DUP2, nothing, 0), (os.POSIX_SPAWN_DUP2, output, 1),
        (os.POSIX_SPAWN_DUP2, output, 2)])
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    os.close(output)
    os.close(nothing)
    return {"rc": os.waitstatus_to_exitcode(status), "ms": wall * 1000,
            "cpu_ms": (usage.ru_utime + usage.ru_stime) * 1000, "mib": usage.ru_maxrss / 1024}


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
