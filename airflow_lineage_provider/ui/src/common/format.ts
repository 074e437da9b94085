const UNITS: readonly [number, string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
];

/** Seconds as people read them: `0.42 s`, `12 s`, `3 min 5 s`, `2 h 10 min`; `–` for an unknown duration. */
export function duration(seconds: number | null): string {
  if (seconds === null) return "–";
  if (seconds < 10) return `${Number(seconds.toFixed(2))} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const found = UNITS.findIndex(([size]) => seconds >= size);
  const [size, unit] = UNITS[found] ?? [60, "min"];
  const [smaller, smallerUnit] = UNITS[found + 1] ?? [1, "s"];
  const whole = Math.floor(seconds / size);
  const rest = Math.floor((seconds - whole * size) / smaller);
  return rest ? `${whole} ${unit} ${rest} ${smallerUnit}` : `${whole} ${unit}`;
}

/** A number with separators between thousands; `–` for an unknown one. */
export function count(value: number | null): string {
  return value === null ? "–" : value.toLocaleString("en-US");
}

/** `1 finding`, `2 findings`. */
export function plural(value: number, singular: string, many = `${singular}s`): string {
  return `${count(value)} ${value === 1 ? singular : many}`;
}

/** A time in the reader's time zone, such as `2026-11-26 02:15:09`; the text itself if it is no time. */
export function time(at: string | null): string {
  if (at === null) return "–";
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The words of a code such as `column-missing` or `through_path`, for people. */
export function words(code: string): string {
  const text = code.replace(/[-_]+/g, " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The URL if a link to it is safe (http, https, or relative), else null: it comes from metadata. */
export function safeUrl(url: string): string | null {
  try {
    const { protocol } = new URL(url, document.baseURI);
    return protocol === "http:" || protocol === "https:" ? url : null;
  } catch {
    return null;
  }
}
