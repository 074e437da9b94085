import { useEffect, useMemo, useRef, useState, type RefObject } from "react";
import { flushSync } from "react-dom";
import type { RunRef } from "../api/source";
import type { ColumnEdge, Graph } from "../api/types";
import { SidePanel } from "../panels";
import { useNavigate, type View } from "../shell/view";
import { Camera } from "./camera";
import { Canvas, fit } from "./Canvas";
import { Drawing, type Spot } from "./Drawing";
import { EdgeList } from "./EdgeList";
import { Markers } from "./Edges";
import { download, fileName, pngOf, svgText } from "./export";
import { HEADINGS } from "./geometry";
import { Headings } from "./Headings";
import { NODE_WIDTH, type Layout } from "./layout";
import { Legend } from "./Legend";
import { neighboursOf, type Drawn, type Neighbours } from "./model";
import { Toolbar } from "./Toolbar";
import { useLayout } from "./useLayout";
import { usePicture, type Picture } from "./usePicture";

const toggled = <T,>(list: readonly T[], item: T): T[] => (list.includes(item) ? list.filter((other) => other !== item) : [...list, item]);

interface LaidOut {
  drawn: Drawn;
  layout: Layout;
  /** What the drawing is of: when it changes, the drawing is fitted to the canvas. */
  scope: string;
}

/** What is drawn with the layout that belongs to it: while a new layout is made, the picture before it. */
function useLaidOut(picture: Picture, scope: string): { shown: LaidOut | null; error: Error | null } {
  const laid = useLayout(picture.input);
  const [shown, setShown] = useState<LaidOut | null>(null);
  if (laid?.layout && laid.input === picture.input && shown?.layout !== laid.layout)
    setShown({ drawn: picture.drawn, layout: laid.layout, scope });
  return { shown, error: laid?.error ?? null };
}

interface StillProps {
  ref: RefObject<SVGSVGElement | null>;
  shown: LaidOut;
  neighbours: Neighbours;
  selected: Spot | null;
  columnEdges: readonly ColumnEdge[];
}

const boxOf = ({ width, height }: Layout) => ({ x: -20, y: -HEADINGS, width: Math.max(width, NODE_WIDTH) + 40, height: height + 2 * HEADINGS });

/** The whole drawing, to be exported or printed. */
function StillDrawing({ ref, shown, neighbours, selected, columnEdges }: StillProps) {
  const { x, y, width, height } = boxOf(shown.layout);
  return (
    <svg ref={ref} className="ln-still" viewBox={`${x} ${y} ${width} ${height}`} aria-hidden="true">
      <Markers />
      <g>
        <Drawing
          drawn={shown.drawn}
          layout={shown.layout}
          neighbours={neighbours}
          box={null}
          far={false}
          selected={selected}
          hovered={null}
          active={null}
          columnEdges={columnEdges}
          headings
        />
      </g>
    </svg>
  );
}

/** Whether the page is being printed: then the whole drawing is there, and not what the canvas shows. */
function usePrinting(): boolean {
  const [printing, setPrinting] = useState(false);
  useEffect(() => {
    const start = () => {
      flushSync(() => {
        setPrinting(true);
      });
    };
    const end = () => {
      setPrinting(false);
    };
    window.addEventListener("beforeprint", start);
    window.addEventListener("afterprint", end);
    return () => {
      window.removeEventListener("beforeprint", start);
      window.removeEventListener("afterprint", end);
    };
  }, []);
  return printing;
}

interface Props {
  run: RunRef;
  graph: Graph;
  view: View;
}

