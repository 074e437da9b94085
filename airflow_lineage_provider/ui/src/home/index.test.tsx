import { QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { queryClient, SourceContext } from "../api/hooks";
import { LineageError, type LineageSource } from "../api/source";
import { Home, HomeWidget } from "./index";

function show(page: React.ReactNode, summary: LineageSource["summary"]) {
  const source = { name: "test", live: true, summary } as LineageSource;
  return render(
    <QueryClientProvider client={queryClient()}>
      <SourceContext value={source}>{page}</SourceContext>
    </QueryClientProvider>,
  );
}

it("says on the page of the navigation how to begin, if the store is empty", async () => {
  show(<Home />, () => Promise.resolve({ dags: [] }));
  expect(await screen.findByRole("heading", { name: "No lineage yet" }, { timeout: 20_000 })).toBeTruthy();
});

it("says in a line on the dashboard that the store cannot be reached", async () => {
  show(<HomeWidget />, () => Promise.reject(new LineageError(503, "connection refused")));
  const line = await screen.findByRole("alert", {}, { timeout: 20_000 });
  expect(line.textContent).toContain("No event store can be reached");
  expect(line.textContent).toContain("connection refused");
  expect(screen.getByRole("heading", { name: "Lineage" })).toBeTruthy();
});
