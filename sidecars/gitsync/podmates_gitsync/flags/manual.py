"""What ``--man`` prints: the whole of it in words, for 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Container, Mapping, Sequence

from podmates_gitsync.flags.usage import Declared, head, shown_default

_WIDTH = 80

_FRONT = """\
GIT-SYNC

NAME
    git-sync - keep a directory in step with a git repository

SYNOPSIS
    git-sync --repo=<repo> --root=<path> [FLAGS...]
    podmates-gitsync check [FLAGS...]
    podmates-gitsync probe live|ready|started [FLAGS...]

DESCRIPTION
    Fetches one ref of a git repository again and again, checks it out below the
    directory --root, and publishes the result by a symbolic link that is
    replaced in one step. The flags are git-sync's, version 4, and some more.

    Meant to run as a sidecar: the application beside it reads a volume and
    knows nothing of git.

    check prints every setting that is in force and where it comes from, and
    ends with 2 when one is wrong. probe asks the running process over HTTP
    whether it is well: 0 is yes, 1 no, 2 that --http-bind is not set. Under the
    name git-sync there is neither; words that are no flags are ignored.

CONTRACT
    The link always names a complete checkout of one commit, and the last part
    of what it names is that commit's full hash. Resolve the link once per pass
    over the files, use what it named, and resolve it again for the next pass.

    Nothing else below --root is for readers. A tree that was replaced goes at
    once, unless --stale-worktree-timeout or --keep gives it time. Edits of
    published files are not noticed while the process lives, and are undone
    when it starts.

EXAMPLE
    git-sync --repo=https://example.com/docs/site.git --ref=main \\
        --root=/tmp/site --link=current --period=30s

HOW VALUES ARE WRITTEN
    --flag=value or --flag value; a switch is --flag, or --flag=false. Durations
    have units: 1m30s, 10ms. Integers may be 0x10 or 1_000. A variable gives a
    flag its default, a flag on the command line wins. One that is present and
    empty is set. Where there are older names of a variable, the oldest one that
    is present wins, and a line on standard error says so.
"""
_BACK = """\
SETTINGS OF GIT
    --git-config and --git-config-add hold pairs key:value, separated by commas:

        --git-config='http.version:HTTP/1.1,"http.https://h:8443/.proxy":"a,b"'

    A key ends at the first colon, a value at the first comma. Either may stand
    in double quotes. In quotes, and in a bare value after its first character,
    \\n is a newline, \\t a tab, and \\" \\, \\\\ are the character itself; any
    other escape is an error. The first character of a bare key or value is
    taken as it is, so an empty value is written "". A later value of a key
    replaces an earlier one, and the defaults: gc.autoDetach=false,
    gc.pruneExpire=now, core.askPass=true, safe.directory=* and
    credential.helper. For a key with several values name a file by
    include.path. The user's and the machine's git configuration never apply.

HOOKS
    The exechook is one program (a path with spaces is one name), with the
    arguments of --exechook-args only. It runs in the directory of the new
    tree, with GITSYNC_HASH and the whole environment, after the link was
    replaced; a webhook is one request with the header Gitsync-Hash. Both are
    tried until they succeed, for the newest commit only, and no sync waits for
    them. They are told what changed:
    GITSYNC_PREVIOUS_HASH, GITSYNC_CHANGED_FILES, or --webhook-format=json. The
    pre-publish exechook is started before the link is replaced. With --one-time
    the process waits for the first try of each, and ends with 1 if one failed.

AUTHENTICATION
    --username with GITSYNC_PASSWORD or --password-file, user and password in an
    http(s) URL, --credential for more hosts, --askpass-url, and GitHub Apps all
    end in git's own credential machinery. ssh uses the keys of --ssh-key-file
    and the known hosts of --ssh-known-hosts-file. Passwords are on no command
    line and in no log.

FILES
    --error-file holds the last error as JSON with Msg, Err and Args (a fault of
    the flags as plain text) until the next success. --touch-file is touched
    after each change and after the first success. Relative names are below
    --root.

HTTP
    With --http-bind every path answers 503 until the first success of this
    process, and 200 from then on. --http-metrics adds /metrics for Prometheus,
    --http-pprof adds /debug/pprof/: stacks, a sampled profile, memory.

LOG
    One JSON object a line on standard error. --verbose: 0 start and updates, 1
    more about updates, 2 the loop, 3 and 4 details, 5 each command, 6 what it
    printed.

BEYOND GIT-SYNC
    --config names a TOML file with several [[repository]] tables; their keys
    are the flags, with _ for -. One repository in trouble stops no other.

    --poll=auto asks the remote for its hash first, and by the answer only ever
    leaves a fetch out. --push-bind listens for the pushes of a hosting service,
    so that the pause can be long.

    --pre-publish-exechook-mode=gate publishes only what the hook ends with 0
    for, --verify=enforce only what is signed by somebody who may. A commit that
    was refused is not asked about again; the link stays where it is.

    --mirror-dir keeps a plain directory in step too, for programs that do not
    follow links. --path publishes a part of the repository. --max-staleness
    takes readiness away while syncs have been failing for longer than that.

SIGNALS
    SIGTERM, SIGINT and SIGHUP end the process at once, with the git that runs;
    nothing needs to be drained. SIGQUIT prints where every thread is. The
    signal of --sync-on-signal ends the pause. Others do nothing.

EXIT STATUS
    0      --one-time succeeded; help, manual, version; an interrupt after a ref
           that is a hash was synced
    1      wrong settings, a start that failed, --max-failures in a row, a hook
           that failed with --one-time, the HTTP server died
    2      a wrong flag; SIGQUIT
    127    as process number one: no init could be made
    128+n  signal n
"""


def manual(rows: Sequence[Declared], values: Mapping[str, str], beyond: Container[str]) -> str:
    """Return the text; *values* is what is shown as the default, by field name."""
    flags = sorted((row for row in rows if row.flag and not row.hidden), key=lambda row: row.flag)
    parts = [_FRONT, "OPTIONS"]
    parts += [_entry(row, values) for row in flags if row.name not in beyond]
    parts += ["OPTIONS THAT GIT-SYNC DOES NOT KNOW"]
    parts += [_entry(row, values) for row in flags if row.name in beyond]
    parts += ["ENVIRONMENT VARIABLES WITHOUT A FLAG"]
    parts += [f"    {row.variables[0]}\n{_wrapped(row.help)}\n" for row in rows if not row.flag]
    return "\n".join([*parts, _BACK])


def _entry(row: Declared, values: Mapping[str, str]) -> str:
    variable = "" if row.name not in values else f"        ${row.variables[0]}\n"
    return (
        f"    {head(row).strip()}\n{variable}"
        f"{_wrapped(row.help + shown_default(row, values.get(row.name, '')))}\n"
    )


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=" " * 12, subsequent_indent=" " * 12)