/** A run's graph with its tools, and the side panel of what is selected. */
export function GraphView({ run, graph, view }: Props) {
  const navigate = useNavigate();
  const picture = usePicture(run, graph, view);
  const scope = JSON.stringify([run, view.focus, view.up, view.down, view.collapsed, picture.path && !view.all ? [view.dataset, view.column] : null]);
  const { shown, error } = useLaidOut(picture, scope);
  const [camera] = useState(() => new Camera());
  const [exporting, setExporting] = useState(false);
  const printing = usePrinting();
  const [problem, setProblem] = useState<string | null>(null);
  const exported = useRef<SVGSVGElement>(null);
  const selected: Spot | null = view.dataset === null ? null : { node: view.dataset, column: view.column ?? "" };
  const neighbours = useMemo(() => neighboursOf(shown?.drawn.edges ?? []), [shown?.drawn]);
  const columnEdges = (spot: Spot | null) =>
    picture.path ?? (spot && spot.column !== "" ? picture.edgesOf(spot.node, spot.column) : []);

  const select = (spot: Spot | null) => {
    if (spot) {
      const lane = graph.lanes.find(({ id }) => spot.node === `lane\u0000${id}`);
      if (lane) navigate({ collapsed: view.collapsed.filter((id) => id !== lane.id) });
      else navigate({ dataset: spot.node, column: spot.column === "" ? null : spot.column });
    } else if (view.column !== null) navigate({ column: null, all: false });
    else if (view.dataset !== null) navigate({ dataset: null });
    else if (view.focus !== null) navigate({ focus: null });
  };
  const toggle = (node: string) => {
    const lane = graph.lanes.find(({ id }) => node === `lane\u0000${id}`);
    if (lane) navigate({ collapsed: view.collapsed.filter((id) => id !== lane.id) });
    else navigate({ open: toggled(view.open, node) });
  };
  const save = async (kind: "svg" | "png") => {
    if (!shown) return;
    flushSync(() => {
      setExporting(true);
    });
    try {
      const svg = exported.current;
      if (!svg) return;
      const box = boxOf(shown.layout);
      const text = svgText(svg, box, getComputedStyle(svg).backgroundColor);
      const blob = kind === "svg" ? new Blob([text], { type: "image/svg+xml" }) : await pngOf(text, box);
      download(blob, fileName([run.dag, graph.run.run_id], kind));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setExporting(false);
    }
  };
  const notes = [...graph.notes, ...picture.notes, ...(error ? [error.message] : []), ...(problem === null ? [] : [problem])];

  return (
    <div className="ln-graph">
      <div className="ln-graph-main">
        <Toolbar
          view={view}
          onZoom={(factor) => {
            camera.zoom(factor);
          }}
          onFit={() => {
            if (shown) fit(camera, shown.layout);
          }}
          onExport={(kind) => void save(kind)}
        />
        {notes.length > 0 && (
          <ul className="ln-notes" role="status">
            {notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        )}
        {view.list ? (
          <EdgeList graph={graph} only={picture.only} />
        ) : (
          <div className="ln-canvas-box" aria-busy={picture.loading || shown === null}>
            {shown && (
              <>
                <Headings
                  lanes={shown.drawn.lanes}
                  layout={shown.layout}
                  camera={camera}
                  collapsed={view.collapsed}
                  onToggle={(lane) => {
                    navigate({ collapsed: toggled(view.collapsed, lane) });
                  }}
                />
                <Canvas
                  camera={camera}
                  drawn={shown.drawn}
                  layout={shown.layout}
                  neighbours={neighbours}
                  selected={selected}
                  columnEdgesOf={columnEdges}
                  scope={shown.scope}
                  label={`Lineage graph: ${shown.drawn.nodes.length} nodes. Arrow keys walk along edges, Enter selects, Space shows columns, F focuses, plus and minus zoom.`}
                  onSelect={select}
                  onToggle={toggle}
                  onFocus={(node) => {
                    navigate({ focus: node, dataset: node, column: null });
                  }}
                />
              </>
            )}
          </div>
        )}
        <Legend
          edges={graph.edges}
          hidden={view.hidden}
          onToggle={(state) => {
            navigate({ hidden: toggled(view.hidden, state) });
          }}
        />
      </div>
      {view.dataset !== null && (
        <SidePanel
          run={run}
          dataset={view.dataset}
          column={view.column}
          onClose={() => {
            navigate({ dataset: null, column: null, all: false });
          }}
        />
      )}
      {(exporting || printing) && shown && (
        <StillDrawing ref={exported} shown={shown} neighbours={neighbours} selected={selected} columnEdges={columnEdges(null)} />
      )}
    </div>
  );
}
