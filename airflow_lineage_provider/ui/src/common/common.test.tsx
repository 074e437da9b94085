import { fireEvent, render, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import type { UseQueryResult } from "@tanstack/react-query";
import { LineageError } from "../api/source";
import { brokenRules } from "../test/axe";
import { Answer } from "./Answer";
import { duration, safeUrl, time } from "./format";
import { problemOf } from "./problem";
import { StatePage } from "./StatePage";

describe("problemOf", () => {
  it.each([
    [0, "offline", "Airflow does not answer"],
    [401, "signed-out", "Your session has ended"],
    [403, "forbidden", "You may not see this lineage"],
    [404, "no-run", "This run has no lineage"],
    [409, "newer-store", "The event store is of a newer version"],
    [500, "unexpected", "The page could not be shown"],
    [503, "no-store", "No event store can be reached"],
  ])("of the status %d is %s, whose page says what to do", async (status, kind, title) => {
    const problem = problemOf(new LineageError(status, "said by the server"));
    expect(problem.kind).toBe(kind);
    const { container } = render(<StatePage problem={problem} onRetry={vi.fn()} />);
    expect(screen.getByRole("heading", { name: title })).toBeTruthy();
    expect(await brokenRules(container)).toEqual([]);
  });
});

describe("problemOf, for a store that nothing has written", () => {
  it("is an empty store", () => {
    expect(problemOf(new LineageError(503, "There is no event store at lineage.db: run a pipeline")).kind).toBe(
      "empty-store",
    );
  });
});

describe("problemOf, for a token that Airflow cannot read", () => {
  it("is an ended session, not a permission to ask for", () => {
    expect(problemOf(new LineageError(403, "Invalid JWT token: ask for permission")).kind).toBe("signed-out");
  });
});

describe("StatePage", () => {
  it("tries again", () => {
    const onRetry = vi.fn();
    render(<StatePage problem={{ kind: "offline", detail: null }} onRetry={onRetry} />);
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(onRetry).toHaveBeenCalledOnce();
  });

  it("leads back to the page after a login", () => {
    render(<StatePage problem={{ kind: "signed-out", detail: null }} />);
    const url = new URL(screen.getByRole("link", { name: "Log in" }).getAttribute("href") ?? "");
    expect(url.pathname).toBe("/api/v2/auth/login");
    expect(url.searchParams.get("next")).toBe(window.location.href);
  });

  it("shows what the server said as text", () => {
    const { container } = render(<StatePage problem={{ kind: "no-store", detail: "<b>x</b>" }} />);
    expect(container.querySelector("bdi")?.textContent).toBe("<b>x</b>");
  });
});

describe("Answer", () => {
  const shown = (state: object) =>
    render(
      <Answer query={state as UseQueryResult<string>} what="the jobs">
        {(data) => <p>{data}</p>}
      </Answer>,
    );

  it("says what it loads", () => {
    shown({ isPending: true });
    expect(screen.getByText("Loading the jobs …")).toBeTruthy();
  });

  it("keeps data that could not be loaded again, and says so", () => {
    const refetch = vi.fn();
    shown({ data: "old", isError: true, error: new LineageError(0, "x"), refetch });
    expect(screen.getByText("old")).toBeTruthy();
    expect(screen.getByRole("alert").textContent).toContain("What is shown may be out of date");
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(refetch).toHaveBeenCalledOnce();
  });
});

describe("format", () => {
  it.each([
    [null, "–"],
    [0.123, "0.12 s"],
    [12.4, "12 s"],
    [75, "1 min 15 s"],
    [7200, "2 h"],
    [90_000, "1 d 1 h"],
  ])("writes %s seconds as %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it("leaves a time that is none as it is", () => {
    expect(time("yesterday")).toBe("yesterday");
  });

  it.each([
    ["https://x.example.com/", true],
    ["/dags/x", true],
    ["javascript:alert(1)", false],
    ["data:text/html,x", false],
    ["http://[", false],
  ])("takes %s for a safe link: %s", (url, isSafe) => {
    expect(safeUrl(url) !== null).toBe(isSafe);
  });
});
