import axe from "axe-core";

/** The accessibility rules that a drawn page breaks; jsdom has no layout, so that contrast is checked in a browser. */
export async function brokenRules(page: Element): Promise<string[]> {
  const options = { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } };
  const { violations } = await axe.run(page, options);
  return violations.map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.html).join(" | ")}`);
}
