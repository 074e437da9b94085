"""The registry of a Feast repository as JSON, by Feast's own library.

Its text is run by the Python of the environment that has Feast (`python -c <text> <repository>`): it imports
nothing of this package, because Feast and Airflow can seldom share one environment.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

_ADDRESS = ("type", "account", "host", "port", "database", "region", "cluster_id", "project_id")
"""The settings of an offline store that name its tables; none of them is a secret."""


def read_registry(repository: str) -> dict[str, Any]:
    """Return project, registry path, offline store, and the registry's objects in protobuf's JSON form."""
    from feast import FeatureStore
    from google.protobuf.json_format import MessageToDict

    store = FeatureStore(repo_path=repository)
    offline = store.config.offline_store
    return {
        "project": store.project,
        "registry_path": str(getattr(store.config.registry, "path", "") or repository),
        "offline_store": {key: str(value) for key in _ADDRESS if (value := getattr(offline, key, None))},
        "registry": MessageToDict(store.registry.proto()),
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    json.dump(read_registry(sys.argv[1]), sys.stdout)
