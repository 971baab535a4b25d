// The few symbols of the console, drawn on a 16-pixel grid with the text's colour.

const PATHS = {
  run: "M5 3.5v9l7-4.5z",
  stop: "M4 4h8v8H4z",
  link: "M6.5 9.5l3-3M7 4.5l1.2-1.2a2.6 2.6 0 013.7 3.7L10.7 8.2M9 11.5l-1.2 1.2a2.6 2.6 0 01-3.7-3.7L5.3 7.8",
  clock: "M8 4.5V8l2.3 1.6M14 8A6 6 0 112 8a6 6 0 0112 0z",
  chevron: "M6 4l4 4-4 4",
  down: "M4 6l4 4 4-4",
  close: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  refresh: "M13 8a5 5 0 11-1.6-3.7M13 2.5v3h-3",
  firing: "M8 2.2l6 10.8H2zM8 6.5v3M8 11.2v.1",
  pending: "M8 4.8V8l2 1.4M14 8A6 6 0 112 8a6 6 0 0112 0z",
  resolved: "M3 8.5l3.2 3.2L13 5",
  sun: "M8 5.2a2.8 2.8 0 110 5.6 2.8 2.8 0 010-5.6zM8 1.5v1.4M8 13.1v1.4M1.5 8h1.4M13.1 8h1.4M3.4 3.4l1 1M11.6 11.6l1 1M3.4 12.6l1-1M11.6 4.4l1-1",
  moon: "M13 9.6A5.4 5.4 0 016.4 3a5.4 5.4 0 106.6 6.6z",
  auto: "M14 8A6 6 0 112 8a6 6 0 0112 0zM8 2v12",
  table: "M2.5 3.5h11v9h-11zM2.5 6.5h11M2.5 9.5h11M6 6.5v6",
  chart: "M2.5 12.5l3.5-5 3 3 4.5-7",
} as const;

export type IconName = keyof typeof PATHS;

const FILLED: ReadonlySet<IconName> = new Set<IconName>(["run", "stop"]);

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  const filled = FILLED.has(name);
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill={filled ? "currentColor" : "none"}
      stroke={filled ? "none" : "currentColor"}
      stroke-width="1.5"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: one point among many, found. */
export function Mark({ size = 22 }: { size?: number }) {
  const points = [6, 12, 18].flatMap((y) => [6, 12, 18].map((x) => ({ x, y })));
  return (
    <svg width={size} height={size} viewBox="2 2 22 20" aria-hidden="true">
      <g fill="currentColor" opacity="0.55">
        {points
          .filter(({ x, y }) => !(x === 18 && y === 12))
          .map(({ x, y }) => (
            <circle key={`${x}-${y}`} cx={x} cy={y} r="1.7" />
          ))}
      </g>
      <circle cx="18" cy="12" r="2.3" fill="var(--mark)" />
      <circle cx="18" cy="12" r="4.6" fill="none" stroke="var(--mark)" stroke-width="1.5" />
    </svg>
  );
}
