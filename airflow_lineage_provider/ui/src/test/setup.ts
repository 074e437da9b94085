import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

// findBy... and waitFor give up after 1 s by default.
configure({ asyncUtilTimeout: 60_000 });

afterEach(() => {
  cleanup();
  window.location.hash = "";
});
