"""Opens the targets that a configuration names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.forwarding.target import TargetConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.forwarding.target import Target


def configured_targets(transport: str) -> dict[str, dict[str, Any]]:
    """Return the targets by name, from `forward` in the configuration of an OutboxTransport (JSON).

    `forward` is one transport, whose name is its type, or several by name. Raises TargetConfigError.
    """
    try:
        forward = json.loads(transport or "{}").get("forward", {})
    except (ValueError, AttributeError) as error:
        raise TargetConfigError(f"The OpenLineage transport is not a JSON object: {error}") from None
    if not isinstance(forward, dict):
        raise TargetConfigError("`forward` of the OpenLineage transport is not a JSON object")
    targets = {forward["type"]: forward} if isinstance(forward.get("type"), str) else forward
    for name, config in targets.items():
        if not isinstance(config, dict) or not isinstance(config.get("type"), str):
            raise TargetConfigError(f"The target {name!r} under `forward` has no transport `type`")
    return dict(targets)


def open_target(config: Mapping[str, Any]) -> Target:
    """Return the target of an OpenLineage transport's configuration. Raises TargetConfigError.

    `http` and `async_http` do not go through the OpenLineage client, which parses each event again and
    hides the response. Nor does `kafka`, whose transport only logs a failed delivery.
    """
    try:
        if config.get("type") in {"http", "async_http"}:
            from airflow_lineage_provider.forwarding.http_target import HttpTarget

            return HttpTarget(config)
        if config.get("type") == "kafka":
            from airflow_lineage_provider.forwarding.kafka_target import KafkaTarget

            return KafkaTarget(config)
        from airflow_lineage_provider.forwarding.client_target import ClientTarget

        return ClientTarget(config)
    except Exception as error:  # a transport's constructor may raise anything
        raise TargetConfigError(f"Not an OpenLineage transport ({config.get('type')}): {error}") from error
