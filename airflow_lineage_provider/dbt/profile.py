"""A temporary dbt profile for one invocation. Its texts are in the environment, never in the file.

dbt renders each text of a profile as Jinja, but not the values of environment variables. So a field of
a connection cannot run Jinja, and no secret is written, such as the token in a MotherDuck path.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from airflow_lineage_provider.dbt.records import DbtError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# dbt masks the values of variables with this prefix in its own log.
SECRET_PREFIX = "DBT_ENV_SECRET_LINEAGE_"  # noqa: S105 - a variable's name
PREFIX = "LINEAGE_PROFILE_"
FOLDER_PREFIX = "dbt-profile-"
_ABANDONED_SECONDS = 60


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
    name: str, target: str, output: Mapping[str, Any], secrets: Mapping[str, Any]
) -> Iterator[str]:
    """Write a profile with one output for the duration of the `with` block; yield its profiles_dir.

    `secrets` are fields of the output, such as `password`; both may be nested. Raises DbtError for a text
    that an environment variable cannot hold.
    """
    _remove_abandoned(Path(tempfile.gettempdir()))
    variables: dict[str, str] = {}
    fields = _merged(_by_variable(output, PREFIX, variables), _by_variable(secrets, SECRET_PREFIX, variables))
    profile = {name: {"target": target, "outputs": {target: fields}}}
    before = {variable: os.environ.get(variable) for variable in variables}
    with tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX) as folder, _locked(Path(folder)):
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


def _by_variable(value: Any, name: str, variables: dict[str, str]) -> Any:
    """Return the value with an `env_var` call for each text, and put the texts into `variables`."""
    if isinstance(value, dict):
        separator = "" if name.endswith("_") else "_"
        return {
            key: _by_variable(inner, f"{name}{separator}{key.upper()}", variables)
            for key, inner in value.items()
        }
    if not isinstance(value, str):
        return value
    if "\0" in value:
        raise DbtError(f"the connection's field for {name} holds a NUL character; remove it")
    variables[name] = value
    return f"{{{{ env_var('{name}') }}}}"


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    both = {
        key: _merged(first[key], second[key])
        for key in first.keys() & second.keys()
        if isinstance(first[key], dict) and isinstance(second[key], dict)
    }
    return {**first, **second, **both}


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a lock that ends with this process, so that others can tell whether the folder is in use."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders of processes that were killed: those of this user that nobody has locked."""
    for folder in parent.glob(f"{FOLDER_PREFIX}*"):
        with suppress(OSError):
            status = folder.lstat()
            if status.st_uid != os.getuid() or time.time() - status.st_mtime < _ABANDONED_SECONDS:
                continue
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
