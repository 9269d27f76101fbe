"""A jmx_exporter file: what it means, and what is refused with its line and key."""

from __future__ import annotations

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.jmx import objectname
from podmates_metrics.jmx.messages import Credentials
from podmates_metrics.jmx.target import parse_target
from podmates_metrics.jmx_exporter.commandline import words
from podmates_metrics.jmx_exporter.configuration import Configuration, decode
from podmates_metrics.jmx_exporter.files import JmxFile, assign
from podmates_metrics.jmx_exporter.objectpattern import parse_pattern
from podmates_metrics.tree import Fault


def read(text: str, **environ: str) -> Configuration:
    return decode(parse(text), environ)


def test_an_empty_file_means_everything_in_the_default_format() -> None:
    assert read("") == Configuration()
    assert len(read("").rules) == 1
    assert read("rules: []").rules == ()


def test_what_a_file_says() -> None:
    found = read(
        """
        hostPort: app:9999
        startDelaySeconds: 5
        scrapeTimeoutSeconds: 7
        lowercaseOutputName: yes
        excludeJvmMetrics: true
        whitelistObjectNames: ["a:*"]
        rules:
        - {pattern: 'a<>(\\w+)', name: a_$1, type: COUNTER, valueFactor: 0.5, labels: {b: $1}, cache: true}
        - {attrNameSnakeCase: true, type: counter}
        """
    )

    assert found.target == parse_target("app:9999")
    assert (found.start_delay, found.timeout, found.lower_names, found.standard) == (5, 7, True, False)
    assert found.selection.include is not None and len(found.selection.include) == 1
    first, second = found.rules
    assert (first.kind, first.factor, first.cache, first.snake) == ("counter", 0.5, True, False)
    assert (second.kind, second.name, second.pattern, second.snake) == ("untyped", None, None, True)


def test_the_new_name_of_a_key_hides_the_old_one() -> None:
    both = read("includeObjectNames: []\nwhitelistObjectNames: ['*:*']")

    assert both.selection.include == ()


def test_passwords_may_come_from_the_environment() -> None:
    text = "username: ' ${USER} '\npassword: ${PASS}"

    assert read(text, USER="me", PASS=" secret ").credentials == Credentials("me", "secret")
    assert read("username: me\npassword: x${PASS}").credentials == Credentials("me", "x${PASS}")
    assert read("username: me").credentials is None
    assert "secret" not in repr(read(text, USER="me", PASS="secret"))
    with pytest.raises(Fault, match=r"line 2: password: environment variable PASS is not set"):
        read(text, USER="me", PASS=" ")


def test_what_ssl_says() -> None:
    text = """
    ssl:
      enabled: true
      protocols: TLSv1.2, TLSv1.3
      trustStore: {filename: t.pem}
      keyStore: {filename: k.pem, type: PEM, password: hidden}
    """

    found = read(text).encryption

    assert found and (found.trust.filename, found.own.filename) == ("t.pem", "k.pem")
    assert found.versions == ("TLSv1.2", "TLSv1.3")
    assert found.own.password == "hidden" and "hidden" not in repr(read(text))
    assert read("ssl: true").encryption is not None
    assert read("ssl: false").encryption is read("ssl: {}").encryption is None
    assert read("ssl: {trustStore: {filename: t, type: JKS}}").encryption is None, "only enabled turns it on"
    kinds = read("ssl: {enabled: true, trustStore: {filename: t, type: jks}, keyStore: {type: Pkcs12}}")
    assert kinds.encryption and (kinds.encryption.trust.form, kinds.encryption.own.form) == ("JKS", "PKCS12")
    literal = read("ssl: {enabled: true, keyStore: {filename: k, password: '${PASS}'}}", PASS="other")
    assert literal.encryption and literal.encryption.own.password == "${PASS}", "as with the exporter"


def test_keys_that_nobody_knows_are_ignored_and_said() -> None:
    notes = read(
        "foo: 1\nattrNameSnakeCase: true\nrules:\n- {pattern: a, bar: 2}\nmetricCustomizers:\n"
        "- {mbeanFilter: {domain: d}, attributesAsLabels: [a], baz: 3}"
    ).notes

    assert [note.partition(": unknown")[0] for note in notes] == [
        "line 1: foo",
        "line 2: attrNameSnakeCase",
        "line 4: rules[0].bar",
        "line 6: metricCustomizers[0].baz",
    ]


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(Fault, match="line 2: field hostPort already set"):
        read("hostPort: a:1\nhostPort: b:2")


