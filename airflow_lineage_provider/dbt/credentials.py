"""The credentials of a dbt target, for what writes to the same warehouse without dbt."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import Any

from airflow_lineage_provider.dbt.records import DbtError


def target_credentials(project_dir: str, profiles_dir: str | None, target: str | None) -> Any:
    """Return the dbt adapter's credentials object of a profile's target, its variables rendered.

    Raises DbtError where the profile cannot be read or has no such target.
    """
    return target_profile(project_dir, profiles_dir, target).credentials


def target_profile(project_dir: str, profiles_dir: str | None, target: str | None) -> Any:
    """Return dbt's profile object: `profile_name`, `target_name` and `credentials`, its variables rendered.

    Raises DbtError where the profile cannot be read or has no such target.
    """
    from dbt.config.runtime import load_profile
    from dbt.flags import set_from_args
    from dbt_common.context import set_invocation_context
    from dbt_common.exceptions import DbtBaseException

    folder = profiles_dir or os.environ.get("DBT_PROFILES_DIR") or project_dir
    set_invocation_context(os.environ)
    set_from_args(Namespace(profiles_dir=folder, PROFILES_DIR=folder, project_dir=project_dir), {})
    try:
        return load_profile(project_dir, {}, None, target)
    except DbtBaseException as error:
        raise DbtError(f"the dbt profile in {folder}: {' '.join(str(error).split())}") from None
