#!/bin/sh
# Python 3.11.7 and 3.13.0: `queue.SimpleQueue().get(timeout=…)` can wait forever.
#
# After a look at its lock, the C code takes what is left of the timeout. If the time has already passed, that is negative, which means
# "without a timeout" to the lock. It happens if a very short timeout passes before the wait begins, and in 3.11 if a signal handler
# returns after the timeout, as after SIGSTOP and SIGCONT with a handler for SIGCONT. One would expect queue.Empty.
# `threading.Lock.acquire(timeout=…)` returns.
#
# Seen:
#   SimpleQueue.get(timeout=1e-6), up to 20000 times: waits
#   Lock.acquire(timeout=1e-6), 20000 times: returns
# Exit status: 0 while it is so, 1 when it has changed.
set -u
result() { if timeout 20 python3 -c "$1"; then echo returns; else echo waits; fi; }
got=$(result '
import queue
for _ in range(20_000):
    try:
        queue.SimpleQueue().get(timeout=1e-6)
    except queue.Empty:
        pass')
locked=$(result '
import threading
for _ in range(20_000):
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=1e-6)')
echo "SimpleQueue.get(timeout=1e-6), up to 20000 times: $got"
echo "Lock.acquire(timeout=1e-6), 20000 times: $locked"
[ "$got" = waits ] && [ "$locked" = returns ]
