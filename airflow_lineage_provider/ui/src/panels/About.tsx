import { Badge, toneOf } from "../common/Badge";
import { safeUrl, time, words } from "../common/format";
import { Name } from "../common/Name";
import type { DatasetDetail, Edge } from "../api/types";

interface Props {
  detail: DatasetDetail;
  onDataset: (dataset: string) => void;
}

/** Owners, documentation, freshness, links, and which systems claim each edge. */
export function About({ detail, onDataset }: Props) {
  const { dataset, edges } = detail;
  const into = edges.filter((edge) => edge.target === dataset.id);
  const out = edges.filter((edge) => edge.source === dataset.id);
  return (
    <>
      {detail.documentation && <p className="ln-prose">{detail.documentation}</p>}
      <dl className="ln-facts">
        <dt>Owners</dt>
        <dd>
          {detail.owners.length ? <Names names={detail.owners} /> : <span className="ln-muted">none documented</span>}
        </dd>
        {dataset.tags.length > 0 && (
          <>
            <dt>Tags</dt>
            <dd>
              <Names names={dataset.tags} />
            </dd>
          </>
        )}
        <dt>Freshness</dt>
        <dd>
          <Freshness freshness={detail.freshness} />
        </dd>
        <dt>Namespace</dt>
        <dd>
          <bdi>{detail.namespace || "–"}</bdi>
        </dd>
        <dt>Name</dt>
        <dd>
          <bdi>{detail.name || "–"}</bdi>
        </dd>
      </dl>
      <Links links={detail.links} />
      <Claims title="Reads from" edges={into} other={(edge) => edge.source} onDataset={onDataset} />
      <Claims title="Read by" edges={out} other={(edge) => edge.target} onDataset={onDataset} />
    </>
  );
}

function Names({ names }: { names: readonly string[] }) {
  return (
    <ul className="ln-chips">
      {names.map((name) => (
        <li key={name} className="ln-chip">
          <Name text={name} />
        </li>
      ))}
    </ul>
  );
}

function Freshness({ freshness }: { freshness: DatasetDetail["freshness"] }) {
  const { sla, last, late } = freshness;
  if (sla === null && last === null) return <span className="ln-muted">not known</span>;
  return (
    <span className="ln-stack">
      {last !== null && <span>written {time(last)}</span>}
      <span>
        {late !== null && <Badge tone={late ? "error" : "ok"}>{late ? "late" : "on time"}</Badge>}{" "}
        {sla === null ? <span className="ln-muted">no SLA documented</span> : <Name text={`SLA: ${sla}`} />}
      </span>
    </span>
  );
}

function Links({ links }: { links: DatasetDetail["links"] }) {
  const safe = links.filter((link) => safeUrl(link.url) !== null);
  if (!safe.length) return null;
  return (
    <ul className="ln-chips" aria-label="Links">
      {safe.map((link) => (
        <li key={link.url}>
          <a className="ln-button" href={link.url} target="_blank" rel="noreferrer">
            <Name text={link.label} />
            <span aria-hidden="true"> ↗</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

interface ClaimsProps {
  title: string;
  edges: readonly Edge[];
  other: (edge: Edge) => string;
  onDataset: (dataset: string) => void;
}

function Claims({ title, edges, other, onDataset }: ClaimsProps) {
  if (!edges.length) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul className="ln-rows">
        {edges.map((edge) => (
          <li key={other(edge)}>
            <button
              type="button"
              className="ln-link"
              onClick={() => {
                onDataset(other(edge));
              }}
            >
              <Name text={other(edge)} />
            </button>
            <Badge tone={toneOf(edge.state)}>{words(edge.state)}</Badge>
            <span className="ln-muted ln-break">
              {edge.claims.length ? (
                <>
                  claimed by <bdi>{edge.claims.join(", ")}</bdi>
                </>
              ) : (
                "claimed by nothing"
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