FAULTS = {
    "hostPort: a:1\njmxUrl: service:x": "line 2: jmxUrl: there is a hostPort already",
    "hostPort: a": "line 1: hostPort: expected HOST:PORT",
    "jmxUrl: service:jmx:jmxmp://a": "line 1: jmxUrl: only URLs like",
    "rules:": "line 1: rules: want a list of rules",
    "rules: 5": "line 1: rules: want a list",
    "rules: [5]": r"line 1: rules\[0\]: want a table",
    "rules:\n- {name: a}": r"line 2: rules\[0\].name: wants a pattern",
    "rules:\n- {value: a}": r"line 2: rules\[0\].value: wants a pattern",
    "rules:\n- {pattern: a, labels: {b: c}}": r"rules\[0\].labels: wants a name",
    "rules:\n- {pattern: a, help: b}": r"rules\[0\].help: wants a name",
    "rules:\n- {pattern: a, name: 5}": r"rules\[0\].name: want a text; put 5 in quotes",
    "rules:\n- {pattern: a, name: $1}": r"rules\[0\].name: the pattern has no group 1",
    "rules:\n- {pattern: a, name: b, labels: {c: 5}}": r"rules\[0\].labels.c: want a text",
    "rules:\n- {pattern: a, name: b, labels: {c: }}": r"rules\[0\].labels.c: has no value",
    "rules:\n- {pattern: a, name: b, labels: {$2: c}}": r"rules\[0\].labels.\$2: the pattern has no group",
    "rules:\n- {pattern: a, name: b, type: }": r"rules\[0\].type: has no value",
    "rules:\n- {pattern: '('}": r"rules\[0\].pattern: unclosed group",
    "rules:\n- {valueFactor: x}": r"rules\[0\].valueFactor: 'x' is no number",
    "rules:\n- {cache: 'true'}": r"rules\[0\].cache: want true or false, without quotes",
    "lowercaseOutputName: 1": "lowercaseOutputName: want true or false",
    "startDelaySeconds: -1": "startDelaySeconds: want a whole number",
    "startDelaySeconds: 1.5": "startDelaySeconds: want a whole number",
    "scrapeTimeoutSeconds: 0": "scrapeTimeoutSeconds: want 1 to",
    "includeObjectNames:": "includeObjectNames: want a list",
    "includeObjectNames:\n- a:b=c\n- a": "line 3: includeObjectNames: want domain:key=value",
    "excludeObjectNameAttributes: {a: [b]}": "excludeObjectNameAttributes.a: want domain",
    "includeObjectNameAttributes: {'a:b=c': d}": "want a list of names of attributes",
    "includeObjectNameAttributes: {'a:b=c': [[d]]}": "want a list of names of attributes",
    "metricCustomizers: [{attributesAsLabels: [a]}]": "mbeanFilter: domain is missing",
    "metricCustomizers: [{mbeanFilter: {domain: a}}]": "want attributesAsLabels or extraMetrics",
    "metricCustomizers: [{mbeanFilter: {domain: a}, extraMetrics: [{name: b}]}]": "want a name and a value",
    "httpServer: {threads: {}}": "line 1: httpServer: is for the standalone command; use the flags --web",
    "openTelemetry: {endpoint: x}": "openTelemetry: is for the standalone command; use otlp",
    "ssl: 5": "line 1: ssl: want true or false",
    "ssl: {enabled: 5}": "ssl.enabled: want true or false",
    "ssl:\n  enabled: true\n  ciphers: a, b": "line 3: ssl.ciphers: 'a' is unknown, or too weak",
    "ssl: {enabled: true, ciphers: [TLS_EMPTY_RENEGOTIATION_INFO_SCSV]}": "ssl.ciphers: want a list of",
    "ssl: {enabled: true, ciphers: [[]]}": "ssl.ciphers: want a list of ciphers",
    "ssl: {enabled: true, protocols: TLSv1.2, ciphers: TLS_AES_128_GCM_SHA256}": "none of them is of TLSv1.2",
    "ssl: {enabled: true, protocols: 'TLSv1.2, TLSv1'}": "ssl.protocols: TLSv1 is not offered; want",
    "ssl: {enabled: true, protocols: [[]]}": "ssl.protocols: want a list",
    "ssl: {enabled: true, keyStore: {filename: a, type: JCEKS}}": "keyStore.type: JCEKS is not offered; want",
    "ssl: {enabled: true, trustStore: a}": "ssl.trustStore: want a table",
}


