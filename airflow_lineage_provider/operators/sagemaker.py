"""The lineage of Amazon SageMaker's models as a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.systems.saved import SavedAnswer


class SageMakerLineageOperator(BaseOperator):
    """Emits the lineage of SageMaker's models: what each was trained on, its version and its approval.

    Reads model package groups, models, training jobs, feature groups and SageMaker's own lineage, and changes
    nothing. What the credentials may not read makes the answer incomplete: the task's log and the events say
    so, and a model whose training data is not known fails the task.

    :param models: names of model package groups or models; all of the account and region without it.
    :param aws_conn_id: a connection of type `aws`.
    :param region_name: the region; the connection's without it.
    :param saved_answer: a file that `airflow-lineage fetch sagemaker` wrote, or a folder with one, which is
        read in place of SageMaker; relative to the DAG file's folder.
    :param store_conn_id: the event store, a connection of type `lineage_store`.

    Returns a summary to XCom: jobs by state, problems, events, the time of a saved answer.
    """

    template_fields: Sequence[str] = ("models", "region_name", "saved_answer")
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(
        self,
        *,
        models: Sequence[str] | str | None = None,
        aws_conn_id: str = "aws_default",
        region_name: str | None = None,
        saved_answer: str | None = None,
        store_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.models = models
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.saved_answer = saved_answer
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Read SageMaker or the saved answer, and commit the events."""
        from airflow_lineage_provider.utils.answers import commit_answer, read_answer
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task

        with expected_errors_fail_task():
            answer = read_answer(self, "sagemaker", self.saved_answer, self._fetch)
            return commit_answer(context, self.store_conn_id, answer)

    def _fetch(self) -> SavedAnswer:
        from airflow_lineage_provider.systems.sagemaker.client import client_answer

        try:
            from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
        except ModuleNotFoundError:
            raise InputError(
                "Amazon's provider is missing: pip install airflow-lineage-provider[aws]"
            ) from None
        from botocore.exceptions import BotoCoreError

        name = f"connection {self.aws_conn_id!r}"
        try:
            hook: Any = AwsGenericHook(
                self.aws_conn_id, region_name=self.region_name, client_type="sagemaker"
            )
            client = hook.get_conn()
        except BotoCoreError as error:
            raise InputError(f"{name}: {error}: check its region and credentials") from None
        models = (self.models,) if isinstance(self.models, str) else self.models or ()
        return client_answer(client, name, models)
