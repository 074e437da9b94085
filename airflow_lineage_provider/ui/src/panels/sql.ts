/** A tokenizer of SQL for highlighting: it never fails, and the texts of its tokens joined are the input. */

export type TokenKind = "space" | "comment" | "string" | "identifier" | "number" | "keyword" | "function" | "symbol";

export interface Token {
  kind: TokenKind;
  text: string;
}

const KEYWORDS = new Set(
  (
    "all and any array as asc between by case cast create cross current date delete desc distinct drop else end " +
    "escape except exclude exists false fetch filter first following for from full group grouping having ilike in " +
    "inner insert intersect interval into is join last lateral left like limit merge natural not null nulls offset " +
    "on or order outer over partition preceding qualify range recursive replace right row rows select set sets some " +
    "table temporary then timestamp to true unbounded union unnest update using values view when where window with"
  ).split(" "),
);

const PATTERNS: readonly [TokenKind, RegExp][] = [
  ["space", /\s+/y],
  ["comment", /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y],
  ["string", /'(?:[^']|'')*(?:'|$)|\$\$[\s\S]*?(?:\$\$|$)/y],
  ["identifier", /"(?:[^"]|"")*(?:"|$)|`[^`]*(?:`|$)/y],
  ["number", /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+/y],
  ["identifier", /[\p{L}_@#][\p{L}\p{N}_$@#]*/uy],
  ["symbol", /::|<>|[<>!=|]=|\|\||->>?|[\s\S]/y],
];

export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < sql.length) {
    const token = tokenAt(sql, at);
    tokens.push(token);
    at += token.text.length;
  }
  return tokens;
}

function tokenAt(sql: string, at: number): Token {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const text = pattern.exec(sql)?.[0];
    if (text) return { kind: kind === "identifier" ? wordKind(sql, at + text.length, text) : kind, text };
  }
  return { kind: "symbol", text: sql.charAt(at) };
}

function wordKind(sql: string, end: number, text: string): TokenKind {
  if (KEYWORDS.has(text.toLowerCase()) && sql.charAt(end) !== ".") return "keyword";
  return sql.charAt(end) === "(" ? "function" : "identifier";
}

/** An item of a SELECT list: its tokens are `[start, end)`; its column is named by the token `name`. */
export interface SelectItem {
  start: number;
  end: number;
  name: number;
  column: string;
}

const ENDS_LIST = new Set([
  "from",
  "where",
  "group",
  "having",
  "order",
  "limit",
  "union",
  "intersect",
  "except",
  "qualify",
]);

/** The named items of all SELECT lists, in the order in which they stand. */
export function selectItems(tokens: readonly Token[]): SelectItem[] {
  const items: SelectItem[] = [];
  tokens.forEach((token, index) => {
    if (token.kind === "keyword" && token.text.toLowerCase() === "select") items.push(...listItems(tokens, index + 1));
  });
  return items.sort((left, right) => left.start - right.start);
}

function listItems(tokens: readonly Token[], from: number): SelectItem[] {
  const found: (SelectItem | null)[] = [];
  let depth = 0;
  let start = from;
  for (const [at, { kind, text }] of tokens.entries()) {
    if (at < from) continue;
    if (text === "(" || text === "[") depth++;
    else if (text === ")" || text === "]") depth--;
    const ends =
      depth < 0 || (depth === 0 && (text === ";" || (kind === "keyword" && ENDS_LIST.has(text.toLowerCase()))));
    if (ends || (depth === 0 && text === ",")) {
      found.push(namedItem(tokens, start, at));
      start = at + 1;
    }
    if (ends) return found.filter((item) => item !== null);
  }
  found.push(namedItem(tokens, start, tokens.length));
  return found.filter((item) => item !== null);
}

function namedItem(tokens: readonly Token[], from: number, to: number): SelectItem | null {
  const places: number[] = [];
  for (let at = from; at < to; at++) {
    const token = tokens[at];
    if (token && isMeaningful(token) && !(places.length === 0 && /^(distinct|all)$/i.test(token.text))) places.push(at);
  }
  const start = places[0];
  const name = places.at(-1);
  const last = name === undefined ? undefined : tokens[name];
  if (start === undefined || name === undefined || !last) return null;
  if (last.kind !== "identifier" && last.kind !== "keyword") return null;
  if (/^(end|null|true|false)$/i.test(last.text)) return null;
  return { start, end: name + 1, name, column: unquoted(last.text) };
}

export function unquoted(name: string): string {
  const quote = name.charAt(0);
  if (quote !== '"' && quote !== "`") return name;
  return name.slice(1, name.length > 1 && name.endsWith(quote) ? -1 : undefined).replaceAll(quote + quote, quote);
}

/**
 * Where a column's expression stands in a statement, as `[start, end)` of its tokens, or null.
 *
 * The expression as the lineage gives it is looked for first; it may be normalized, so that the last SELECT item
 * that makes the column (nearest to the result) is the fallback.
 */
export function expressionOf(
  tokens: readonly Token[],
  column: string,
  expression: string | null,
): [number, number] | null {
  const items = selectItems(tokens).filter((item) => sameName(item.column, column));
  const exact = expression === null ? null : findTokens(tokens, tokenize(expression));
  const found = items.findLast((item) => exact === null || (item.start <= exact[0] && exact[1] <= item.end));
  if (found && exact) return [found.start, found.end];
  if (exact && exact[1] - exact[0] > 1) return exact;
  const made = items.findLast((item) => item.end - item.start > 3) ?? items.at(-1);
  return made ? [made.start, made.end] : null;
}

export function sameName(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

/** The last place where the wanted tokens stand, spaces and comments aside. */
function findTokens(tokens: readonly Token[], wanted: readonly Token[]): [number, number] | null {
  const needle = wanted.filter(isMeaningful).map(normal);
  const hay = [...tokens.entries()].filter(([, token]) => isMeaningful(token));
  for (let at = hay.length - needle.length; needle.length > 0 && at >= 0; at--) {
    const part = hay.slice(at, at + needle.length);
    const first = part[0];
    const last = part.at(-1);
    if (first && last && part.every(([, token], offset) => normal(token) === needle[offset]))
      return [first[0], last[0] + 1];
  }
  return null;
}

function isMeaningful(token: Token): boolean {
  return token.kind !== "space" && token.kind !== "comment";
}

function normal(token: Token): string {
  return token.kind === "string" ? token.text : unquoted(token.text).toLowerCase();
}
