# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The hot path in C: `podmates_metrics.statsd.hot` with the same names and the same results.

Lines seen before are found in a hash table of our own, keyed by the bytes around the value, and their
numbers are read and added without making a Python object. Everything else goes to the slow path.

Who may touch what: table and state are read and written under `LOCK`, since a receiver's thread uses them
without the interpreter's lock. Nobody waits for the interpreter while holding `LOCK`. The table itself
(bind, clear, grow) is changed by Python's side only, which thus may look into it without.
"""
include "common.pxi"
include "numbers.pxi"
include "sparse.pxi"
include "cells.pxi"
include "table.pxi"
include "intake.pxi"
include "backlog.pxi"
include "receiver.pxi"
include "text.pxi"
