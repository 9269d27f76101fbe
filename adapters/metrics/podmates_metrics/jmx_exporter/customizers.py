"""Labels from attributes, and values that no bean has: `metricCustomizers` of a jmx_exporter file. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from podmates_metrics.jmx.javavalues import Value
from podmates_metrics.jmx.objectname import ObjectName
from podmates_metrics.jmx_exporter.rules import string, unknown
from podmates_metrics.tree import Keys, Place, Scalar, Tree, keys


@dataclass(frozen=True, slots=True)
class Extra:
    """A value that a bean is made to have."""

    name: str
    value: Value
    description: str | None


@dataclass(frozen=True, slots=True)
class Customizer:
    """What is added to the samples of the beans of a domain that have all these properties."""

    domain: str
    properties: tuple[tuple[str, str], ...]
    labels: tuple[str, ...]  # attributes whose values become labels
    extras: tuple[Extra, ...]

    def fits(self, name: ObjectName) -> bool:
        """Whether the bean is one of those."""
        return name.domain == self.domain and all(name.get(key) == value for key, value in self.properties)


def decode_customizers(items: tuple[Tree, ...]) -> tuple[tuple[Customizer, ...], list[str]]:
    """Return the customizers, and the keys that mean nothing.

    Raises:
        Fault: the first thing that is wrong.
    """
    made, notes = [], []
    for index, item in enumerate(items):
        entry = keys(item, Place(f"metricCustomizers[{index}]", item.line), "customizer")
        notes += unknown(entry, ("mbeanFilter", "attributesAsLabels", "extraMetrics"))
        made.append(_customizer(entry))
    return tuple(made), notes


def _customizer(entry: Keys) -> Customizer:
    wanted = entry.table_at("mbeanFilter", "mbeanFilter")
    domain = wanted.scalar("domain", string, "") if wanted else ""
    if wanted is None or not domain:
        raise entry.place("mbeanFilter").fault("domain is missing")
    properties = tuple(wanted.texts_at("properties").items())
    labels = []
    for item in entry.list_at("attributesAsLabels"):
        if not isinstance(item, Scalar) or item.tag != "str":
            raise entry.place("attributesAsLabels").fault("want names of attributes")
        labels.append(item.text)
    extras = [_extra(item, entry.place("extraMetrics").path) for item in entry.list_at("extraMetrics")]
    if not labels and not extras:
        raise entry.place().fault("want attributesAsLabels or extraMetrics")
    return Customizer(domain, properties, tuple(labels), tuple(extras))


def _extra(item: Tree, path: str) -> Extra:
    entry = keys(item, Place(path, item.line), "extra metric")
    name = entry.scalar("name", string, "")
    value = entry.scalar("value", _value, None)
    if not name or value is None:
        raise entry.place().fault("want a name and a value")
    return Extra(name, value, entry.scalar("description", string, None))


def _value(scalar: Scalar) -> Value:
    """Return a number, truth value or text as YAML takes it."""
    if scalar.tag == "bool":
        return scalar.text.lower() in ("true", "yes", "on", "y")
    if scalar.tag == "int":
        return _whole(scalar.text.replace("_", ""))
    if scalar.tag == "float":
        return float(scalar.text.lower().replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
    return scalar.text


def _whole(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        return int(text, 8)  # a leading 0 means octal digits to YAML 1.1
