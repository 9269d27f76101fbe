"""Every error text that Redis 7.0 and the promises know, and what brings it: lines, or bytes as they are."""

from __future__ import annotations

from tests.support.redis_raw import KIB

_MULTI, _SUB = "MULTI|", "SUBSCRIBE c|"
_WORD = "x" * 50

TEXTS: dict[str, str | bytes] = {
    "ERR Protocol error: invalid multibulk length": b"*a\r\n",
    "ERR Protocol error: too big mbulk count string": b"*" + b"1" * (65 * KIB),
    "ERR Protocol error: expected '$', got 'P'": b"*1\r\nPING\r\n",
    "ERR Protocol error: invalid bulk length": b"*1\r\n$-1\r\n",
    "ERR Protocol error: too big bulk count string": b"*1\r\n$" + b"1" * (65 * KIB),
    "ERR Protocol error: unbalanced quotes in request": b'GET "k\r\n',
    "ERR Protocol error: too big inline request": b"x" * (65 * KIB),
    "ERR unknown command 'foo', with args beginning with: 'a' 'b' ": "foo a b",
    f"ERR unknown command 'foo', with args beginning with: '{_WORD}' '{_WORD}' '{'x' * 22}' ": "foo"
    + f" {_WORD}" * 4,
    "ERR unknown subcommand 'foo'. Try CLIENT HELP.": "CLIENT foo",
    "ERR wrong number of arguments for 'get' command": "GET",
    "ERR wrong number of arguments for 'client|setname' command": "CLIENT SETNAME",
    "ERR wrong number of arguments for 'ping' command": "PING a b",
    "ERR Protocol version is not an integer or out of range": "HELLO x",
    "NOPROTO unsupported protocol version": "HELLO 4",
    "ERR Syntax error in HELLO option 'foo'": "HELLO 3 foo",
    "ERR DB index is out of range": "SELECT 16",
    "ERR value is not an integer or out of range": "SELECT x",
    "ERR AUTH <password> called without any password configured for the default user. Are you sure your"
    " configuration is correct?": "AUTH x",
    "WRONGPASS invalid username-password pair or user is disabled.": "AUTH nobody x",
    "ERR Client names cannot contain spaces, newlines or special characters.": "CLIENT SETNAME a\x01",
    "ERR No such client": "CLIENT KILL 1.1.1.1:1",
    "ERR The client ID you want redirect to does not exist": "CLIENT TRACKING on REDIRECT 99999999",
    "ERR This instance has cluster support disabled": "READONLY|READWRITE|ASKING|CLUSTER INFO",
    "ERR MULTI calls can not be nested": _MULTI + "MULTI",
    "ERR WATCH inside MULTI is not allowed": _MULTI + "WATCH k",
    "ERR EXEC without MULTI": "EXEC",
    "ERR DISCARD without MULTI": "DISCARD",
    "EXECABORT Transaction discarded because of previous errors.": _MULTI + "foo|EXEC",
    "ERR Command not allowed inside a transaction": _MULTI + "SYNC|EXEC",
    "ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in"
    " this context": _SUB + "GET k",
    "ERR timeout is negative": "BLPOP none -1",
    "ERR timeout is not a float or out of range": "BLPOP none x",
    "ERR wrong number of arguments for 'eval' command": "EVAL",
    "NOSCRIPT No matching script. Please use EVAL.": f"EVALSHA {'f' * 40} 0|EVALSHA_RO {'f' * 40} 0",
    "ERR Write commands are not allowed from read-only scripts.": "EVAL_RO redis.call('set','k','v') 0",
    "WRONGTYPE Operation against a key holding the wrong kind of value": "SET k v|LPOP k|LLEN k",
    "NOTBUSY No scripts in execution right now.": "SCRIPT KILL|FUNCTION KILL",
    "BUSYGROUP Consumer Group name already exists": "XGROUP CREATE s g $ MKSTREAM|XGROUP CREATE s g $|DEL s",
    "NOGROUP No such key 's' or consumer group 'g'": "XREADGROUP GROUP g c STREAMS s >|XINFO GROUPS s",
    "BUSYKEY Target key name already exists.": "SET k v|RESTORE k 0 x",
    "ERR invalid cursor": "SCAN x|HSCAN k x",
}
