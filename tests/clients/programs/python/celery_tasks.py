"""Celery, broker and results in Redis: ``celery_tasks.py PORT`` sends tasks to a worker of its own."""

from __future__ import annotations

import os
import sys

from celery import Celery
from report import Report, same
from supervised import Supervised

PORT = os.environ.get("REDIS_PORT") or sys.argv[1]
app = Celery("celery_tasks", broker=f"redis://127.0.0.1:{PORT}/1", backend=f"redis://127.0.0.1:{PORT}/2")
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 60},
    task_acks_late=True,
    worker_prefetch_multiplier=1,
)


@app.task
def double(number: int) -> int:
    return 2 * number


def main() -> None:
    argv = ["-A", "celery_tasks", "worker", "--pool=threads", "-c", "2", "--loglevel=WARNING", "-E"]
    here = os.path.dirname(os.path.abspath(__file__))
    worker = Supervised(
        [sys.executable, "-m", "celery", *argv], cwd=here, env={**os.environ, "REDIS_PORT": PORT}
    )
    report, number = Report(), 0
    try:
        while not report.over.is_set():
            number += 1
            try:
                same("result", double.delay(number).get(timeout=20), 2 * number)
                report.round()
            except Exception as error:
                report.failed(error)
    finally:
        worker.end()


if __name__ == "__main__":
    main()
