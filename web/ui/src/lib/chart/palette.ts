// Ten line colours per theme that stay apart for colour-blind readers (Okabe and Ito's hues, shifted for contrast of at
// least 3:1 on the surface they are drawn on).

const LIGHT = [
  "#1f5fc4",
  "#c8500f",
  "#0a7d5a",
  "#a8327e",
  "#8a6a00",
  "#2787b0",
  "#6b4fc0",
  "#b3261e",
  "#4d6b22",
  "#5b6472",
];
const DARK = [
  "#7aa8ff",
  "#ff9a5c",
  "#3fcfa0",
  "#ec87c3",
  "#e0bd45",
  "#5fc6ee",
  "#b09bff",
  "#ff7d73",
  "#a9cc6a",
  "#aab3c2",
];

export function lineColor(index: number, dark: boolean): string {
  const colors = dark ? DARK : LIGHT;
  return colors[index % colors.length] ?? "#888888";
}

/** `#rrggbb` with an alpha, for areas below lines; other notations come back as they are. */
export function withAlpha(color: string, alpha: number): string {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
  if (!hex) return color;
  const [red, green, blue] = hex.slice(1).map((part) => parseInt(part, 16));
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}
