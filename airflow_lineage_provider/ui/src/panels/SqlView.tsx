import { useMemo } from "react";
import { CopyButton } from "../common/CopyButton";
import { Scroll } from "../common/Scroll";
import { expressionOf, sameName, selectItems, tokenize, type Token } from "./sql";

const MAX_HIGHLIGHTED = 200_000;

interface Props {
  sql: string;
  dialect: string;
  columns: readonly string[];
  column: string | null;
  expression: string | null;
  onColumn: (column: string) => void;
}

/** Compiled SQL: its columns can be chosen, and the expression of the chosen one is marked. */
export function SqlView({ sql, dialect, columns, column, expression, onColumn }: Props) {
  const tokens = useMemo(() => (sql.length > MAX_HIGHLIGHTED ? [] : withoutGaps(tokenize(sql.trim()))), [sql]);
  const links = useMemo(() => columnTokens(tokens, columns), [tokens, columns]);
  const marked = column === null ? null : expressionOf(tokens, column, expression);
  const draw = (from: number, to: number) =>
    tokens
      .slice(from, to)
      .map((token, index) => (
        <SqlToken key={from + index} token={token} column={links.get(from + index) ?? null} onColumn={onColumn} />
      ));
  return (
    <div>
      <div className="ln-toolbar">
        <span className="ln-muted ln-break">
          Compiled SQL{dialect && ` (${dialect})`}
          {column !== null && (marked ? ", marked: " : ", not found in it: ")}
          {column !== null && <bdi>{column}</bdi>}
        </span>
        <CopyButton text={sql} label="Copy SQL" />
      </div>
      <Scroll label="Compiled SQL" className="ln-code">
        <pre className="ln-sql">
          <code>
            {tokens.length === 0 && sql}
            {marked === null ? (
              draw(0, tokens.length)
            ) : (
              <>
                {draw(0, marked[0])}
                <mark className="ln-mark">{draw(...marked)}</mark>
                {draw(marked[1], tokens.length)}
              </>
            )}
          </code>
        </pre>
      </Scroll>
    </div>
  );
}

interface TokenProps {
  token: Token;
  column: string | null;
  onColumn: (column: string) => void;
}

function SqlToken({ token, column, onColumn }: TokenProps) {
  if (column !== null) {
    return (
      <button
        type="button"
        className="ln-sql-column"
        title="Show where this column comes from"
        onClick={() => {
          onColumn(column);
        }}
      >
        {token.text}
      </button>
    );
  }
  if (token.kind === "space" || token.kind === "symbol" || token.kind === "identifier") return token.text;
  return <span className={`ln-sql-${token.kind}`}>{token.text}</span>;
}

/** The tokens with at most one empty line between them: Jinja leaves many. */
function withoutGaps(tokens: Token[]): Token[] {
  return tokens.map((token) =>
    token.kind === "space" ? { ...token, text: token.text.replace(/\n\s*\n(?=[^\n]*$)/, "\n\n") } : token,
  );
}

/** The tokens that name a column of the result, by the column. */
function columnTokens(tokens: readonly Token[], columns: readonly string[]): Map<number, string> {
  const found = new Map<number, string>();
  for (const item of selectItems(tokens)) {
    const column = columns.find((name) => sameName(name, item.column));
    if (column !== undefined) found.set(item.name, column);
  }
  return found;
}
