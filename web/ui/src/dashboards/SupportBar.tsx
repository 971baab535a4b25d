// How many panels of a board are shown in full, in part, or not.
interface Counts {
  full: number;
  partial: number;
  none: number;
}

export function SupportBar({ full, partial, none }: Counts) {
  const total = full + partial + none;
  const words = [
    full > 0 && `${full} in full`,
    partial > 0 && `${partial} in part`,
    none > 0 && `${none} not shown`,
  ].filter(Boolean);
  const share = (count: number) => `${((count / Math.max(total, 1)) * 100).toFixed(1)}%`;
  return (
    <span class="support">
      <span class="support-bar" aria-hidden="true">
        <span class="support-full" style={{ width: share(full) }} />
        <span class="support-partial" style={{ width: share(partial) }} />
        <span class="support-none" style={{ width: share(none) }} />
      </span>
      <span>{words.join(", ") || "no panels"}</span>
    </span>
  );
}
