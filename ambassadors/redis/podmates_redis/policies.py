"""Settings to what decides by them."""

from __future__ import annotations

from podmates_redis.commands.overrides import Overrides
from podmates_redis.servers.choosing import Choice
from podmates_redis.servers.fitness import Limits
from podmates_redis.servers.readers import Rules
from podmates_redis.servers.roll import Manner
from podmates_redis.session.shared import Policy
from podmates_redis.settings import Settings


def policy(settings: Settings) -> Policy:
    """Return what the settings say about single commands."""
    return Policy(
        consistency=settings.consistency,
        choice=Choice(
            read_from=settings.read_from,
            balance=settings.balance,
            zone=settings.zone,
            master_weight=settings.master_weight,
        ),
        fallback=settings.fallback,
        fallback_rate=settings.fallback_max_rps,
        administrative=settings.admin_commands == "allow",
        accept_any_auth=settings.accept_any_auth,
        passthrough=settings.auth == "passthrough",
        op_timeout=settings.op_timeout,
        failover_wait=settings.failover_wait,
        max_pending=settings.max_pending,
        retries=settings.retries,
        close_on_unknown=settings.on_unknown == "close",
        resume_waits=settings.blocking_failover == "resume",
        rewrite_ro=settings.rewrite_ro == "on",
        overrides=Overrides(
            routes=dict(settings.route),
            ttl_master=settings.ttl_reads == "master",
            module_reads=settings.module_reads == "on",
        ),
        script_cache=settings.script_cache == "on" or bool(settings.cluster),
        eval_no_writes=settings.eval_no_writes == "replica",
    )


def rules(settings: Settings) -> Rules:
    """Return what the settings say about the reading of replicas."""
    any_lag = settings.consistency == "eventual"
    return Rules(
        limits=Limits() if any_lag else Limits(settings.max_lag_bytes, settings.max_lag),
        fallback=settings.fallback,
        min_healthy=settings.min_healthy,
        stale_ok=settings.stale_ok,
        zones=settings.zones,
    )


def manner(settings: Settings) -> Manner:
    """Return what the settings say about how servers are found."""
    return Manner(
        volatile=bool(settings.dns),
        learn_replicas=settings.learn_replicas,
        split_brain=settings.split_brain,
        clustered=bool(settings.cluster),
    )
