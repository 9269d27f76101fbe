"""The usual ``jvm_*`` and ``process_*`` metrics, from the platform's beans. No I/O.

The names and types are those of the Java client library of Prometheus, so that dashboards made for an
agent inside the JVM work unchanged. What needs more than reading attributes is not here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from podmates_metrics.jmx.javatext import as_double
from podmates_metrics.jmx.javavalues import JavaObject, Value, pairs
from podmates_metrics.jmx.objectname import ObjectName
from podmates_metrics.sources.base import Family, Kind, Sample

DOMAINS = ("java.lang", "java.nio")
RUNTIME = "java.lang:type=Runtime"
PROPERTIES = "SystemProperties"  # of RUNTIME: read once a session


class Row(NamedTuple):
    """Where a metric comes from: an attribute, or an item of a composite one, of beans of a type."""

    metric: str
    kind: Kind
    source: str  # type of the bean / attribute / item
    help: str
    per: float = 1  # units of the attribute in one of the metric
    label: str = ""  # which takes the property `name` of the bean
    fixed: tuple[tuple[str, str], ...] = ()
    suffix: str = ""


_ITEMS = {
    "used": "Bytes in use",
    "committed": "Bytes that the system has given to the JVM",
    "max": "Bytes that may be used at most, -1 without a limit",
    "init": "Bytes asked for at the start",
}


def _memory() -> Iterator[Row]:
    for item, help in _ITEMS.items():
        for area, attribute in (("heap", "HeapMemoryUsage"), ("nonheap", "NonHeapMemoryUsage")):
            source = f"Memory/{attribute}/{item}"
            fixed = (("area", area),)
            yield Row(f"jvm_memory_{item}_bytes", "gauge", source, f"{help}, by memory area.", fixed=fixed)
        source, text = f"MemoryPool/Usage/{item}", f"{help}, by memory pool."
        yield Row(f"jvm_memory_pool_{item}_bytes", "gauge", source, text, label="pool")
        source, text = (
            f"MemoryPool/CollectionUsage/{item}",
            f"{help} after the last collection, by memory pool.",
        )
        yield Row(f"jvm_memory_pool_collection_{item}_bytes", "gauge", source, text, label="pool")


_SPENT = "Collections of a garbage collector and the seconds they took."
ROWS = (
    *_memory(),
    Row(
        "jvm_memory_objects_pending_finalization",
        "gauge",
        "Memory/ObjectPendingFinalizationCount",
        "Objects in the finalizer queue.",
    ),
    Row(
        "jvm_gc_collection_seconds",
        "summary",
        "GarbageCollector/CollectionCount",
        _SPENT,
        1,
        "gc",
        (),
        "_count",
    ),
    Row(
        "jvm_gc_collection_seconds",
        "summary",
        "GarbageCollector/CollectionTime",
        _SPENT,
        1e3,
        "gc",
        (),
        "_sum",
    ),
    Row("jvm_threads_current", "gauge", "Threading/ThreadCount", "Live threads."),
    Row("jvm_threads_daemon", "gauge", "Threading/DaemonThreadCount", "Live daemon threads."),
    Row("jvm_threads_peak", "gauge", "Threading/PeakThreadCount", "The most threads that lived at a time."),
    Row("jvm_threads_started_total", "counter", "Threading/TotalStartedThreadCount", "Threads ever started."),
    Row("jvm_classes_currently_loaded", "gauge", "ClassLoading/LoadedClassCount", "Classes loaded now."),
    Row("jvm_classes_loaded_total", "counter", "ClassLoading/TotalLoadedClassCount", "Classes ever loaded."),
    Row("jvm_classes_unloaded_total", "counter", "ClassLoading/UnloadedClassCount", "Classes ever unloaded."),
    Row(
        "jvm_compilation_time_seconds_total",
        "counter",
        "Compilation/TotalCompilationTime",
        "Seconds spent in compilation to machine code.",
        1e3,
    ),
    Row(
        "jvm_buffer_pool_used_bytes",
        "gauge",
        "BufferPool/MemoryUsed",
        "Bytes in use, by buffer pool.",
        1,
        "pool",
    ),
    Row(
        "jvm_buffer_pool_capacity_bytes",
        "gauge",
        "BufferPool/TotalCapacity",
        "Bytes that the buffers can hold, by buffer pool.",
        1,
        "pool",
    ),
    Row("jvm_buffer_pool_used_buffers", "gauge", "BufferPool/Count", "Buffers, by buffer pool.", 1, "pool"),
    Row(
        "process_cpu_seconds_total",
        "counter",
        "OperatingSystem/ProcessCpuTime",
        "Seconds of processor time that the JVM has used.",
        1e9,
    ),
    Row(
        "process_start_time_seconds",
        "gauge",
        "Runtime/StartTime",
        "When the JVM was started, in seconds since 1970.",
        1e3,
    ),
    Row("process_open_fds", "gauge", "OperatingSystem/OpenFileDescriptorCount", "Open file descriptors."),
    Row("process_max_fds", "gauge", "OperatingSystem/MaxFileDescriptorCount", "File descriptors at most."),
    Row(
        "process_virtual_memory_bytes",
        "gauge",
        "OperatingSystem/CommittedVirtualMemorySize",
        "Bytes of virtual memory of the JVM.",
    ),
)
_INFO = {"version": "java.runtime.version", "vendor": "java.vm.vendor", "runtime": "java.runtime.name"}


def standard_families(
    beans: Mapping[str, tuple[ObjectName, Mapping[str, Value]]], properties: Mapping[str, str]
) -> list[Family]:
    """Return the standard metrics.

    Args:
        beans: what was read, by the name of the bean.
        properties: the system properties of the JVM; empty when they could not be read.
    """
    by_type: dict[str, list[tuple[ObjectName, Mapping[str, Value]]]] = {}
    for name, values in beans.values():
        if name.domain in DOMAINS:
            by_type.setdefault(name.get("type") or "", []).append((name, values))
    families: dict[str, Family] = {}
    for row in ROWS:
        kind, *path = row.source.split("/")
        for name, values in by_type.get(kind, ()):
            value = _dig(values, path)
            if value is not None:
                family = families.setdefault(row.metric, Family(row.metric, row.kind, row.help))
                labels = ((row.label, name.get("name") or ""),) if row.label else row.fixed
                family.samples.append(Sample(labels, as_double(value / row.per), row.suffix))
    if properties:
        info = Family("jvm_runtime_info", "gauge", "The Java runtime.")
        info.add(1.0, **{key: properties.get(source, "") for key, source in _INFO.items()})
        families[info.name] = info
    for family in families.values():
        family.samples.sort(key=lambda sample: (sample.labels, sample.suffix))
    return list(families.values())


def _dig(values: Mapping[str, Value], path: list[str]) -> int | float | None:
    value = values.get(path[0])
    if len(path) == 2:
        inside = pairs(value.fields.get("contents")) if isinstance(value, JavaObject) else []
        value = dict(inside).get(path[1])
    return value if isinstance(value, int | float) else None


def system_properties(value: Value) -> dict[str, str]:
    """Return the entries of the attribute `SystemProperties`, a table of key and value."""
    if not isinstance(value, JavaObject):
        return {}
    found: dict[str, str] = {}
    for _, row in pairs(value.fields.get("dataMap")):
        cells = dict(pairs(row.fields.get("contents"))) if isinstance(row, JavaObject) else {}
        key, text = cells.get("key"), cells.get("value")
        if isinstance(key, str) and isinstance(text, str):
            found[key] = text
    return found
