import css from "./style.css?inline";

/** Add the pages' style once. A constructed sheet needs no inline <style>, which a content security policy forbids. */
export function addStyles(): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}
