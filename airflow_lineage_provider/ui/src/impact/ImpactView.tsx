import type { ImpactAnswer } from "../api/types";
import { CopyButton } from "../common/CopyButton";
import { plural, words } from "../common/format";
import { Name } from "../common/Name";
import { Badge } from "../common/Badge";
import { ImpactTree } from "./ImpactTree";
import { ownersOf } from "./tree";

interface Props {
  answer: ImpactAnswer;
  onDataset: (dataset: string, column: string | null) => void;
}

/** What a change reaches: how much, whom to inform, and the way it takes. */
export function ImpactView({ answer, onDataset }: Props) {
  const owners = ownersOf(answer.items);
  const consumers = new Set(answer.items.filter((item) => item.consumer).map((item) => item.dataset)).size;
  return (
    <section className="ln-card" aria-label="Impact">
      <div className="ln-panel-title">
        <h2>
          <Name text={answer.change} />
        </h2>
        <CopyButton text={answer.markdown} label="Copy as Markdown" />
      </div>
      {answer.items.length === 0 ? (
        <p role="status">Nothing that is known reads it: the change reaches no dataset, dashboard, feature or model.</p>
      ) : (
        <>
          <p role="status" className="ln-badges">
            <Badge tone={consumers ? "warning" : "info"}>{plural(consumers, "consumer")}</Badge>
            {Object.entries(answer.counts).map(([kind, number]) => (
              <span key={kind} className="ln-chip">
                <bdi>{words(kind).toLowerCase()}</bdi> {number}
              </span>
            ))}
          </p>
          <h3>Owners to inform</h3>
          {owners.length === 0 ? (
            <p className="ln-muted">The map documents no owner of what is reached.</p>
          ) : (
            <ul className="ln-chips">
              {owners.map(([owner, datasets]) => (
                <li key={owner} className="ln-chip">
                  <Name text={owner} /> <span className="ln-muted">{plural(datasets, "dataset")}</span>
                </li>
              ))}
            </ul>
          )}
          <h3>What it reaches</h3>
          <ImpactTree items={answer.items} onDataset={onDataset} />
        </>
      )}
    </section>
  );
}
