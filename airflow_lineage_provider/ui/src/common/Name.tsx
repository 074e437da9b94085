/** A name from outside: shown as text, isolated from the direction of its surroundings, cut with an ellipsis. */
export function Name({ text, className }: { text: string; className?: string }) {
  return (
    <bdi className={className ? `ln-name ${className}` : "ln-name"} title={text}>
      {text}
    </bdi>
  );
}

/** A dataset's or a column's full name. The two parts are isolated from each other: each may be right to left. */
export function ColumnName({ dataset, column }: { dataset: string; column: string | null }) {
  if (column === null) return <Name text={dataset} />;
  return (
    <span className="ln-name" title={`${dataset}.${column}`}>
      <bdi>{dataset}</bdi>.<bdi>{column}</bdi>
    </span>
  );
}

/** Names one after another, such as owners. */
export function NameList({ names, className }: { names: readonly string[]; className?: string }) {
  return (
    <span className={className ? `ln-name ${className}` : "ln-name"} title={names.join(", ")}>
      {names.map((name, index) => (
        <span key={name}>
          {index > 0 && ", "}
          <bdi>{name}</bdi>
        </span>
      ))}
    </span>
  );
}
