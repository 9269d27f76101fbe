"""A real Java program with a few MBeans, reachable over JMX on loopback."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.ports import free_port
from tests.support.processes import Process, environment
from tests.support.programs import need

SOURCES = Path(__file__).parent / "java"


def need_java() -> str:
    """Return the path of ``java``, or skip."""
    return need("java", "default-jre-headless")


def compiled(source: str) -> Path:
    """Return a folder with the classes of ``java/<source>.java``, compiled once per content; or skip."""
    path = SOURCES / f"{source}.java"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"podmates-java-{os.getuid()}-{digest}"
    if not folder.exists():
        compiler = need("javac", "default-jdk-headless")
        fresh = Path(tempfile.mkdtemp(prefix="podmates-java-"))
        subprocess.run([compiler, "-d", str(fresh), str(path)], check=True, env=environment(), timeout=300)
        try:
            fresh.rename(folder)  # whole or not at all, also when two tests compile at once
        except OSError:
            shutil.rmtree(fresh)
    return folder


class Jvm:
    """A running ``java/<source>.java``; up, with its beans registered, when the constructor returns.

    Attributes:
        port: of JMX; the RMI registry and the connector are on the same one.
    """

    def __init__(
        self,
        source: str = "Beans",
        *,
        port: int = 0,
        properties: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        java = need_java()
        self.port = port or free_port()
        settings = {
            "com.sun.management.jmxremote.host": "127.0.0.1",
            "com.sun.management.jmxremote.port": str(self.port),
            "com.sun.management.jmxremote.rmi.port": str(self.port),
            "com.sun.management.jmxremote.authenticate": "false",
            "com.sun.management.jmxremote.ssl": "false",
            "java.rmi.server.hostname": "127.0.0.1",
            **(properties or {}),
        }
        defined = [f"-D{name}={value}" for name, value in settings.items()]
        small = ["-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
        argv = [java, *small, *defined, "-cp", str(compiled(source)), source, *arguments]
        self.process = Process(argv)
        try:
            self.process.wait_line("^ready", timeout=60)
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The JMX service URL."""
        return f"service:jmx:rmi:///jndi/rmi://{self.address}/jmxrmi"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.process.close()


def observed_beans() -> Jvm:
    """Return a JVM with the beans that jmx_exporter's pages were observed of."""
    table = Path(__file__).with_name("jmx_beans.tsv")
    return Jvm("Constant", properties={"file.encoding": "UTF-8"}, arguments=[str(table)])
