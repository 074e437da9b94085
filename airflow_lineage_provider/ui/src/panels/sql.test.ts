import { describe, expect, it } from "vitest";
import { HOSTILE } from "../test/samples";
import { expressionOf, selectItems, tokenize } from "./sql";

const marked = (sql: string, column: string, expression: string | null = null) => {
  const tokens = tokenize(sql);
  const place = expressionOf(tokens, column, expression);
  return (
    place &&
    tokens
      .slice(...place)
      .map((token) => token.text)
      .join("")
  );
};

describe("tokenize", () => {
  it.each([
    "select 'it''s' as x, \"a\"\"b\", `c` -- end\n/* c */ from t where a::int <> 1.5e3 and $$raw$$ = '",
    "",
    "/* not closed",
    ...HOSTILE,
  ])("keeps every character of %j", (sql) => {
    expect(
      tokenize(sql)
        .map((token) => token.text)
        .join(""),
    ).toBe(sql);
  });

  it("tells keywords, functions, strings, comments and names apart", () => {
    const kinds = tokenize("select sum(x) from t -- c\nwhere y = 'z'").filter((token) => token.kind !== "space");
    expect(kinds.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      "keyword select",
      "function sum",
      "symbol (",
      "identifier x",
      "symbol )",
      "keyword from",
      "identifier t",
      "comment -- c",
      "keyword where",
      "identifier y",
      "symbol =",
      "string 'z'",
    ]);
  });

  it("reads a column that is named like a keyword as a name", () => {
    expect(tokenize("date.day")[0]?.kind).toBe("identifier");
  });
});

describe("selectItems", () => {
  it("names the items of each list, those of subqueries too", () => {
    const items = selectItems(
      tokenize('select distinct a, b.c, f(x, y) as d, 1 + 2, (select e from g) as h, "I" from t'),
    );
    expect(items.map((item) => item.column)).toEqual(["a", "c", "d", "h", "e", "I"]);
  });
});

describe("expressionOf", () => {
  const sql = `with t as (
    select customer_id, sum(o.amount * (1 - o.discount)) as total_revenue
    from orders o group by 1
  ), final as (select customer_id, total_revenue from t)
  select * from final`;

  it("marks the item that makes the column, not one that passes it on", () => {
    expect(marked(sql, "total_revenue")).toBe("sum(o.amount * (1 - o.discount)) as total_revenue");
  });

  it("finds an expression that is written differently", () => {
    expect(marked(sql, "total_revenue", "SUM(o.amount*(1-o.discount))")).toContain("as total_revenue");
  });

  it("compares names without regard to case and quotes", () => {
    expect(marked('select A+1 "Amount" from t', "amount")).toBe('A+1 "Amount"');
  });

  it("marks nothing for a column that the statement does not name", () => {
    expect(marked("select * from t", "x", "y + 1")).toBeNull();
  });
});
