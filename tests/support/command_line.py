"""The command line in this process."""

from click.testing import CliRunner, Result

from airflow_lineage_provider.cli import main


def call(*words: object, stdin: str | None = None, **environment: str) -> Result:
    """Run `airflow-lineage WORDS`, with more environment variables, and return its result."""
    return CliRunner().invoke(main, [str(word) for word in words], input=stdin, env=environment)
