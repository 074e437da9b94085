import { useMemo, useState } from "react";
import { Badge } from "../common/Badge";
import { words } from "../common/format";
import { ColumnName, NameList } from "../common/Name";
import { impactTrees, type ImpactItem, type ImpactNode } from "./tree";

interface Props {
  items: readonly ImpactItem[];
  onDataset: (dataset: string, column: string | null) => void;
}

/** What a change reaches, as trees whose branches can be closed. */
export function ImpactTree({ items, onDataset }: Props) {
  const trees = useMemo(() => impactTrees(items), [items]);
  return (
    <div className="ln-tree">
      <Branches nodes={trees} onDataset={onDataset} />
    </div>
  );
}

function Branches({ nodes, onDataset }: { nodes: readonly ImpactNode[]; onDataset: Props["onDataset"] }) {
  return (
    <ul>
      {nodes.map((node) => (
        <Branch key={node.id} node={node} onDataset={onDataset} />
      ))}
    </ul>
  );
}

function Branch({ node, onDataset }: { node: ImpactNode; onDataset: Props["onDataset"] }) {
  const [isOpen, setOpen] = useState(true);
  return (
    <li>
      <span className="ln-tree-item">
        {node.children.length > 0 ? (
          <button
            type="button"
            className="ln-toggle"
            aria-expanded={isOpen}
            aria-label={`What ${node.id} is passed on to`}
            onClick={() => {
              setOpen(!isOpen);
            }}
          >
            <span aria-hidden="true">{isOpen ? "▾" : "▸"}</span>
          </button>
        ) : (
          <span className="ln-toggle" aria-hidden="true" />
        )}
        <Item item={node.item} onDataset={onDataset} />
      </span>
      {isOpen && node.children.length > 0 && <Branches nodes={node.children} onDataset={onDataset} />}
    </li>
  );
}

function Item({ item, onDataset }: { item: ImpactItem; onDataset: Props["onDataset"] }) {
  const kind = words(item.kind).toLowerCase();
  return (
    <>
      <button
        type="button"
        className="ln-link"
        onClick={() => {
          onDataset(item.dataset, item.column);
        }}
      >
        <ColumnName dataset={item.dataset} column={item.column} />
      </button>
      {item.consumer ? <Badge tone="warning">{kind}</Badge> : <span className="ln-muted">{kind}</span>}
      {item.owners.length > 0 && <NameList className="ln-muted" names={item.owners} />}
    </>
  );
}
