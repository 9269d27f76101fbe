"""Single values by the query language of the package jmxquery, over our own connection.

A query is a `JMXQuery` and so is every row of the answer. In metric and labels ``{attribute}``,
``{attributeKey}`` and ``{any property}`` are replaced. The text form is that of `querytext`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from podmates_metrics.jmx.javatext import as_double
from podmates_metrics.jmx.javavalues import JavaFloat, JavaObject, Value, kind_of, pairs
from podmates_metrics.jmx.messages import bean_name
from podmates_metrics.jmx.naming import label, safe
from podmates_metrics.jmx.objectname import parse, unquote
from podmates_metrics.jmx.querytext import Query
from podmates_metrics.jmx.session import Answer, Session
from podmates_metrics.jmx.walk import scalar
from podmates_metrics.sources.base import Family, Sample

if TYPE_CHECKING:
    from jmxquery import JMXQuery

_TOKEN = re.compile(r"\{([^{}]+)\}")
_WRAPPERS = {"int": "Integer", "char": "Character"}


def as_row(query: Query) -> JMXQuery:
    """Return *query* as the type of the package."""
    from jmxquery import JMXQuery

    labels = dict(query.labels) or None
    return JMXQuery(query.bean, query.attribute, query.key, metric_name=query.metric, metric_labels=labels)


async def ask(session: Session, queries: Sequence[JMXQuery]) -> list[JMXQuery]:
    """Return a row for every value that *queries* name; what does not exist gives none."""
    rows: list[JMXQuery] = []
    for query in queries:
        beans = await session.names(query.mBeanName)
        kinds: dict[str, dict[str, str]] = {}
        for bean, infos in (await session.infos(beans)).items():
            kinds[bean] = {a.name: a.kind for a in infos if query.attribute in (None, a.name)}
        values: dict[str, dict[str, Value]] = {bean: {} for bean in beans}

        def take(answer: Answer, values: dict[str, dict[str, Value]] = values) -> None:
            values[answer.bean].update(answer.values)

        await session.read([(bean, list(names)) for bean, names in kinds.items() if names], take)
        for bean in beans:
            for attribute, kind in kinds[bean].items():
                rows += _rows(query, (bean, attribute, kind), values[bean].get(attribute))
    return rows


def _rows(query: JMXQuery, where: tuple[str, str, str], value: Value) -> Iterator[JMXQuery]:
    bean, attribute, kind = where
    if not kind_of(value).endswith(".CompositeDataSupport"):
        yield _row(query, (bean, attribute, None), value, _type(value, kind))
        return
    described = value.fields.get("compositeType")
    types = dict(pairs(described.fields.get("nameToType"))) if isinstance(described, JavaObject) else {}
    for key, item in pairs(value.fields.get("contents")):
        if query.attributeKey in (None, key) or "{" in query.attributeKey:
            declared = types.get(key)
            name = declared.fields.get("className") if isinstance(declared, JavaObject) else ""
            yield _row(query, (bean, attribute, key), item, _type(item, str(name)))


def _row(query: JMXQuery, where: tuple[str, str, str | None], value: Value, kind: str) -> JMXQuery:
    from jmxquery import JMXQuery

    bean, attribute, key = where
    tokens = {name: unquote(content) for name, content in parse(bean).properties}
    tokens |= {"attribute": attribute, **({"attributeKey": key} if key else {})}
    labels = {name: _filled(content, tokens) for name, content in (query.metric_labels or {}).items()}
    name = _filled(query.metric_name, tokens) if query.metric_name else None
    return JMXQuery(bean, attribute, key, _plain(value), kind, name, labels if query.metric_name else None)


def _filled(template: str, tokens: Mapping[str, str]) -> str:
    return _TOKEN.sub(lambda token: tokens.get(token[1], token[0]), template).replace(" ", "_")


def _plain(value: Value) -> str | int | float | bool | None:
    if isinstance(value, str | int | float):
        return value
    found = scalar(value)
    return bean_name(value) or None if found is None else found


def _type(value: Value, declared: str) -> str:
    """Return the simple name of the class of a value."""
    if value is None:
        return "Null"
    if kind := kind_of(value):
        return kind.rpartition(".")[2]
    name = declared.rpartition(".")[2]
    if name not in ("", "Object", "Number"):
        return _WRAPPERS.get(name, name[0].upper() + name[1:])
    fallback = "Float" if isinstance(value, JavaFloat) else "Double" if isinstance(value, float) else "Long"
    return "Boolean" if isinstance(value, bool) else "String" if isinstance(value, str) else fallback


def families(rows: Sequence[JMXQuery]) -> list[Family]:
    """Return the numbers among *rows* as samples; without a metric the path is the name."""
    found: dict[str, Family] = {}
    seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for row in rows:
        if not isinstance(row.value, int | float):
            continue
        path = "_".join(part for part in (row.mBeanName, row.attribute, row.attributeKey) if part)
        name = safe(row.metric_name or path)
        labels = tuple(sorted((label(key), value) for key, value in (row.metric_labels or {}).items()))
        family = found.setdefault(name, Family(name, "untyped", f"{row.mBeanName}/{row.attribute}"))
        if (name, labels) not in seen:
            seen.add((name, labels))
            family.samples.append(Sample(labels, as_double(row.value)))
    return list(found.values())
