"""A temporary dbt profile for one invocation. Its secrets are in the environment, never in a file."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from airflow_lineage_provider.dbt.records import DbtError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# dbt masks the values of variables with this prefix in its own log.
SECRET_PREFIX = "DBT_ENV_SECRET_LINEAGE_"  # noqa: S105 - a variable's name


def project_settings(project_dir: str) -> dict[str, Any]:
    """Return the settings in `dbt_project.yml`. Raises DbtError, with the file, if it is no YAML mapping."""
    path = Path(project_dir, "dbt_project.yml")
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DbtError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(settings, dict):
        raise DbtError(f"{path} holds no settings; it must be a mapping that begins with 'name: my_project'")
    return settings


def profile_name(project_dir: str) -> str:
    """Return the profile that `dbt_project.yml` names. Raises DbtError if it names none."""
    name = project_settings(project_dir).get("profile")
    if not isinstance(name, str):
        raise DbtError(f"{Path(project_dir, 'dbt_project.yml')} names no profile; add 'profile: my_profile'")
    return name


@contextmanager
def temporary_profile(
    name: str, target: str, output: Mapping[str, Any], secrets: Mapping[str, str]
) -> Iterator[str]:
    """Write a profile with one output for the duration of the `with` block; yield its profiles_dir.

    `secrets` are fields of the output, such as `password`.
    """
    variables = {f"{SECRET_PREFIX}{field.upper()}": value for field, value in secrets.items()}
    fields = {field: f"{{{{ env_var('{SECRET_PREFIX}{field.upper()}') }}}}" for field in secrets}
    profile = {name: {"target": target, "outputs": {target: {**output, **fields}}}}
    before = {variable: os.environ.get(variable) for variable in variables}
    with tempfile.TemporaryDirectory(prefix="dbt-profile-") as folder:
        file = Path(folder, "profiles.yml")
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(profile), encoding="utf-8")
        os.environ.update(variables)
        try:
            yield folder
        finally:
            for variable, value in before.items():
                if value is None:
                    del os.environ[variable]
                else:
                    os.environ[variable] = value
