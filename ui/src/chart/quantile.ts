// Percentiles of durations that are known as counts in rows: right within a row, which is 17 % wide.

/** The duration in seconds below which a share of the runs lies; null without runs. */
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
