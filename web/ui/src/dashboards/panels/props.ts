// What every kind of panel gets.
import type { Panel } from "../model";
import type { PanelData } from "../run";

export interface PanelProps<P = Panel> {
  panel: P;
  data: PanelData;
  /** Charts with the same key share their cursor. */
  syncKey: string | undefined;
  /** Unix milliseconds. */
  onZoom: (from: number, to: number) => void;
}
