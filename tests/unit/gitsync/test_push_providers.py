"""Each service's pushes are recognised, believed by its own proof alone, and read as far as refs go."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest

from podmates_gitsync.push.providers import Verdict, is_unsigned_ping, judge, recognise, takes
from tests.support.push_requests import PROVIDERS, Sent, digest, form, push, standard

SECRET, OTHER = "correct horse", "battery staple"
COMMIT = "b" * 40


def lowered(sent: Sent) -> dict[str, str]:
    return {name.lower(): value for name, value in sent.headers.items()}


def believed(sent: Sent, *secrets: str, wanted: str = "auto", step: int = 7) -> bool:
    """Return what the check says, fed in small steps."""
    headers = lowered(sent)
    provider = recognise(headers, wanted)
    check = provider.check(headers, [secret.encode() for secret in secrets], time.time())
    for start in range(0, len(sent.body), step):
        check.feed(sent.body[start : start + step])
    assert not (check.hopeless and check.holds())
    return check.holds()


def judged(sent: Sent, ref: str = "main", *, kept: bool = True) -> Verdict:
    headers = lowered(sent)
    return judge(recognise(headers), headers, sent.body if kept else None, ref)


def changed(sent: Sent, **headers: str | None) -> Sent:
    """Return *sent* with other headers (``_`` for ``-``); None takes one away."""
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    kept = {name: value for name, value in sent.headers.items() if name.lower() not in named}
    return Sent({**kept, **{name: value for name, value in named.items() if value is not None}}, sent.body)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_push_is_recognised_believed_and_read(provider: str) -> None:
    sent = push(provider, SECRET, commit=COMMIT)
    announced = ("", "") if provider == "generic" else ("refs/heads/main", COMMIT)

    assert recognise(lowered(sent)).name == provider
    assert takes(recognise(lowered(sent)), lowered(sent))
    assert believed(sent, SECRET)
    assert believed(sent, OTHER, SECRET)
    verdict = judged(sent)
    assert (verdict.status, verdict.result, verdict.ref, verdict.commit) == (202, "queued", *announced)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nobody_is_believed_without_the_secret(provider: str) -> None:
    sent = push(provider, OTHER)
    proofs = [n for n in sent.headers if n.endswith(("Signature", "-256", "Token", "Authorization"))]

    assert not believed(sent, SECRET)
    assert not believed(sent)
    for value in ("", "sha256=", "sha1=" + "0" * 40, "0" * 64, "sha256=" + "0" * 64, "\udcff", "Basic Og=="):
        assert not believed(Sent({**sent.headers, **dict.fromkeys(proofs, value)}, sent.body), SECRET)


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if name not in {"gitlab", "azure"}])
def test_a_signature_is_over_every_byte(provider: str) -> None:
    sent = push(provider, SECRET)

    assert not believed(Sent(sent.headers, sent.body + b" "), SECRET)
    assert not believed(Sent(sent.headers, sent.body[:-1]), SECRET)


def test_the_recognised_providers_own_check_decides() -> None:
    for name, header in (("forgejo", "X-Forgejo-Signature"), ("gitea", "X-Gitea-Signature")):
        sent = push(name, SECRET)
        assert not believed(changed(sent, **{header: "0" * 64}), SECRET)
        assert not believed(changed(sent, **{header: None}), SECRET)  # GitHub's and the others' are right
    bearer = changed(push("github", OTHER), authorization=f"Bearer {SECRET}")
    assert not believed(bearer, SECRET)


def test_one_provider_can_be_asked_for() -> None:
    assert believed(push("forgejo", SECRET), SECRET, wanted="github")
    assert not believed(push("github", SECRET), SECRET, wanted="gitlab")
    assert not believed(changed(push("generic", OTHER), x_gitlab_token=SECRET), SECRET, wanted="github")


def test_githubs_sha1_is_refused() -> None:
    assert not believed(changed(push("github", SECRET), x_hub_signature_256=None), SECRET)


def test_github_may_send_a_form_and_others_may_not() -> None:
    sent = form(push("github", SECRET, commit=COMMIT, note="a+b & c=d %41 ü"), SECRET)

    assert believed(sent, SECRET)
    assert judged(sent).commit == COMMIT
    assert judged(sent, "other").result == "other_ref"
    assert takers("application/x-www-form-urlencoded") == ["github", "generic"]


def takers(content_type: str) -> list[str]:
    """Return who may send a body of this type."""
    made = [(name, {**lowered(push(name, SECRET)), "content-type": content_type}) for name in PROVIDERS]
    return [name for name, headers in made if takes(recognise(headers), headers)]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/octet-stream", "multipart/form-data", "", "; application/json"],
)
def test_other_bodies_are_taken_of_the_generic_sender_only(content_type: str) -> None:
    assert takers(content_type) == ["generic"]


@pytest.mark.parametrize(
    "content_type", ["application/json;charset=utf-8", "Application/JSON ; a=\"'", "application/x.y+json"]
)
def test_json_is_json_whatever_its_parameters(content_type: str) -> None:
    assert takers(content_type) == list(PROVIDERS)


@pytest.mark.parametrize(
    ("age", "fresh"), [(0, True), (290, True), (-290, True), (310, False), (-310, False)]
)
def test_gitlabs_signature_is_good_for_five_minutes(age: float, fresh: bool) -> None:
    assert believed(standard(push("gitlab", SECRET), SECRET, age=age), SECRET) == fresh


def test_gitlabs_signing_key_may_be_written_as_the_standard_has_it() -> None:
    key = bytes(range(32))
    shown = "whsec_" + base64.b64encode(key).decode()
    sent = standard(push("gitlab", SECRET), SECRET, key=key)

    assert believed(sent, shown)
    assert not believed(sent, SECRET)
    several = changed(sent, webhook_signature="v1,AAAA v2,x " + sent.headers["webhook-signature"])
    assert believed(several, shown)
    assert not believed(changed(sent, webhook_id="another"), shown)
    assert not believed(changed(sent, webhook_timestamp="soon"), shown)


def test_a_bearer_is_enough_for_the_generic_sender() -> None:
    for scheme, secret, yes in (("Bearer", SECRET, True), ("bearer", SECRET, True), ("Bearer", OTHER, False)):
        assert believed(Sent({"Authorization": f"{scheme} {secret}"}, b""), SECRET) == yes
    assert not believed(Sent({"Authorization": f"Token {SECRET}"}, b""), SECRET)


EVENTS: dict[str, tuple[Sent, Verdict]] = {
    "a ping": (changed(push("github", SECRET), x_github_event="ping"), Verdict(200, "ping")),
    "an issue": (changed(push("github", SECRET), x_github_event="issues"), Verdict(200, "other_event")),
    "a fork": (changed(push("forgejo", SECRET), x_forgejo_event="fork"), Verdict(200, "other_event")),
    "a job": (changed(push("gitlab", SECRET), x_gitlab_event="Job Hook"), Verdict(200, "other_event")),
    "a pull request": (
        changed(push("bitbucket", SECRET), x_event_key="pullrequest:x"),
        Verdict(200, "other_event"),
    ),
    "a test": (changed(push("bitbucket", SECRET), x_event_key="diagnostics:ping"), Verdict(200, "ping")),
    "a build": (push("azure", SECRET, eventType="build.complete"), Verdict(200, "other_event")),
}


@pytest.mark.parametrize(("sent", "verdict"), EVENTS.values(), ids=EVENTS.keys())
def test_other_events_are_not_synced_for(sent: Sent, verdict: Verdict) -> None:
    assert judged(sent)[:2] == verdict[:2]


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ({"event_name": "push", "ref": "refs/heads/main", "after": COMMIT}, "queued"),
        (
            {"event_name": "repository_update", "changes": [{"ref": "refs/heads/main", "after": COMMIT}]},
            "queued",
        ),
        (
            {"event_name": "repository_update", "changes": [{"ref": "refs/heads/x", "after": COMMIT}]},
            "other_ref",
        ),
        ({"event_name": "user_create"}, "other_event"),
    ],
)
def test_gitlabs_system_hook_names_its_event_in_the_body(body: dict[str, Any], result: str) -> None:
    sent = changed(push("gitlab", SECRET), x_gitlab_event="System Hook")

    assert judged(Sent(sent.headers, json.dumps(body).encode())).result == result


def test_only_data_centers_test_may_come_unsigned() -> None:
    ping = changed(push("bitbucket-dc", SECRET), x_event_key="diagnostics:ping", x_hub_signature=None)
    for sent, yes in (
        (ping, True),
        (changed(ping, x_hub_signature="sha256="), False),
        (changed(ping, x_event_key="repo:refs_changed"), False),
        (changed(push("github", SECRET), x_github_event="ping", x_hub_signature_256=None), False),
    ):
        headers = lowered(sent)
        assert is_unsigned_ping(recognise(headers), headers) == yes


NONSENSE = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"1",
    b'"x"',
    b"[" * 10**5,
    b"\xff\xfe",
    b'{"ref": 1}',
    b'{"push": []}',
)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_body_that_cannot_be_read_is_synced_for(provider: str) -> None:
    sent = push(provider, SECRET)
    odd = (*NONSENSE, b'{"changes": [1, null, {"ref": {"id": []}}]}', b'{"resource": {"refUpdates": [{}]}}')
    for body in odd:
        assert judged(Sent(sent.headers, body))[:4] == (202, "queued", "", "")
    assert judged(sent, "other", kept=False)[:4] == (202, "queued", "", "")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_bytes_that_are_no_text_are_refused_like_any_other(provider: str) -> None:
    sent = push(provider, SECRET)
    odd = dict.fromkeys([*sent.headers, "webhook-id", "webhook-signature", "Authorization"], "\udcff\udc80=")
    timely = {**sent.headers, **odd, "webhook-timestamp": str(int(time.time()))}

    assert not believed(Sent(timely, sent.body), SECRET)
    assert judged(push(provider, SECRET, id="\ud800", ref="refs/heads/\ud800")).status in {200, 202}


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if name != "generic"])
def test_a_delivery_is_told_from_others(provider: str) -> None:
    one, other = push(provider, SECRET), push(provider, SECRET)

    assert judged(one).delivery == judged(one).delivery != ""
    assert judged(one).delivery != judged(other).delivery


def test_a_digest_of_the_tests_is_githubs_example() -> None:
    """Source: GitHub, "Validating webhook deliveries", its test values."""
    expected = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

    assert digest("It's a Secret to Everybody", b"Hello, World!") == expected
