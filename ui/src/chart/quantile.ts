// Percentiles of durations: of those that are known one by one, and of those that are known as counts in rows.

/** The duration at a share of sorted ones; null without any. */
export const ranked = (sorted: readonly number[], share: number): number | null =>
  sorted[Math.round(share * (sorted.length - 1))] ?? null;

/** The duration in seconds below which a share of the runs lies, right within a row of 17 %; null without runs. */
export function quantile(edges: readonly number[], counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, n) => sum + n, 0);
  if (!total) return null;
  let left = share * (total - 1);
  const row = counts.findIndex((n) => {
    if (left < n) return true;
    left -= n;
    return false;
  });
  const at = row < 0 ? counts.length - 1 : row;
  const [low, high] = [edges[at]!, edges[at + 1]!];
  const part = (left + 0.5) / counts[at]!;
  return low === 0 ? 0 : low * (high / low) ** Math.min(1, part);
}
