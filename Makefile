# The commands of the README. Each sets up what it needs; a second call does not do it again.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
TEST_INSTALLED := $(VENV)/.test-installed
# The pages in Airflow's UI: their sources, and the bundle that is packaged.
UI := airflow_lineage_provider/ui
UI_MODULES := $(UI)/node_modules/.package-lock.json
UI_BUNDLE := airflow_lineage_provider/plugins/static/LICENSES.txt
UI_SOURCES := $(shell find $(UI) -name node_modules -prune -o -type f -print 2> /dev/null)
# The oldest Airflow that is supported, for one test.
OLDEST := .venv-airflow-3.1
# MkDocs, apart from everything else.
DOCS := .venv-docs
SITE := site

# An environment where bytecode is not written makes every dbt process import for 5 s instead of 2.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo ui stack test check audit format docs compare bench soak pins clean

help: ## list the commands
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## make the environment in .venv

$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with 'make install PYTHON=python3.11'" >&2; exit 2; }
	@echo "[1/3] environment in $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "[2/3] $$(grep -c == requirements.txt) pinned packages"
	@$(BIN)/python -m pip install --disable-pip-version-check --no-deps -r requirements.txt
	@echo "[3/3] airflow-lineage-provider"
	@$(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation --quiet --editable .
	@touch $@

$(TEST_INSTALLED): requirements-test.txt $(INSTALLED)
	@echo "[+] $$(grep -c == requirements-test.txt) pinned packages for tests and checks"
	@$(BIN)/python -m pip install --disable-pip-version-check --no-deps -r requirements-test.txt
	@touch $@

# The demo has an Airflow home of its own, and both its event store and its warehouse, in this folder.
demo: export AIRFLOW_HOME := $(CURDIR)/.airflow
demo: export AIRFLOW__CORE__DAGS_FOLDER := $(CURDIR)/dags
demo: export AIRFLOW__CORE__LOAD_EXAMPLES := False
demo: export AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY := 5
# On the terminal: dbt's own lines, and what goes wrong. Everything is in .airflow/logs.
demo: export AIRFLOW__LOGGING__LOGGING_LEVEL := WARNING
demo: export AIRFLOW__LOGGING__NAMESPACE_LEVELS := airflow.task.operators.airflow_lineage_provider.operators=INFO
demo: export AIRFLOW__LOGGING__LOG_FORMAT := %(message)s
demo: export PYTHONWARNINGS := ignore
demo: export AIRFLOW__OPENLINEAGE__TRANSPORT := {"type": "airflow_lineage_provider.OutboxTransport"}
demo: $(INSTALLED) ## run the pipeline on DuckDB and prove its lineage, to the dashboards
	@echo "[1/5] source data: a CRM database, and events for a Kafka topic"
	@$(BIN)/python dbt_project/source_data.py --topic --directory dbt_project/data $$(test -f dbt_project/data/crm.duckdb && echo --batch 2)
	@echo "[2/5] Airflow's database in .airflow"
	@test -f .airflow/airflow.db || $(BIN)/airflow db migrate > .airflow.log 2>&1 || { cat .airflow.log; exit 1; }; rm -f .airflow.log
	@echo "[3/5] airflow dags test customer_analytics_pipeline, beside a broker and a Schema Registry"
	@$(BIN)/python dbt_project/event_stream.py --directory dbt_project/data -- $(BIN)/airflow dags test customer_analytics_pipeline; echo $$? > .airflow/status
	@echo "[4/5] airflow dags test customer_analytics_consumers, from saved answers of Tableau, Tecton and SageMaker"
	@test $$(cat .airflow/status) -ne 0 || $(BIN)/airflow dags test customer_analytics_consumers > .airflow/consumers.log 2>&1 || { cat .airflow/consumers.log; echo 1 > .airflow/status; }
	@echo "[5/5] what both emitted, beside what is documented"
	@$(BIN)/airflow-lineage validate dags/customer_analytics_pipeline.yaml --environment dev
	@printf '\nNext: what would break if bronze.raw_orders.amount changed?\n  $(BIN)/airflow-lineage impact dags/customer_analytics_pipeline.yaml bronze.raw_orders.amount --run latest --environment dev\n'
	@exit $$(cat .airflow/status)

ui: $(UI_BUNDLE) ## build the pages in Airflow's UI (needs Node 20 or newer)

$(UI_MODULES): $(UI)/package.json $(UI)/package-lock.json
	@node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2> /dev/null || { echo "Node 20 or newer is needed for 'make ui' (Debian: apt-get install nodejs npm; everything but the pages works without)" >&2; exit 2; }
	@echo "[1/2] npm packages in $(UI)/node_modules"
	@cd $(UI) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(UI_BUNDLE): $(UI_MODULES) $(UI_SOURCES)
	@echo "[2/2] bundle in $(@D)"
	@cd $(UI) && npm run --silent build
	@touch $@

stack: $(TEST_INSTALLED) ## the whole path on real servers: Postgres, Kafka, Connect, S3, Snowflake's protocol, Airflow
	@$(BIN)/python -m tests.stack

check: $(TEST_INSTALLED) ## ruff, mypy --strict, the import rules, declared dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry airflow_lineage_provider

audit: $(TEST_INSTALLED) ## licences and known vulnerabilities of what is installed
	$(BIN)/python tests/audit.py

format: $(TEST_INSTALLED) ## let ruff format and fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(DOCS)/.installed: requirements-docs.txt
	@echo "[1/2] environment in $(DOCS)"
	@test -x $(DOCS)/bin/python || $(PYTHON) -m venv $(DOCS)
	@echo "[2/2] $$(grep -c == $<) pinned packages"
	@$(DOCS)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps -r $<
	@touch $@

compare: $(TEST_INSTALLED) ## run this, dbt-ol, Cosmos and DataHub on one dbt project, and write docs/comparison.md
	$(BIN)/python -m tests.comparison

docs: export NO_MKDOCS_2_WARNING := 1
docs: export DISABLE_MKDOCS_2_WARNING := true
docs: $(DOCS)/.installed ## the documentation as pages in site/; a warning or a broken link fails
	$(DOCS)/bin/python -m mkdocs build --quiet --strict --site-dir $(SITE)

$(OLDEST)/.installed: requirements-airflow-3.1.txt
	@echo "[1/2] environment in $(OLDEST)"
	@test -x $(OLDEST)/bin/python || $(PYTHON) -m venv $(OLDEST)
	@echo "[2/2] $$(grep -c == $<) pinned packages"
	@$(OLDEST)/bin/python -m pip install --disable-pip-version-check --no-deps -r $<
	@touch $@

# Real servers, schedulers and brokers on two cores: a test that fails runs once more, and the summary names it.
test: PYTEST := $(BIN)/python -m pytest --reruns 1 -raR
test: $(TEST_INSTALLED) $(OLDEST)/.installed ## every test, the fast ones first
	$(PYTEST) -n 2 --dist loadfile -m 'not e2e'
	$(PYTEST) -m e2e

BENCH ?= $(filter-out events measured outage,$(patsubst tests/bench/%.py,%,$(wildcard tests/bench/*.py)))
bench: $(TEST_INSTALLED) ## every benchmark, or BENCH=dbt: each prints its ratio last, and fails where it misses its bar
	@status=0; for name in $(BENCH); do echo "== $$name"; $(BIN)/python -P tests/bench/$$name.py || status=1; done; exit $$status

soak: $(TEST_INSTALLED) ## kill 1,000 writers and 300 forwarders, on SQLite and on Postgres; prints what was lost (and 100 of each mover)
	SOAK_WRITERS_KILLS=$${SOAK_WRITERS_KILLS:-1000} SOAK_FORWARDERS_KILLS=$${SOAK_FORWARDERS_KILLS:-300} \
	  $(BIN)/python -m pytest -q -s tests/store tests/forwarding -k killed_at_any_moment
	INGEST_KILLS=100 $(BIN)/python -m pytest -q -s tests/ingest/test_kills.py

# dbt-core 1.12 needs a package whose build downloads.
pins: ## resolve requirements.txt and requirements-test.txt anew
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --upgrade hatchling editables '.[demo]' 'dbt-core<1.12'
	{ echo '# What `make install` and `make demo` install, resolved on Python 3.11. Renew with `make pins`.'; \
	  $(BIN)/python -m pip freeze --exclude airflow-lineage-provider | sed 's/ @ .*//'; } > requirements.txt
	$(BIN)/python -m pip install --constraint requirements.txt '.[dev]'
	{ echo '# What `make test` and `make check` install beside requirements.txt. Renew with `make pins`.'; \
	  $(BIN)/python -m pip freeze --exclude airflow-lineage-provider | sed 's/ @ .*//' \
	  | grep -vxF -f requirements.txt; } > requirements-test.txt
	rm -rf $(OLDEST) $(OLDEST)-uv
	$(PYTHON) -m venv $(OLDEST)
	$(PYTHON) -m venv $(OLDEST)-uv
	$(OLDEST)-uv/bin/python -m pip install uv
	$(OLDEST)-uv/bin/uv pip install --python $(OLDEST)/bin/python apache-airflow==3.1.8 --exclude-newer 2026-04-15
	$(OLDEST)-uv/bin/uv pip install --python $(OLDEST)/bin/python apache-airflow==3.1.8 '.[duckdb]' 'dbt-core<1.12'
	{ echo '# The oldest Airflow that is supported, with the libraries of its time. Renew with `make pins`.'; \
	  $(OLDEST)/bin/python -m pip freeze --exclude airflow-lineage-provider | sed 's/ @ .*//'; } > requirements-airflow-3.1.txt
	rm -rf $(OLDEST)-uv
	rm -rf $(DOCS)
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install mkdocs-material 'mkdocstrings[python]'
	{ echo '# What `make docs` installs into an environment of its own, resolved on Python 3.11. Renew with `make pins`.'; \
	  $(DOCS)/bin/python -m pip freeze; } > requirements-docs.txt

clean: ## remove what demo and tests made; the environment stays
	rm -rf .airflow dbt_project/data dbt_project/target dbt_project/logs site
