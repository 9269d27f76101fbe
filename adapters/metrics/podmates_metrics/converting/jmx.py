"""jmx_exporter's files in the native form: the same series from the same beans.

What the native form has no words for is refused with its place, never left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from podmates_metrics.converting.groups import named as with_names
from podmates_metrics.converting.writing import AS_IT_IS, Keys, document
from podmates_metrics.jmx.naming import label, safe
from podmates_metrics.jmx.target import parse_target
from podmates_metrics.jmx_exporter.configuration import Configuration, decode
from podmates_metrics.jmx_exporter.javaregex import DOT, translate
from podmates_metrics.jmx_exporter.patterns import Template
from podmates_metrics.jmx_exporter.rules import Rule
from podmates_metrics.tree import Fault, Listing, Place, Scalar, Table, Tree, keys
from podmates_metrics.tree import Keys as Read

SOURCE = "jvm"
Groups = Mapping[str, str]  # names by number
_PREFIX = "p"  # of captures, which have numbers only
_ALL = frozenset({"", ".*", "^.*$", "(.*)", "^.*", ".*$", ".+"})  # patterns that match whatever there is
_FOREIGN = re.compile(r"[^a-zA-Z0-9:_]+")
# Keys that say how the JVM is reached or the page served: native files have other ways, or none.
_REFUSED = {
    "username": f"a native jmx source sends no password; {AS_IT_IS}",
    "password": f"a native jmx source sends no password; {AS_IT_IS}",
    "ssl": f"a native jmx source has no TLS; {AS_IT_IS}",
    "metricCustomizers": "the native form has no labels from attributes of a bean",
    "httpServer": "the web port is said by the flags --web.*",
    "openTelemetry": "a native file has a section otlp of its own; leave this one out",
    "startDelaySeconds": "the native form has no delay",
    "scrapeTimeoutSeconds": "the native form has no limit for one JVM; the flag --source.timeout is for all",
}
_SELECTION = (  # native key, the file's, the file's old one
    ("include", "includeObjectNames", "whitelistObjectNames"),
    ("exclude", "excludeObjectNames", "blacklistObjectNames"),
    ("include_attributes", "includeObjectNameAttributes", ""),
    ("exclude_attributes", "excludeObjectNameAttributes", ""),
)


def convert(tree: Tree | None, targets: Mapping[str, str]) -> str:
    """Return the native form of a file of jmx_exporter.

    Args:
        tree: its content.
        targets: the JVM under an empty name, for a file that names none.

    Raises:
        Fault: the file is wrong, or says what the native form cannot; with line and key path.
    """
    top = keys(tree or Table({}, {}, 1), Place("", 1), "file")
    _refuse(top)
    said = decode(tree, {})
    rules, default, notes = _rules(said, top)
    unmapped = {} if default else {"unmapped": "drop"}
    head = {"sources": {SOURCE: {"jmx": _source(said, top, targets)} | unmapped}}
    ignored = [f"left out, for jmx_exporter passes over it: {note}" for note in said.notes]
    return document([*ignored, *notes], head, rules)


def _refuse(top: Read) -> None:
    for key, reason in _REFUSED.items():
        found = top.table.entries.get(key)
        nothing = found is None or (isinstance(found, Listing) and not found.items)
        if nothing or (isinstance(found, Scalar) and found.text.lower() in ("", "null", "~", "false", "0")):
            continue
        if isinstance(found, Table) and key == "ssl" and _off(found):
            continue
        raise top.place(key).fault(reason)


def _off(section: Table) -> bool:
    enabled = section.entries.get("enabled")
    return enabled is None or (isinstance(enabled, Scalar) and enabled.text.lower() in ("false", "no", "off"))


def _source(said: Configuration, top: Read, targets: Mapping[str, str]) -> dict[str, object]:
    """Return the entry of the JVM."""
    made: dict[str, object] = {"target": _target(said, top, targets)}
    for key, name, old in _SELECTION:
        place = name if name in top.table.entries else old
        found = top.get(place) if place else None
        if found is not None:
            made[key] = _plain(found)
    if not said.standard:
        made["jvm_metrics"] = False
    finish = {
        "lowercase_names": said.lower_names,
        "lowercase_labels": said.lower_labels,
        "infer_counters": said.infer_counters,
    }
    made["as_jmx_exporter"] = {key: True for key, value in finish.items() if value}
    return made


def _target(said: Configuration, top: Read, targets: Mapping[str, str]) -> str:
    own = top.text("hostPort") or top.text("jmxUrl")
    if set(targets) - {""}:
        raise Fault(f"there is no module {next(iter(set(targets) - {''}))} in a file of jmx_exporter")
    if said.target is not None:
        if targets:
            raise top.place("hostPort" if top.text("hostPort") else "jmxUrl").fault(
                "names a JVM already; want no --target beside it"
            )
        return own
    if not targets:
        raise Fault("hostPort or jmxUrl is missing: say which JVM it is for by --target=HOST:PORT")
    try:
        parse_target(targets[""])
    except ValueError as error:
        raise Fault(f"--target: {error}") from None
    return targets[""]


def _plain(tree: Tree) -> object:
    if isinstance(tree, Table):
        return {key: _plain(value) for key, value in tree.entries.items()}
    return [_plain(item) for item in tree.items] if isinstance(tree, Listing) else tree.text


def _rules(said: Configuration, top: Read) -> tuple[list[Keys], bool, list[str]]:
    """Return the native rules, whether what they leave keeps its default name, and notes."""
    if "rules" not in top.table.entries:
        return [], True, []
    made: list[Keys] = []
    notes: list[str] = []
    items = top.list_at("rules")
    for number, (rule, item) in enumerate(zip(said.rules, items, strict=True)):
        entry = keys(item, Place(f"rules[{number}]", item.line), "rule")
        if rule.name is None or rule.pattern is None:  # what has no pattern takes all, an empty name drops
            if rule.name is None:
                _check_default(rule, entry)
            later = range(number + 1, len(items))
            return (
                made,
                rule.name is None,
                [*notes, *(f"left out, for it is never reached: rules[{n}]" for n in later)],
            )
        made.append(_rule(rule, entry, lower=said.lower_labels))
        if rule.cache:
            notes.append(f"left out, for it changes no series: {entry.place('cache').path}")
    return made, False, notes


def _check_default(rule: Rule, entry: Read) -> None:
    """Refuse a rule that gives other than default names, or not to all that is left."""
    if rule.pattern is not None and entry.text("pattern") not in _ALL:
        raise entry.place("pattern").fault(
            "without a name: the native form has default names for all that no rule takes, not for some"
        )
    if rule.value is not None:
        raise entry.place("value").fault("without a name: the native form has no value for default names")
    if rule.factor != 1.0:
        raise entry.place("valueFactor").fault("without a name: the native form has no factor for them")
    if rule.kind != "untyped":
        raise entry.place("type").fault("without a name: default names are untyped in the native form")
    _check_attributes(rule, entry)


def _check_attributes(rule: Rule, entry: Read) -> None:
    if rule.snake:
        raise entry.place("attrNameSnakeCase").fault("the native form sees attributes by their own names")


def _rule(rule: Rule, entry: Read, *, lower: bool) -> Keys:
    _check_attributes(rule, entry)
    assert rule.pattern is not None and rule.name is not None  # noqa: S101, PT018  (decoding saw to it)
    if rule.cache and (rule.value is not None or rule.whole or not rule.pattern.blind):
        raise entry.place("cache").fault(
            "with a pattern, a value or $0 that would see what is cached as `<cache>`"
        )
    pattern, groups = _pattern(entry)
    made: dict[str, object] = {"match": {"line": pattern}}
    name = _filled(rule.name, groups, entry.place("name"), clean=True)
    if not name:
        return made | {"action": "drop"}
    made |= {"name": name, "type": rule.kind}
    if labels := _labels(rule, groups, entry, lower=lower):
        made["labels"] = labels
    if rule.value is not None:
        made["value"] = _filled(rule.value, groups, entry.place("value"))
    if rule.factor != 1.0:
        if not rule.factor or not math.isfinite(rule.factor):
            raise entry.place("valueFactor").fault("the native form has finite factors other than 0")
        made["scale"] = rule.factor
    if rule.help is not None:
        if any(isinstance(part, int) for part in rule.help.parts) or not rule.help.parts:
            raise entry.place("help").fault("the native form has no captures in it, and no empty one")
        made["help"] = "".join(map(str, rule.help.parts))
    return made


def _pattern(entry: Read) -> tuple[str, Groups]:
    """Return a pattern of Java, which may begin and end anywhere, as the anchored one of RE2; its groups."""
    found = translate(entry.text("pattern"))
    if not found.linear:
        raise entry.place("pattern").fault(
            "look-around, back-references, possessive and atomic parts: the native form has RE2's expressions"
        )
    try:
        text, groups = with_names(found.text, _PREFIX)
    except ValueError as error:
        raise entry.place("pattern").fault(str(error)) from None
    text = text.replace(DOT, ".")  # which RE2 ends at one kind of line end only: for people to read
    start = "" if text.startswith("^") and "|" not in text else ".*"
    return "~" + (
        f"{start}(?:{text}).*" if "|" in text else f"{start}{text.removeprefix('^') if not start else text}.*"
    ), groups


def _labels(rule: Rule, groups: Groups, entry: Read, *, lower: bool) -> dict[str, str]:
    made: dict[str, str] = {}
    for name, value in rule.labels:
        shown = "".join(part if isinstance(part, str) else f"${part}" for part in name.parts)
        place = entry.place(f"labels.{shown}".removesuffix("."))
        if any(isinstance(part, int) for part in name.parts):
            raise place.fault("the native form has no captures in the name of a label")
        clean = label(safe(shown)) if safe(shown) else ""
        clean = clean.lower() if lower else clean
        if not clean or clean.startswith("__"):
            raise place.fault("comes out as no name of a label")
        if clean in made:
            raise place.fault(f"a second label that comes out as {clean}")
        made[clean] = _filled(value, groups, place)
    return made


def _filled(template: Template, groups: Groups, place: Place, *, clean: bool = False) -> str:
    """Return a template in native words; *clean*: of a name, whose text has only what names may have."""
    out = []
    for part in template.parts:
        if isinstance(part, int):
            out.append(f"{{{groups[str(part)]}}}" if part else "{line}")
            continue
        if not clean and re.search(r"[{}]", part):
            raise place.fault(f"{part[:80]!r}: the native form has no way to write a brace")
        out.append(_FOREIGN.sub("_", part) if clean else part)
    text = "".join(out)
    return f"_{text}" if clean and text[:1].isdigit() else text
