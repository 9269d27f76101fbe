"""rq: ``rq_tasks.py PORT`` enqueues jobs and starts the worker that does them."""

from __future__ import annotations

import os
import sys
import time

import redis
from report import Report, same
from rq import Queue
from supervised import Supervised


def double(number: int) -> int:
    return 2 * number


def main() -> None:
    port = sys.argv[1]
    here = os.path.dirname(os.path.abspath(__file__))
    url = f"redis://127.0.0.1:{port}"
    argv = ["-m", "rq.cli", "worker", "--url", url, "--quiet"]
    worker = Supervised([sys.executable, *argv], cwd=here)
    queue = Queue(connection=redis.Redis(port=int(port)))
    report, number = Report(), 0
    try:
        while not report.over.is_set():
            number += 1
            try:
                _one(queue, number, report)
            except Exception as error:
                report.failed(error)
    finally:
        worker.end()


def _one(queue: Queue, number: int, report: Report) -> None:
    job = queue.enqueue("rq_tasks.double", number, job_timeout=30)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not report.over.is_set():
        result = job.latest_result(timeout=1)
        if result is not None:
            same("result", result.return_value, 2 * number)
            report.round()
            return
    if not report.over.is_set():
        raise TimeoutError(f"job {number} has no result: {job.get_status(refresh=True)}")


if __name__ == "__main__":
    main()
