import { expect, test } from "vitest";
import { formatView, parseView, START } from "./view";

test("a view survives its link", () => {
  const view = {
    ...START,
    tab: "findings" as const,
    dag: "a/b c",
    run: "manual__2026-01-01T00:00:00+00:00",
    dataset: 'x&y#"<b>',
    column: "ünï=",
    focus: "gold.orders",
    up: 0,
    down: 3,
    collapsed: ["bronze", "s&3"],
    open: ["a", "b"],
    hidden: ["verified" as const, "saved" as const],
    all: true,
    list: true,
  };
  expect(parseView(formatView(view))).toEqual(view);
});

test.each(["", "#", "#tab=nothing&up=-1&down=x", "#up=1.5"])("a link %j that says nothing shows the start", (hash) => {
  expect(parseView(hash)).toEqual(START);
});

test("hops are bounded", () => {
  expect(parseView("#focus=a&up=1000000").up).toBe(20);
});
