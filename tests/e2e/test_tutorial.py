"""The tutorial, by someone who has nothing: each command as printed, and what it prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
MARK = "--- end of command"


def steps():
    """Yield the files to save as (path, text), and the commands as (command, the lines that it prints)."""
    for kind, title, text in BLOCK.findall(TUTORIAL.read_text()):
        if kind == "console":
            first, *commands = re.split(r"^\$ ", text, flags=re.MULTILINE)
            assert first == ""
            for command in commands:
                line, _, output = command.partition("\n")
                yield line, output.splitlines()
        else:
            assert title, f"a file without a name: {text}"
            yield Path(title), text


def script(listed):
    """Return one shell session of all steps; what a command prints ends with MARK and its exit status."""
    lines = ["status=0"]
    for step, text in listed:
        if isinstance(step, Path):
            lines += [f"mkdir -p {step.parent}", f"cat > {step} <<'END_OF_FILE'\n{text}END_OF_FILE"]
        else:  # `$?` is that of the command before
            lines += ["(exit $status)", step, "status=$?", f'echo; echo "{MARK} $status"']
    return "\n".join(lines)


def matches(expected, printed):
    """Whether the lines are as expected, where `...` is any text, or any lines or none."""
    pattern = re.escape("\n".join(line.rstrip() for line in expected))
    pattern = pattern.replace(re.escape("\n..."), "(?:\n(?:.|\n)*)?").replace(re.escape("..."), "(?:.|\n)*")
    return re.fullmatch(pattern, "\n".join(line.rstrip() for line in printed).strip("\n")) is not None


@pytest.mark.e2e
def test_the_commands_of_the_tutorial_do_what_it_says(tmp_path):
    listed = list(steps())
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "DBT_", "OPENLINEAGE", "VIRTUAL_ENV", "PYTHON"))
    }
    environment |= {"CHECKOUT": str(ROOT), "PATH": f"{Path(sys.base_prefix) / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash"],
        input=script(listed),
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    printed = re.split(rf"\n{MARK} (\d+)\n", done.stdout)
    commands = [(step, output) for step, output in listed if not isinstance(step, Path)]
    assert len(printed) == 2 * len(commands) + 1, done.stdout[-3000:]
    for index, (command, output) in enumerate(commands):
        text, status = printed[2 * index], printed[2 * index + 1]
        after = commands[index + 1][0] if index + 1 < len(commands) else ""
        assert after == "echo $?" or status == "0", f"$ {command}\n{text}"
        if output:
            assert matches(output, text.splitlines()), f"$ {command}\n{text}"
