"""The documents: reference pages are made from the code, links lead somewhere, commands exist."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from airflow_lineage_provider.cli import main
from airflow_lineage_provider.graph import Code

ROOT = Path(__file__).parents[1]
NAMES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
PAGES = [*(ROOT / name for name in NAMES), *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The pages as the code makes them, in a process of their own: click caches the help of a command."""
    folder = tmp_path_factory.mktemp("docs")
    subprocess.run([sys.executable, ROOT / "docs" / "generate.py", folder], check=True)
    return folder


def test_the_reference_pages_are_what_the_code_says(made):
    pages = [page.relative_to(made) for page in made.rglob("*.md")]
    assert len(pages) == 10
    differing = [page for page in pages if (ROOT / "docs" / page).read_text() != (made / page).read_text()]
    assert not differing, "run `python docs/generate.py`"


def test_every_code_of_a_finding_is_explained_once(generate):
    explained = [code for entries in generate.FINDINGS.values() for code, _, _ in entries]
    assert sorted(explained) == sorted(Code)


def test_every_key_of_the_map_has_an_example(generate):
    """Add an example of a new key to docs/snippets/map/rarer_keys.yaml."""
    examples = generate.key_examples()
    models = [model for _, model in generate._models(generate.Map, "the map")]
    words = {(model, field.alias or key) for model in models for key, field in model.model_fields.items()}
    assert not [f"{model.__name__}.{word}" for model, word in words - set(examples)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_leads_to_a_file(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not re.match(r"https?:|#|mailto:", target):
            assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_command_exists(page):
    for name in re.findall(r"airflow-lineage ([a-z]+)\b", page.read_text()):
        assert name in main.commands, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_options_of_a_command_exist(page):
    for line in re.findall(r"^\$ .*?(airflow-lineage .*)$", page.read_text(), re.MULTILINE):
        words = re.split(r" [>|#] ?", line)[0].split()[1:]
        command = main
        while isinstance(command, click.Group) and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts}
        for option in (word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)):
            assert option in known, line


def test_every_operator_and_sensor_is_in_the_list():
    page = (ROOT / "docs" / "reference" / "operators.md").read_text()
    folder = ROOT / "airflow_lineage_provider"
    for file in (*folder.glob("operators/*.py"), *folder.glob("sensors/*.py")):
        for name in re.findall(r"^class ([A-Z]\w+)\(.*(?:Operator|Sensor)", file.read_text(), re.MULTILINE):
            assert f"`{name}`" in page, name
