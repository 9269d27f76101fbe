"""The runner of Pod specs does what a node does, where a spec of the examples would not show a difference."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.support.engine import Network, built
from tests.support.pod import Pod
from tests.support.pod_spec import load

SECRET = base64.b64encode(b"hunter2").decode()
POD = f"""
apiVersion: v1
kind: Pod
metadata: {{name: trial}}
spec:
  securityContext: {{runAsNonRoot: true, runAsUser: 12345, runAsGroup: 12345, fsGroup: 2000}}
  initContainers:
    - name: step
      image: IMAGE
      command: [sh, -c, "echo step >> /shared/order"]
      volumeMounts: [{{name: shared, mountPath: /shared}}]
    - name: sidecar
      image: IMAGE
      restartPolicy: Always
      command: [sh, -c]
      args:
        - |
          trap 'echo sidecar-stopped >> /shared/order; exit 7' TERM
          echo sidecar >> /shared/order; touch /memory/started
          while :; do sleep 0.1; done
      startupProbe: {{exec: {{command: [test, -e, /memory/started]}}, periodSeconds: 1}}
      volumeMounts: [{{name: shared, mountPath: /shared}}, {{name: memory, mountPath: /memory}}]
  containers:
    - name: main
      image: IMAGE
      securityContext: {{readOnlyRootFilesystem: true, capabilities: {{drop: [ALL]}}}}
      env:
        - {{name: NAME, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}
        - {{name: WORD, valueFrom: {{configMapKeyRef: {{name: words, key: word}}}}}}
        - {{name: PASSWORD, valueFrom: {{secretKeyRef: {{name: keys, key: password}}}}}}
        - {{name: SENTENCE, value: "$(WORD) from $(NAME) to $(NOBODY)"}}
      command: [sh, -c]
      args:
        - |
          trap 'echo main-stopped >> /shared/order; exit 0' TERM
          echo main >> /shared/order
          while :; do sleep 0.1; done
      volumeMounts:
        - {{name: shared, mountPath: /shared}}
        - {{name: words, mountPath: /words, readOnly: true}}
        - {{name: all, mountPath: /all, readOnly: true}}
  volumes:
    - {{name: shared, emptyDir: {{}}}}
    - {{name: memory, emptyDir: {{medium: Memory, sizeLimit: 1Mi}}}}
    - {{name: words, configMap: {{name: words}}}}
    - name: all
      projected:
        defaultMode: 0440
        sources:
          - secret: {{name: keys, items: [{{key: password, path: secret/password}}]}}
          - configMap: {{name: words}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: words}}
data: {{word: hello}}
---
apiVersion: v1
kind: Secret
metadata: {{name: keys}}
data: {{password: {SECRET}}}
"""


@pytest.fixture
def pod_file(tmp_path: Path) -> Path:
    path = tmp_path / "pod.yaml"
    path.write_text(POD)
    return path


def test_order_volumes_variables_and_identity_are_a_nodes(network: Network, pod_file: Path) -> None:
    with Pod(pod_file, network, {"IMAGE": built("gitsync")}) as pod:
        main = pod.containers["main"]

        def see(command: str) -> str:
            return main.execute("sh", "-c", command).output

        assert see("id -u; id -G").split() == ["12345", "12345", "2000"]
        assert see("stat -c '%a %g' /shared /memory 2>/dev/null").splitlines()[0] == "2777 2000"
        assert see("cat /words/word; readlink /words/word") == "hello..data/word"
        assert see("cat /all/secret/password /all/word") == "hunter2hello"
        assert see("stat -L -c '%a %g' /all/secret/password") == "440 2000"
        assert see("touch /words/other; touch /other").count("Read-only file system") == 2
        assert see('echo "$SENTENCE, $PASSWORD"') == "hello from trial to $(NOBODY), hunter2"
        assert see("grep CapEff /proc/self/status").split() == ["CapEff:", "0000000000000000"]
        assert pod.dead() == []

        ended = pod.stop()

        assert {name: end.status for name, end in ended.items()} == {"main": 0, "sidecar": 7}
        order = pod._holder.execute("cat", "/volumes/shared/order").stdout.split()
        assert order == ["step", "sidecar", "main", "main-stopped", "sidecar-stopped"]


def test_root_is_refused_where_the_pod_says_so(network: Network, pod_file: Path) -> None:
    pod_file.write_text(POD.replace("runAsUser: 12345", "runAsUser: 0"))

    with pytest.raises(AssertionError, match="would run as"):
        Pod(pod_file, network, {"IMAGE": built("gitsync")})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("fsGroup: 2000", "supplementalGroups: [1]"),
        ("emptyDir: {}", "hostPath: {path: /}"),
        ("- name: main", "- tty: true\n      name: main"),
    ],
    ids=["security context", "volume", "container"],
)
def test_what_is_not_carried_out_is_refused(old: str, new: str) -> None:
    with pytest.raises(ValueError, match="does not carry out"):
        load(POD.replace(old, new))
