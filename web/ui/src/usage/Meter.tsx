// A figure against its limit: the figure, the limit, and a bar that turns warm when little is left.

const WARM = 0.8;

export type Warmth = "calm" | "warm" | "over";

export function warmth(share: number): Warmth {
  if (share >= 1) return "over";
  return share >= WARM ? "warm" : "calm";
}

export interface MeterProps {
  /** What is measured, for those who cannot see the bar. */
  name: string;
  share: number;
  figure: string;
  limit: string;
}

export function Meter({ name, share, figure, limit }: MeterProps) {
  const width = `${Math.min(Math.max(share, 0), 1) * 100}%`;
  return (
    <div class={`meter meter-${warmth(share)}`} title={`${name}: ${figure} of ${limit}`}>
      <span class="meter-figure">
        <b>{figure}</b> <span class="muted">of {limit}</span>
      </span>
      <span class="meter-track">
        <span class="meter-fill" style={{ width }} />
      </span>
    </div>
  );
}
