import { useId, useState } from "react";
import { useColumns, useGraph, useImpact } from "../api/hooks";
import type { Change } from "../api/types";
import { Answer } from "../common/Answer";
import { problemOf } from "../common/problem";
import { StatePage } from "../common/StatePage";
import { Tabs } from "../common/Tabs";
import type { PageProps } from "../shell/page";
import { useNavigate, useOption } from "../shell/view";
import { Choice } from "./Choice";
import { ImpactView } from "./ImpactView";

const CHANGES: readonly Change[] = ["removed", "renamed", "retyped"];

/** What a change of a column, or a migration, reaches. */
export function ImpactTab(props: PageProps) {
  const [by, setBy] = useOption("by", "column");
  return (
    <section className="ln-page" aria-label="Impact of a change">
      <Tabs
        label="What changes"
        selected={by}
        onSelect={setBy}
        tabs={[
          { id: "column", label: "A column" },
          { id: "migration", label: "A migration" },
        ]}
      >
        {by === "migration" ? <OfMigration {...props} /> : <OfColumn {...props} />}
      </Tabs>
    </section>
  );
}

function OfColumn({ run, view }: PageProps) {
  const navigate = useNavigate();
  const [said, setChange] = useOption("change", "removed");
  const change = CHANGES.find((one) => one === said) ?? "removed";
  const graph = useGraph(run);
  const { dataset, column } = view;
  const columns = useColumns(run, dataset);
  const answer = useImpact(run, dataset === null || column === null ? null : { dataset, column, change });
  return (
    <Answer query={graph} what="the datasets">
      {(shown) => (
        <>
          <Choice
            datasets={shown.datasets}
            columns={columns.data?.columns.items.map((item) => item.name) ?? null}
            dataset={dataset}
            column={column}
            change={change}
            onChange={setChange}
            onColumn={(id, name) => {
              navigate({ dataset: id, column: name });
            }}
          />
          {columns.isError && <StatePage problem={problemOf(columns.error)} onRetry={() => void columns.refetch()} />}
          {dataset === null || column === null ? (
            <p className="ln-muted">
              Choose a column to see what depends on it: datasets, dashboards, features and models.
            </p>
          ) : (
            <Result answer={answer} />
          )}
        </>
      )}
    </Answer>
  );
}

function OfMigration({ run }: PageProps) {
  const id = useId();
  const [sql, setSql] = useState("");
  const [asked, setAsked] = useState<string | null>(null);
  const answer = useImpact(run, asked === null ? null : { migration: asked });
  return (
    <>
      <form
        className="ln-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (sql.trim()) setAsked(sql);
        }}
      >
        <label htmlFor={id}>SQL of the migration</label>
        <textarea
          id={id}
          rows={8}
          spellCheck={false}
          className="ln-code-text"
          placeholder="ALTER TABLE bronze.raw_orders DROP COLUMN amount;"
          value={sql}
          onChange={(event) => {
            setSql(event.target.value);
          }}
        />
        <p className="ln-muted">The statements are read, not run.</p>
        <button type="submit" className="ln-button ln-button-main" disabled={!sql.trim()}>
          Show impact
        </button>
      </form>
      {asked !== null && <Result answer={answer} />}
    </>
  );
}

function Result({ answer }: { answer: ReturnType<typeof useImpact> }) {
  const navigate = useNavigate();
  return (
    <Answer query={answer} what="the impact">
      {(found) => (
        <ImpactView
          answer={found}
          onDataset={(dataset, column) => {
            navigate({ tab: "graph", dataset, column });
          }}
        />
      )}
    </Answer>
  );
}