@pytest.mark.parametrize(("text", "fault"), FAULTS.items())
def test_a_fault_names_line_key_and_reason(text: str, fault: str) -> None:
    with pytest.raises(Fault, match=fault):
        read(text)


NAMES = {
    ("*:*", "a:b=c"): True,
    ("a:*", "a:b=c,d=e"): True,
    ("a:*", "ab:b=c"): False,
    ("a*:*", "ab:b=c"): True,
    ("a?:*", "ab:b=c"): True,
    (":*", ":b=c"): True,
    ("a:b=c", "a:b=c"): True,
    ("a:b=c", "a:b=c,d=e"): False,
    ("a:b=c,*", "a:d=e,b=c"): True,
    ("a:*,b=c", "a:d=e,b=c"): True,
    ("a:b=*", "a:b=anything"): True,
    ("a:b=x*y?", "a:b=xzzyz"): True,
    ("a:b=x*y?", "a:b=xzzy"): False,
    ('a:b="*,x"', 'a:b="y,x"'): True,
    (r'a:b="\*"', r'a:b="\*"'): True,
    (r'a:b="\*"', 'a:b="x"'): False,
    ("a:b=,*", "a:b="): True,
    ("a:b=a*b*c", "a:b=a1b2b3c"): True,
    ("a:b=a*b*c", "a:b=acb"): False,
    ("a:b=[x]", "a:b=[x]"): True,
}


@pytest.mark.parametrize(("pair", "fits"), NAMES.items())
def test_a_pattern_of_names_means_what_it_means_to_java(pair: tuple[str, str], fits: bool) -> None:
    assert parse_pattern(pair[0]).matches(objectname.parse(pair[1])) is fits


@pytest.mark.parametrize(
    "text", ["", "a", "a:", "a:b", "a:b=c,", "a:b=c,,d=e", "a:b=c,b=d", "a:*,*", 'a:b="c', "a:=c"]
)
def test_what_is_no_name_of_a_bean_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"want|empty|twice"):
        parse_pattern(text)


def test_a_long_pattern_of_names_costs_no_time() -> None:
    pattern = parse_pattern(f"a:b={'*a' * 200}b")

    assert not pattern.matches(objectname.parse(f"a:b={'a' * 20_000}"))


def test_files_of_the_agent_name_no_jvm_and_take_those_of_the_flags() -> None:
    flagged = [parse_target("shop=a:1"), parse_target("b:2")]
    mine = JmxFile("mine", read("hostPort: c:3"), {}, targets=(parse_target("c:3"),))
    agents, another = JmxFile("agents", read(""), {}), JmxFile("another", read(""), {})

    assert assign([mine], flagged) == flagged
    assert assign([mine, agents], flagged) == [] and agents.targets == tuple(flagged)
    with pytest.raises(Fault, match=r"agents: hostPort or jmxUrl is missing, and there is no --jmx.target"):
        assign([JmxFile("agents", read(""), {})], [])
    with pytest.raises(Fault, match=r"another: .* in agents as well"):
        assign([JmxFile("agents", read(""), {}), another], flagged)


def test_the_command_line_of_the_standalone_exporter() -> None:
    assert words(["9404", "f"]).values["web_listen_address"] == ["0.0.0.0:9404"]
    assert words(["0000009404", "f"]).values["web_listen_address"] == ["0.0.0.0:9404"]
    assert words(["[::1]:9404", "f"]).values["web_listen_address"] == ["[::1]:9404"]
    assert words(["f"]).values["web_listen_address"] == [""], "nothing is served"
    assert words(["f"]).values["statsd_listen_udp"] == words(["f"]).values["statsd_listen_tcp"] == [""]
    for wrong in (
        [],
        ["9404"],
        ["x", "f"],
        ["0", "f"],
        ["65536", "f"],
        ["01234567", "f"],
        ["1", "f", "g"],
    ):
        with pytest.raises(ValueError, match="PORT"):
            words(wrong)
