import { count, duration, plural, time } from "../common/format";

export interface Bar {
  key: string;
  at: string;
  value: number | null;
  state: string;
}

interface Props {
  title: string;
  bars: readonly Bar[];
  unit: "rows" | "seconds";
}

const WIDTH = 320;
const HEIGHT = 72;

/** A small chart of the last runs, oldest first. A run without a value has a mark on the axis. */
export function Bars({ title, bars, unit }: Props) {
  const values = bars.flatMap((bar) => (bar.value === null ? [] : [bar.value]));
  if (!values.length) return null;
  const max = Math.max(...values, 0) || 1;
  const text = unit === "seconds" ? duration : count;
  const step = WIDTH / Math.max(bars.length, 20);
  const last = bars.findLast((bar) => bar.value !== null);
  const summary = `${title} of the last ${plural(bars.length, "run")}: ${text(Math.min(...values))} to ${text(Math.max(...values))}, last ${text(last?.value ?? null)}`;
  return (
    <figure className="ln-chart">
      <figcaption>
        {title}{" "}
        <span className="ln-muted">
          last {text(last?.value ?? null)}, most {text(max)}
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={summary} preserveAspectRatio="none">
        <line x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} className="ln-axis" />
        {bars.map((bar, index) => {
          const height = bar.value === null ? 2 : Math.max(2, (bar.value / max) * (HEIGHT - 6));
          return (
            <rect
              key={bar.key}
              x={index * step + step * 0.15}
              width={step * 0.7}
              y={HEIGHT - height}
              height={height}
              className={
                bar.value === null ? "ln-bar-none" : `ln-bar ln-bar-${bar.state === "failed" ? "failed" : "ok"}`
              }
            >
              <title>{`${time(bar.at)}: ${text(bar.value)}${bar.state === "failed" ? ", failed" : ""}`}</title>
            </rect>
          );
        })}
      </svg>
    </figure>
  );
}
